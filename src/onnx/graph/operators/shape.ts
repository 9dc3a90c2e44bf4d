import type { Value } from '../GraphBuilder.js';
import { elementCount, int64s } from '../Tensor.js';
import { graphError, oneOutput, resolveAxis, showShape } from './check.js';

function ints(x: Value, values: readonly number[]): Value {
  return x.graph.shared(`int64:${values.join(',')}`, 'int64', () => int64s(values));
}

/** The same elements in the same order under another shape. */
export function reshape(x: Value, shape: readonly number[]): Value {
  if (elementCount(shape) !== elementCount(x.shape))
    throw graphError('Reshape', `a shape of ${elementCount(x.shape)} elements`, showShape(shape));
  return oneOutput('Reshape', [x, ints(x, shape)], shape);
}

/** Axis i of the result is axis `order[i]` of x. */
export function transpose(x: Value, order: readonly number[]): Value {
  if ([...order].sort((a, b) => a - b).join() !== x.shape.map((_, i) => i).join())
    throw graphError('Transpose', `an order of ${x.shape.length} axes`, showShape(order));
  const shape = order.map((axis) => x.shape[axis]!);
  return oneOutput('Transpose', [x], shape, { perm: { ints: order } });
}

export function concat(values: readonly [Value, ...Value[]], axis: number): Value {
  const first = values[0];
  const along = resolveAxis('Concat', axis, first.shape.length);
  for (const value of values)
    if (
      value.dataType !== first.dataType ||
      value.shape.length !== first.shape.length ||
      value.shape.some((size, i) => i !== along && size !== first.shape[i])
    )
      throw graphError(
        'Concat',
        `shapes like ${showShape(first.shape)} but along axis ${along}`,
        showShape(value.shape),
      );
  const shape = [...first.shape];
  shape[along] = values.reduce((sum, value) => sum + value.shape[along]!, 0);
  return oneOutput('Concat', values, shape, { axis: { int: along } });
}

/** Elements begin...end-1 of one axis. */
export function slice(x: Value, axis: number, begin: number, end: number): Value {
  const along = resolveAxis('Slice', axis, x.shape.length);
  if (!(begin >= 0 && begin < end && end <= x.shape[along]!))
    throw graphError('Slice', `a range in 0...${x.shape[along]}`, `${begin}...${end}`);
  const shape = [...x.shape];
  shape[along] = end - begin;
  return oneOutput('Slice', [x, ints(x, [begin]), ints(x, [end]), ints(x, [along])], shape);
}

/** Cuts an axis into pieces of the given sizes. */
export function split(x: Value, axis: number, sizes: readonly number[]): Value[] {
  const along = resolveAxis('Split', axis, x.shape.length);
  if (sizes.reduce((sum, size) => sum + size, 0) !== x.shape[along])
    throw graphError('Split', `sizes that sum to ${x.shape[along]}`, showShape(sizes));
  const outputs = sizes.map((size) => ({
    dataType: x.dataType,
    shape: x.shape.map((old, i) => (i === along ? size : old)),
  }));
  return x.graph.node('Split', [x, ints(x, sizes)], outputs, { axis: { int: along } });
}

/** Repeats the border pixels of [B, C, H, W] outwards. padding: [top, left, bottom, right]. */
export function padEdge(x: Value, padding: readonly [number, number, number, number]): Value {
  if (x.shape.length !== 4) throw graphError('Pad', '4 axes', showShape(x.shape));
  const [top, left, bottom, right] = padding;
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const shape = [batch, channels, height + top + bottom, width + left + right];
  return oneOutput('Pad', [x, ints(x, [0, 0, top, left, 0, 0, bottom, right])], shape, { mode: { text: 'edge' } });
}
