import { VprError } from '../core/VprError.js';
import { camelCase, type Parameter, type ParameterValue, type ValuesOf } from './Parameter.js';
import { CAMERA_PARAMETERS, PARAMETERS } from './parameters.js';

export type CameraParameters = { readonly name: string } & ValuesOf<typeof CAMERA_PARAMETERS>;

/** All parameters, parsed: camelCase keys, `cameras` with each camera's own. */
export type NodeParameters = Omit<ValuesOf<typeof PARAMETERS>, 'cameras'> & {
  readonly cameras: readonly CameraParameters[];
};

const ROWS = new Map<string, Parameter>(PARAMETERS.map((row) => [row.name, row]));
const CAMERA_ROWS = new Map<string, Parameter>(CAMERA_PARAMETERS.map((row) => [row.name, row]));
/** ROS names: letters, digits and underscores, a letter first. */
const CAMERA_NAME = /^[A-Za-z][A-Za-z0-9_]*$/;

/** The row of a full parameter name (`cameras.front.topic` included), or undefined. */
export function findParameter(name: string): Parameter | undefined {
  const camera = /^cameras\.([^.]+)\.(.+)$/.exec(name);
  if (camera === null) return ROWS.get(name);
  const row = CAMERA_ROWS.get(camera[2]!);
  return row === undefined ? undefined : { ...row, name, default: cameraDefault(row, camera[1]!) };
}

/** Rows of all cameras with full names and defaults, to declare. */
export function cameraParameters(camera: string): readonly Parameter[] {
  return CAMERA_PARAMETERS.map((row) => ({
    ...row,
    name: `cameras.${camera}.${row.name}`,
    default: cameraDefault(row, camera),
  }));
}

function cameraDefault(row: Parameter, camera: string): ParameterValue {
  return typeof row.default === 'string' ? row.default.replace('<name>', camera) : row.default;
}

function show(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

function expectation(row: Parameter): string {
  if (row.choices !== undefined)
    return row.type === 'string[]' ? `a list of ${row.choices.join(', ')}` : row.choices.join(' | ');
  const range = row.range === undefined ? '' : ` in ${row.range[0]}...${row.range[1]}${row.unit && ` ${row.unit}`}`;
  return {
    bool: 'true or false',
    int: 'an integer',
    double: 'a number',
    string: 'a string',
    'string[]': 'a list of strings',
  }[row.type].concat(range);
}

function invalid(row: Parameter, value: unknown): VprError {
  return new VprError(
    'PARAMETER_INVALID',
    `Expected ${expectation(row)} for parameter '${row.name}', got ${show(value)}`,
  );
}

/** One value, checked against its row. Integers may come as bigint (as rclnodejs gives them). Throws PARAMETER_INVALID. */
export function parseParameter(row: Parameter, value: unknown): ParameterValue {
  const word = (text: unknown): string => {
    if (typeof text !== 'string' || (row.choices !== undefined && !row.choices.includes(text)))
      throw invalid(row, value);
    return text;
  };
  switch (row.type) {
    case 'bool':
      if (typeof value !== 'boolean') throw invalid(row, value);
      return value;
    case 'int':
    case 'double': {
      const number = typeof value === 'bigint' ? Number(value) : value;
      if (typeof number !== 'number' || !Number.isFinite(number)) throw invalid(row, value);
      if (row.type === 'int' && !Number.isSafeInteger(number)) throw invalid(row, value);
      if (row.range !== undefined && (number < row.range[0] || number > row.range[1])) throw invalid(row, value);
      return number;
    }
    case 'string':
      return word(value);
    case 'string[]':
      if (!Array.isArray(value)) throw invalid(row, value);
      return value.map(word);
  }
}

function parseRows(
  rows: readonly Parameter[],
  values: Readonly<Record<string, unknown>>,
): Record<string, ParameterValue> {
  return Object.fromEntries(
    rows.map((row) => {
      const value = values[row.name];
      return [row.name, value === undefined ? row.default : parseParameter(row, value)];
    }),
  );
}

function toCamelCase(values: Readonly<Record<string, ParameterValue>>, prefix = ''): Record<string, ParameterValue> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [camelCase(name.slice(prefix.length)), value]),
  );
}

/** Values that are each right but not together. */
function crossCheck(parameters: NodeParameters): void {
  const fail = (message: string): never => {
    throw new VprError('PARAMETER_INVALID', message);
  };
  if (parameters.cameras.length === 0) fail("Expected at least one name for parameter 'cameras', got []");
  const names = parameters.cameras.map((camera) => camera.name);
  for (const name of names) {
    if (!CAMERA_NAME.test(name))
      fail(`Expected letters, digits and _ for a name in parameter 'cameras', got ${JSON.stringify(name)}`);
    if (names.indexOf(name) !== names.lastIndexOf(name))
      fail(`Expected different names for parameter 'cameras', got ${JSON.stringify(name)} twice`);
  }
  for (const camera of parameters.cameras)
    if (camera.topic === '') fail(`Expected a topic for parameter 'cameras.${camera.name}.topic', got ""`);
  if (parameters.topK > parameters.shortlist)
    fail(
      `Expected at most shortlist (${parameters.shortlist}) for parameter 'top_k', got ${parameters.topK}: only the shortlist is re-ranked`,
    );
  if (parameters.mode === 'localization' && parameters.map === '')
    fail(`Expected a map file for parameter 'map' in mode localization, got "" (mode slam starts without one)`);
  if (parameters.executionProviders.length === 0)
    fail("Expected at least one provider for parameter 'execution_providers', got []");
}

/**
 * Parses and cross-checks all values; missing ones take the table's default.
 * values: by full ROS name (`keyframe.distance_m`, `cameras.front.topic`). An unknown name is an error, with the nearest known one.
 * Throws PARAMETER_INVALID.
 */
export function parseParameters(values: Readonly<Record<string, unknown>>): NodeParameters {
  const cameraNames = parseParameter(
    ROWS.get('cameras')!,
    values['cameras'] ?? ROWS.get('cameras')!.default,
  ) as readonly string[];
  for (const name of Object.keys(values)) {
    const row = findParameter(name);
    if (row === undefined) throw unknownParameter(name);
    const camera = /^cameras\.([^.]+)\./.exec(name)?.[1];
    if (camera !== undefined && !cameraNames.includes(camera))
      throw new VprError(
        'PARAMETER_INVALID',
        `Expected a camera of 'cameras' (${cameraNames.join(', ')}) for parameter '${name}', got '${camera}'`,
      );
  }
  const cameras = cameraNames.map((name) => ({
    name,
    ...toCamelCase(parseRows(cameraParameters(name), values), `cameras.${name}.`),
  }));
  // The mapped types of Parameter.ts say what the table says; the parse above checked each value against its row.
  const parsed = { ...toCamelCase(parseRows(PARAMETERS, values)), cameras } as unknown as NodeParameters;
  crossCheck(parsed);
  return parsed;
}

/**
 * Checks new values for a running node: known, dynamic, in range, and consistent with the rest.
 * current: all values set so far. Returns the parameters with the changes. Throws PARAMETER_INVALID or PARAMETER_READ_ONLY.
 */
export function changeParameters(
  current: Readonly<Record<string, unknown>>,
  changes: Readonly<Record<string, unknown>>,
): NodeParameters {
  for (const name of Object.keys(changes)) {
    const row = findParameter(name);
    if (row === undefined) throw unknownParameter(name);
    if (!row.dynamic)
      throw new VprError(
        'PARAMETER_READ_ONLY',
        `Expected a dynamic parameter to change while the node runs, got '${name}', which is read at configure`,
      );
  }
  return parseParameters({ ...current, ...changes });
}

function unknownParameter(name: string): VprError {
  const known = [...ROWS.keys(), ...CAMERA_PARAMETERS.map((row) => `cameras.<name>.${row.name}`)];
  const nearest = known.reduce((best, candidate) =>
    editDistance(name, candidate) < editDistance(name, best) ? candidate : best,
  );
  return new VprError('PARAMETER_INVALID', `Expected a parameter of the table, got '${name}' (nearest: '${nearest}')`);
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
