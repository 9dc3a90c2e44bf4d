import type { DataType } from './DataType.js';
import { floatToHalf } from './halfPrecision.js';

/**
 * A constant of known type and shape whose bytes are made on demand, so that a graph of many gigabytes is described
 * without being held. `read` may be called more than once and gives a fresh or shared array of
 * product(shape) elements, row-major, little-endian.
 */
export interface Tensor {
  readonly dataType: DataType;
  readonly shape: readonly number[];
  read(): Uint8Array;
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** A float32 tensor whose values are computed each time that they are read. */
export function lazyFloats(shape: readonly number[], make: () => Float32Array): Tensor {
  return { dataType: 'float32', shape, read: () => bytesOf(make()) };
}

export function floats(values: ArrayLike<number>, shape: readonly number[] = [values.length]): Tensor {
  const array = Float32Array.from(values);
  return { dataType: 'float32', shape, read: () => bytesOf(array) };
}

export function int64s(values: readonly number[], shape: readonly number[] = [values.length]): Tensor {
  return { dataType: 'int64', shape, read: () => bytesOf(BigInt64Array.from(values, BigInt)) };
}

/** The values of a float32 tensor. The view may alias the tensor's own bytes: copy before writing. */
export function readFloats(tensor: Tensor): Float32Array {
  if (tensor.dataType !== 'float32') throw new TypeError(`Expected a float32 tensor, got ${tensor.dataType}`);
  const bytes = tensor.read();
  if (bytes.byteOffset % 4 === 0) return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  return new Float32Array(bytes.slice().buffer);
}

/** The same values in half precision. */
export function halves(tensor: Tensor): Tensor {
  return {
    dataType: 'float16',
    shape: tensor.shape,
    read: () => bytesOf(Uint16Array.from(readFloats(tensor), floatToHalf)),
  };
}
