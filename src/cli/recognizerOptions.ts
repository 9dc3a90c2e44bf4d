import { findParameter, parseParameters, type NodeParameters } from '../config/parseParameters.js';
import type { ParameterValue } from '../config/Parameter.js';
import { VprError } from '../core/VprError.js';
import { defaultModelPath } from '../worker/defaultModel.js';
import { UsageError, type Arguments, type Option } from './Command.js';

/** Options of every command that runs a model. */
export const MODEL_OPTIONS: Readonly<Record<string, Option>> = {
  model: { type: 'string', value: 'DIR', description: 'model folder (default: the one that comes with the package)' },
  set: {
    type: 'string',
    value: 'NAME=VALUE',
    multiple: true,
    description: "a parameter of the node, as in its parameter file; 'vpr parameters' lists them",
  },
};

export function modelPathOf(args: Arguments): string {
  return args.string('model') ?? defaultModelPath();
}

/** Parameters that an option of the command says: as --set they would do nothing. */
const OPTION_OF: ReadonlyMap<string, string> = new Map([
  ['model', '--model'],
  ['map', '--map or the argument MAP'],
  ['mode', '--mode'],
  ['pose_topic', '--pose-topic'],
  ['odometry_topic', '--odometry-topic'],
]);

/** text: of a parameter that is not of the table it stays one, and parseUsage refuses the name. */
function valueOf(name: string, text: string): ParameterValue {
  const row = findParameter(name);
  switch (row?.type) {
    case 'bool':
      if (text !== 'true' && text !== 'false')
        throw new UsageError(`Expected true or false for ${name}, got '${text}'`);
      return text === 'true';
    case 'int':
    case 'double': {
      const number = Number(text);
      if (text.trim() === '' || !Number.isFinite(number))
        throw new UsageError(`Expected a number for ${name}, got '${text}'`);
      return number;
    }
    case 'string':
    case undefined:
      return text;
    case 'string[]':
      return text.split(',');
  }
}

/** The `--set NAME=VALUE` options as parameter values. */
export function parametersOf(args: Arguments): Readonly<Record<string, ParameterValue>> {
  return Object.fromEntries(
    args.strings('set').map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UsageError(`Expected NAME=VALUE for --set, got '${pair}'`);
      const name = pair.slice(0, at);
      const option = OPTION_OF.get(name);
      if (option !== undefined)
        throw new UsageError(`Expected ${option}, where the command has it, in place of --set ${name}, got '${pair}'`);
      return [name, valueOf(name, pair.slice(at + 1))];
    }),
  );
}

/** parseParameters of what the command line says: a wrong value is wrong usage. Throws UsageError. */
export function parseUsage(values: Readonly<Record<string, unknown>>): NodeParameters {
  try {
    return parseParameters(values);
  } catch (error) {
    if (error instanceof VprError && error.code === 'PARAMETER_INVALID')
      throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** "1-40" as a range of image numbers. */
export function rangeOf(text: string | undefined, option: string): { first: number; last: number } | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+)-(\d+)$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || first < 1 || last < first)
    throw new UsageError(`Expected FIRST-LAST for --${option}, got '${text}'`);
  return { first, last };
}
