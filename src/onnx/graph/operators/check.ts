import { VprError } from '../../../core/VprError.js';
import type { DataType } from '../DataType.js';
import type { Attribute, GraphBuilder, Value } from '../GraphBuilder.js';

/** Ends the build with what an operator expected and what it got. */
export function graphError(operator: string, expected: string, got: string): VprError {
  return new VprError('GRAPH_INVALID', `Expected ${expected} for ${operator}, got ${got}`);
}

export function showShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

export function expectType(operator: string, value: Value, ...types: readonly DataType[]): void {
  if (!types.includes(value.dataType))
    throw graphError(operator, types.join(' or '), `${value.dataType} (${value.name})`);
}

export function expectRank(operator: string, value: Value, rank: number): void {
  if (value.shape.length !== rank)
    throw graphError(operator, `${rank} axes`, `${showShape(value.shape)} (${value.name})`);
}

export function expectShape(operator: string, value: Value, shape: readonly number[]): void {
  if (value.shape.length !== shape.length || value.shape.some((size, i) => size !== shape[i]))
    throw graphError(operator, showShape(shape), `${showShape(value.shape)} (${value.name})`);
}

/** The axis as 0...rank-1; negative ones count from the end. */
export function resolveAxis(operator: string, axis: number, rank: number): number {
  const resolved = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(resolved) || resolved < 0 || resolved >= rank)
    throw graphError(operator, `an axis below ${rank}`, String(axis));
  return resolved;
}

/** NumPy broadcasting of two shapes. */
export function broadcastShapes(operator: string, a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const left = a[i - rank + a.length] ?? 1;
    const right = b[i - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1)
      throw graphError(operator, 'shapes that broadcast', `${showShape(a)} and ${showShape(b)}`);
    return Math.max(left, right);
  });
}

/** Adds a node with one output of the first input's type. */
export function oneOutput(
  opType: string,
  inputs: readonly [Value, ...(Value | undefined)[]],
  shape: readonly number[],
  attributes?: Readonly<Record<string, Attribute>>,
  domain?: string,
): Value {
  const graph: GraphBuilder = inputs[0].graph;
  return graph.node(opType, inputs, [{ dataType: inputs[0].dataType, shape }], attributes, domain)[0]!;
}
