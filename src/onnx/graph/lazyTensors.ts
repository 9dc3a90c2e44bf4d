import { elementCount, lazyFloats, readFloats, type Tensor } from './Tensor.js';

/** Transformations of weights that happen when the model is written, one tensor at a time. All take and give float32. */

/** [rows, columns] to [columns, rows]. */
export function transposed(tensor: Tensor): Tensor {
  const [rows, columns] = tensor.shape as [number, number];
  return lazyFloats([columns, rows], () => {
    const from = readFloats(tensor);
    const to = new Float32Array(from.length);
    // In tiles, or each write would touch another cache line.
    const tile = 32;
    for (let r0 = 0; r0 < rows; r0 += tile)
      for (let c0 = 0; c0 < columns; c0 += tile)
        for (let r = r0; r < Math.min(rows, r0 + tile); r++)
          for (let c = c0; c < Math.min(columns, c0 + tile); c++) to[c * rows + r] = from[r * columns + c]!;
    return to;
  });
}

/** Multiplies slice i of the first axis by factors[i], which are computed when needed. */
export function scaledRows(tensor: Tensor, factors: () => ArrayLike<number>): Tensor {
  return lazyFloats(tensor.shape, () => {
    const from = readFloats(tensor);
    const scale = factors();
    const row = from.length / tensor.shape[0]!;
    const to = new Float32Array(from.length);
    for (let i = 0; i < to.length; i++) to[i] = from[i]! * scale[Math.floor(i / row)]!;
    return to;
  });
}

/** The tensors one after the other along the first axis. */
export function stacked(tensors: readonly Tensor[]): Tensor {
  const rest = tensors[0]!.shape.slice(1);
  const rows = tensors.reduce((sum, tensor) => sum + tensor.shape[0]!, 0);
  return lazyFloats([rows, ...rest], () => {
    const to = new Float32Array(rows * elementCount(rest));
    let at = 0;
    for (const tensor of tensors) {
      const from = readFloats(tensor);
      to.set(from, at);
      at += from.length;
    }
    return to;
  });
}

/** The same elements under another shape. */
export function reshaped(tensor: Tensor, shape: readonly number[]): Tensor {
  if (elementCount(shape) !== elementCount(tensor.shape))
    throw new RangeError(`Expected ${elementCount(tensor.shape)} elements, got [${shape.join(', ')}]`);
  return { ...tensor, shape, read: () => tensor.read() };
}

/** Rows begin...end-1 of the first axis. */
export function rowsOf(tensor: Tensor, begin: number, end: number): Tensor {
  const rest = tensor.shape.slice(1);
  const row = elementCount(rest);
  return lazyFloats([end - begin, ...rest], () => readFloats(tensor).slice(begin * row, end * row));
}

/** A value that is computed at the first call and kept. */
export function once<T>(make: () => T): () => T {
  let value: { readonly made: T } | undefined;
  return () => (value ??= { made: make() }).made;
}
