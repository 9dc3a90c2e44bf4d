import { findParameter } from '../config/parseParameters.js';
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

function valueOf(name: string, text: string): ParameterValue {
  const row = findParameter(name);
  if (row === undefined) throw new VprError('PARAMETER_INVALID', `Expected a parameter of the table, got '${name}'`);
  switch (row.type) {
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
      return [name, valueOf(name, pair.slice(at + 1))];
    }),
  );
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
