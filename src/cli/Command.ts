import { parseArgs } from 'node:util';
import { VprError } from '../core/VprError.js';

/** One option of a command: `--name VALUE` (string, number, integer) or `--name` (boolean). */
export interface Option {
  readonly type: 'string' | 'number' | 'integer' | 'boolean';
  readonly description: string;
  readonly short?: string;
  /** What stands for the value in the help: FILE, N, ... */
  readonly value?: string;
  readonly default?: string | number | boolean;
  readonly choices?: readonly string[];
  /** Least and most of a number, both allowed. */
  readonly range?: NumberRange;
  readonly multiple?: boolean;
}

export type NumberRange = readonly [least: number, most: number];

/** Of how many there are to be. */
export const COUNTS: NumberRange = [1, Infinity];
/** Metres within which a place is the same. */
export const DISTANCES_M: NumberRange = [0.001, 1e7];
/** Degrees of heading within which a place is the same. */
export const ANGLES_DEG: NumberRange = [0.001, 180];

export interface Arguments {
  readonly positionals: readonly string[];
  /** The option's value, its default, or undefined. */
  string(name: string): string | undefined;
  strings(name: string): readonly string[];
  number(name: string): number | undefined;
  flag(name: string): boolean;
}

/** One command of `vpr`, one file each in `commands/`. `run` returns the exit code: 0 ok, 1 data or result failure. */
export interface Command {
  /** "map build" */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** Positional arguments as the usage line shows them: "BAG [MAP]". */
  readonly positionals: string;
  /** How many positional arguments are allowed: [least, most]. */
  readonly positionalCount: readonly [number, number];
  readonly options: Readonly<Record<string, Option>>;
  /** More help below the options: examples, what the output means. */
  readonly details?: string;
  run(args: Arguments): Promise<number>;
}

/** Wrong words on the command line: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

function readValue(name: string, option: Option, value: unknown): string | number | boolean {
  if (option.type === 'boolean') return value as boolean;
  const text = String(value);
  if (option.choices !== undefined && !option.choices.includes(text))
    throw new UsageError(`Expected ${option.choices.join(' | ')} for --${name}, got '${text}'`);
  if (option.type === 'string') return text;
  const number = Number(text);
  const isNumber =
    text.trim() !== '' && (option.type === 'integer' ? Number.isInteger(number) : Number.isFinite(number));
  const [least, most] = option.range ?? [-Infinity, Infinity];
  if (!isNumber || number < least || number > most)
    throw new UsageError(`Expected ${kindOf(option)} for --${name}, got '${text}'`);
  return number;
}

/** "a whole number in 1...64" */
function kindOf({ type, range }: Option): string {
  const kind = type === 'integer' ? 'a whole number' : 'a number';
  if (range === undefined) return kind;
  const [least, most] = range;
  return most === Infinity ? `${kind} of at least ${least}` : `${kind} in ${least}...${most}`;
}

export function parseArguments(command: Command, argv: readonly string[]): Arguments {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...argv],
      allowPositionals: true,
      strict: true,
      options: Object.fromEntries(
        Object.entries(command.options).map(([name, option]) => [
          name,
          {
            type: option.type === 'boolean' ? ('boolean' as const) : ('string' as const),
            ...(option.short === undefined ? {} : { short: option.short }),
            multiple: option.multiple ?? false,
          },
        ]),
      ),
    });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
  const [least, most] = command.positionalCount;
  if (parsed.positionals.length < least || parsed.positionals.length > most)
    throw new UsageError(
      `Expected ${command.positionals || 'no arguments'}, got ${parsed.positionals.length} arguments`,
    );
  const values = new Map<string, unknown>();
  for (const [name, option] of Object.entries(command.options)) {
    const given = parsed.values[name];
    if (given === undefined) {
      if (option.default !== undefined) values.set(name, option.default);
    } else {
      values.set(
        name,
        Array.isArray(given) ? given.map((v) => readValue(name, option, v)) : readValue(name, option, given),
      );
    }
  }
  const known = (name: string): unknown => {
    if (!(name in command.options)) throw new RangeError(`'${command.name}' has no option --${name}`);
    return values.get(name);
  };
  return {
    positionals: parsed.positionals,
    string: (name) => known(name) as string | undefined,
    strings: (name) => (known(name) ?? []) as readonly string[],
    number: (name) => known(name) as number | undefined,
    flag: (name) => known(name) === true,
  };
}

export function helpOf(command: Command): string {
  const rows = Object.entries(command.options).map(([name, option]) => {
    const value = option.type === 'boolean' ? '' : ` ${option.value ?? option.choices?.join('|') ?? 'VALUE'}`;
    const short = option.short === undefined ? '    ' : `-${option.short}, `;
    const standard = option.default === undefined || option.default === false ? '' : ` (default ${option.default})`;
    return [`  ${short}--${name}${value}`, `${option.description}${standard}`] as const;
  });
  rows.push(['  -h, --help', 'show this help']);
  const width = Math.min(36, Math.max(...rows.map(([left]) => left.length)));
  const lines = rows.map(([left, right]) =>
    left.length > width ? `${left}\n${' '.repeat(width + 2)}${right}` : `${left.padEnd(width)}  ${right}`,
  );
  const usage = `Usage: vpr ${command.name}${command.positionals ? ` ${command.positionals}` : ''} [options]`;
  return `${usage}\n\n${command.summary}\n\nOptions:\n${lines.join('\n')}\n${command.details ? `\n${command.details}\n` : ''}`;
}

/** The value of an option that the command cannot do without. */
export function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new UsageError(`Expected --${name}`);
  return value;
}

/** The sentence for the user and the exit code of anything that a command threw. */
export function failureOf(error: unknown): { sentence: string; exitCode: 1 | 2 } {
  if (error instanceof UsageError) return { sentence: error.message, exitCode: 2 };
  if (error instanceof VprError) return { sentence: `${error.message} (${error.code})`, exitCode: 1 };
  return { sentence: error instanceof Error ? (error.stack ?? error.message) : String(error), exitCode: 1 };
}
