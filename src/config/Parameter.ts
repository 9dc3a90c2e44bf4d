/** ROS parameter types that the node uses. */
export type ParameterType = 'bool' | 'int' | 'double' | 'string' | 'string[]';
export type ParameterValue = boolean | number | string | readonly string[];

/** One row of the parameter table. */
export interface Parameter {
  /** snake_case with dots; `cameras.<name>.` rows exist once for each name in `cameras`. */
  readonly name: string;
  readonly type: ParameterType;
  /** `<name>` in a default stands for the camera's name. */
  readonly default: ParameterValue;
  /** SI unit of a number, or '' (a count, a fraction, a word). */
  readonly unit: string;
  /** Inclusive bounds of a number. */
  readonly range?: readonly [number, number];
  /** Words that a string (or each of a list's) may be. */
  readonly choices?: readonly string[];
  readonly description: string;
  /** True: takes effect at once when set on the running node. False: read at configure, refused afterwards. */
  readonly dynamic: boolean;
}

/** keyframe.distance_m -> keyframeDistanceM */
export type CamelCase<Name extends string> = Name extends `${infer Head}${'_' | '.'}${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

export type ValueOf<Row> = Row extends { readonly choices: readonly (infer Word extends string)[] }
  ? Row extends { readonly type: 'string[]' }
    ? readonly Word[]
    : Word
  : Row extends { readonly type: 'bool' }
    ? boolean
    : Row extends { readonly type: 'int' | 'double' }
      ? number
      : Row extends { readonly type: 'string[]' }
        ? readonly string[]
        : string;

/** The typed values of a table: camelCase keys. */
export type ValuesOf<Table extends readonly Parameter[]> = {
  readonly [Row in Table[number] as CamelCase<Row['name']>]: ValueOf<Row>;
};

export function camelCase(name: string): string {
  return name.replace(/[_.]([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
