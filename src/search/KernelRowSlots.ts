import {
  INT8_MAX_DIMENSION,
  instantiateSimilarity,
  type Dot,
  type Pack,
  type SimilarityKernels,
} from '../hamming/similarityKernels.js';
import { BATCH_ROWS, paddedDimension, slotBytes, type RowSlots, type RowStorage } from './RowSlots.js';

const PAGE = 65536;
const MOST_PAGES = 65536;
const GROWTH_PAGES = 64;

/** Rows start at pages of the processor's: one of 2,048 floats touches two of them, not three. */
const SLOT_ALIGNMENT = 4096;

interface StorageKernels {
  readonly dot: Dot;
  /** Undefined: the row is copied as it is. */
  readonly packRow?: Pack;
  readonly packQuery?: Pack;
}

function kernelsOf(storage: RowStorage, kernels: SimilarityKernels): StorageKernels {
  switch (storage) {
    case 'f32':
      return { dot: kernels.dotF32 };
    case 'f16':
      return { dot: kernels.dotF16, packRow: kernels.packF16, packQuery: kernels.packF16Query };
    case 'int8':
      return { dot: kernels.dotInt8, packRow: kernels.packInt8, packQuery: kernels.packInt8Query };
  }
}

/** Rows in WebAssembly memory, compared by SIMD kernels. */
export class KernelRowSlots implements RowSlots {
  readonly capacity: number;
  readonly #dimension: number;
  readonly #values: number;
  readonly #slotBytes: number;
  readonly #memory: WebAssembly.Memory;
  readonly #kernels: StorageKernels;
  /** Addresses: packed query 0, then the list of row addresses, the results, one padded row, the staging room, the slots. */
  readonly #list: number;
  readonly #results: number;
  readonly #row: number;
  readonly #staging: number;
  readonly #firstSlot: number;
  /** Slots that have been written. */
  #used = 0;
  #bytes: Uint8Array;
  #floats: Float32Array;
  #words: Uint32Array;

  constructor(dimension: number, storage: RowStorage, capacity: number) {
    if (storage === 'int8' && dimension > INT8_MAX_DIMENSION)
      throw new RangeError(`Expected at most ${INT8_MAX_DIMENSION} values for int8 rows, got ${dimension}`);
    this.#dimension = dimension;
    this.#values = paddedDimension(dimension);
    this.#slotBytes = slotBytes(dimension, storage);
    this.#list = this.#values * 4;
    this.#results = this.#list + BATCH_ROWS * 4;
    this.#row = this.#results + BATCH_ROWS * 4;
    this.#staging = this.#row + this.#values * 4;
    this.#firstSlot = Math.ceil((this.#staging + BATCH_ROWS * dimension * 4) / SLOT_ALIGNMENT) * SLOT_ALIGNMENT;
    this.capacity = Math.min(capacity, Math.floor((MOST_PAGES * PAGE - this.#firstSlot) / this.#slotBytes));
    this.#memory = new WebAssembly.Memory({ initial: Math.ceil(this.#firstSlot / PAGE), maximum: MOST_PAGES });
    this.#kernels = kernelsOf(storage, instantiateSimilarity(this.#memory));
    [this.#bytes, this.#floats, this.#words] = this.#views();
  }

  get bytes(): number {
    return this.#used * this.#slotBytes;
  }

  staging(): Float32Array {
    return this.#floats.subarray(this.#staging / 4, this.#staging / 4 + BATCH_ROWS * this.#dimension);
  }

  write(slots: Uint32Array): void {
    for (const slot of slots) this.#used = Math.max(this.#used, slot + 1);
    this.#reserve(this.#used);
    const rowBytes = this.#dimension * 4;
    const { packRow } = this.#kernels;
    slots.forEach((slot, i) => {
      const from = this.#staging + i * rowBytes;
      const target = this.#firstSlot + slot * this.#slotBytes;
      // By way of the padded row, whose last values stay zero from the start; an unpacked slot's do, too.
      this.#bytes.copyWithin(packRow === undefined ? target : this.#row, from, from + rowBytes);
      packRow?.(this.#row, target, this.#values);
    });
  }

  similarities(query: Float32Array, slots: Uint32Array, out: Float32Array): void {
    // The kernels take 4 rows at once: the last one fills up; there is room for its results too.
    const n = Math.ceil(slots.length / 4) * 4;
    const [words, list, results] = [this.#words, this.#list / 4, this.#results / 4];
    for (let i = 0; i < n; i++)
      words[list + i] = this.#firstSlot + slots[Math.min(i, slots.length - 1)]! * this.#slotBytes;
    this.#floats.set(query, this.#row / 4);
    const { dot, packQuery } = this.#kernels;
    packQuery?.(this.#row, 0, this.#values);
    dot(packQuery === undefined ? this.#row : 0, this.#list, n, this.#values, this.#results);
    for (let i = 0; i < slots.length; i++) out[i] = this.#floats[results + i]!;
  }

  #views(): [Uint8Array, Float32Array, Uint32Array] {
    const { buffer } = this.#memory;
    return [new Uint8Array(buffer), new Float32Array(buffer), new Uint32Array(buffer)];
  }

  #reserve(slots: number): void {
    const needed = this.#firstSlot + slots * this.#slotBytes;
    if (needed <= this.#bytes.length) return;
    const pages = Math.max(GROWTH_PAGES, Math.ceil((needed - this.#bytes.length) / PAGE));
    this.#memory.grow(Math.min(pages, MOST_PAGES - this.#bytes.length / PAGE));
    [this.#bytes, this.#floats, this.#words] = this.#views();
  }
}
