import { VprError } from '../../core/VprError.js';
import type { ByteSource } from './ByteSource.js';
import { ELEMENT_BYTES, type CheckpointTensor, type ElementType } from './Checkpoint.js';
import { decodeFloats, expectFinite } from './floatElements.js';

/** Axes that any network of this trade has, with room. */
export const MAX_AXES = 8;

/** Where a storage lies in the file. */
export interface Storage {
  readonly source: ByteSource;
  readonly offsetBytes: number;
  readonly elements: number;
  readonly elementType: ElementType;
}

/** Product of sizes, or undefined where it is no safe integer. */
export function safeProduct(sizes: readonly number[]): number | undefined {
  let product = 1;
  for (const size of sizes) {
    product *= size;
    if (!Number.isSafeInteger(product)) return undefined;
  }
  return product;
}

/**
 * A view of a storage, as PyTorch keeps tensors: several may share one, and transposed ones are saved as they are. All
 * indices are proven to lie in the storage before anything is read.
 */
export class StridedTensor implements CheckpointTensor {
  readonly elementType: ElementType;
  readonly shape: readonly number[];
  readonly #storage: Storage;
  readonly #offset: number;
  readonly #strides: readonly number[];
  readonly #count: number;
  readonly #where: string;

  /** offset and strides in elements. Throws CHECKPOINT_INVALID for a view that leaves its storage or repeats elements. */
  constructor(
    storage: Storage,
    shape: readonly number[],
    options: { readonly offset?: number; readonly strides?: readonly number[]; readonly where: string },
  ) {
    const { offset = 0, where } = options;
    const strides = options.strides ?? contiguousStrides(shape);
    const count = safeProduct(shape);
    const natural = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
    if (
      shape.length > MAX_AXES ||
      shape.length !== strides.length ||
      ![...shape, ...strides, offset].every(natural) ||
      count === undefined ||
      // A view with more elements than its storage repeats some: a few bytes could then ask for terabytes.
      count > storage.elements
    )
      throw new VprError(
        'CHECKPOINT_INVALID',
        `Expected a tensor of at most ${storage.elements} elements, got shape [${shape.join(', ')}], strides ` +
          `[${strides.join(', ')}], offset ${offset} [${where}]`,
      );
    const last = shape.reduce((index, size, axis) => index + (size - 1) * strides[axis]!, offset);
    if (count > 0 && !(last < storage.elements))
      throw new VprError(
        'CHECKPOINT_INVALID',
        `Expected indices below ${storage.elements}, got ${last} for shape [${shape.join(', ')}] [${where}]`,
      );
    this.elementType = storage.elementType;
    this.shape = shape;
    this.#storage = storage;
    this.#offset = offset;
    this.#strides = strides;
    this.#count = count;
    this.#where = where;
  }

  readFloats(): Float32Array {
    const { source, offsetBytes, elementType } = this.#storage;
    if (this.#count === 0) return new Float32Array(0);
    const last = this.shape.reduce((index, size, axis) => index + (size - 1) * this.#strides[axis]!, this.#offset);
    const bytes = ELEMENT_BYTES[elementType];
    const raw = source.read(
      offsetBytes + this.#offset * bytes,
      (last - this.#offset + 1) * bytes,
      `tensor ${this.#where}`,
    );
    const span = decodeFloats(raw, elementType);
    const values = this.#isContiguous() ? span : this.#gather(span);
    expectFinite(values, this.#where);
    return values;
  }

  #isContiguous(): boolean {
    const expected = contiguousStrides(this.shape);
    // The stride of an axis of size 1 is never used, and PyTorch writes anything there.
    return this.shape.every((size, axis) => size === 1 || this.#strides[axis] === expected[axis]);
  }

  /** Row-major copy. span[0] is the element at #offset. */
  #gather(span: Float32Array): Float32Array {
    const out = new Float32Array(this.#count);
    const index = this.shape.map(() => 0);
    let from = 0;
    for (let i = 0; i < out.length; i++) {
      out[i] = span[from]!;
      for (let axis = index.length - 1; axis >= 0; axis--) {
        from += this.#strides[axis]!;
        if (++index[axis]! < this.shape[axis]!) break;
        from -= this.#strides[axis]! * this.shape[axis]!;
        index[axis] = 0;
      }
    }
    return out;
  }
}

export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--)
    strides[axis] = strides[axis + 1]! * Math.max(1, shape[axis + 1]!);
  return strides;
}
