import type { Value } from '../GraphBuilder.js';
import { int64s } from '../Tensor.js';
import { atLeast, cast, divide } from './elementwise.js';
import { expectRank, expectShape, graphError, oneOutput, resolveAxis, showShape } from './check.js';

function reduce(opType: string, x: Value, axes: readonly number[]): Value {
  const resolved = axes.map((axis) => resolveAxis(opType, axis, x.shape.length));
  const list = x.graph.shared(`int64:${resolved.join(',')}`, 'int64', () => int64s(resolved));
  const shape = x.shape.map((size, i) => (resolved.includes(i) ? 1 : size));
  return oneOutput(opType, [x, list], shape, { keepdims: { int: 1 } });
}

/** Reductions keep their axes with size 1. */
export const reduceMean = (x: Value, axes: readonly number[]): Value => reduce('ReduceMean', x, axes);
export const reduceSum = (x: Value, axes: readonly number[]): Value => reduce('ReduceSum', x, axes);
export const reduceNorm = (x: Value, axes: readonly number[]): Value => reduce('ReduceL2', x, axes);
export const reduceLogSumExp = (x: Value, axes: readonly number[]): Value => reduce('ReduceLogSumExp', x, axes);

/** x / max(|x|_2, epsilon) along the axes: PyTorch's F.normalize, whose epsilon is 1e-12. */
export function l2Normalize(x: Value, axes: readonly number[], epsilon = 1e-12): Value {
  return divide(x, atLeast(reduceNorm(x, axes), epsilon));
}

export function softmax(x: Value, axis: number): Value {
  const along = resolveAxis('Softmax', axis, x.shape.length);
  return oneOutput('Softmax', [x], x.shape, { axis: { int: along } });
}

/** 1 at the largest element of each row, the first of equal ones, and 0 elsewhere. x: [n, K] float. */
export function oneHotOfLargest(x: Value): Value {
  expectRank('ArgMax', x, 2);
  const [rows, columns] = x.shape as [number, number];
  const [largest] = x.graph.node('ArgMax', [x], [{ dataType: 'int64', shape: [rows, 1] }], {
    axis: { int: 1 },
    keepdims: { int: 1 },
  });
  const indices = Array.from({ length: columns }, (_, i) => i);
  const all = x.graph.shared(`int64:${indices.join(',')}`, 'int64', () => int64s(indices));
  const [equal] = x.graph.node('Equal', [largest, all], [{ dataType: 'bool', shape: [rows, columns] }]);
  return cast(equal!, x.dataType);
}

/** Layer normalisation over the last axis. scale, bias: [last size]. */
export function layerNorm(x: Value, scale: Value, bias: Value, epsilon: number): Value {
  const last = x.shape.at(-1)!;
  expectShape('LayerNormalization scale', scale, [last]);
  expectShape('LayerNormalization bias', bias, [last]);
  return oneOutput('LayerNormalization', [x, scale, bias], x.shape, { axis: { int: -1 }, epsilon: { float: epsilon } });
}

export interface PoolOptions {
  /** One for both axes, or [height, width]. */
  readonly kernel: number | readonly [number, number];
  readonly stride: number;
  /** On each side; padded elements count neither as maximum nor in a mean. */
  readonly padding?: number;
}

function pool(opType: 'AveragePool' | 'MaxPool', x: Value, options: PoolOptions): Value {
  expectRank(opType, x, 4);
  const { kernel, stride, padding = 0 } = options;
  const kernels = typeof kernel === 'number' ? [kernel, kernel] : kernel;
  const [batch, channels, ...sides] = x.shape as [number, number, number, number];
  if (sides.some((side, axis) => side + 2 * padding < kernels[axis]!))
    throw graphError(opType, `at least ${kernels.join(' x ')} pixels`, showShape(x.shape));
  const sizes = sides.map((side, axis) => Math.floor((side + 2 * padding - kernels[axis]!) / stride) + 1);
  return oneOutput(opType, [x], [batch, channels, ...sizes], {
    kernel_shape: { ints: kernels },
    strides: { ints: [stride, stride] },
    pads: { ints: [padding, padding, padding, padding] },
  });
}

/** Means of windows of [B, C, H, W]. */
export const averagePool = (x: Value, options: PoolOptions): Value => pool('AveragePool', x, options);
/** Maxima of windows of [B, C, H, W]. */
export const maxPool = (x: Value, options: PoolOptions): Value => pool('MaxPool', x, options);
