import { quantizeQuery } from '../hamming/scalarSimilarity.js';
import {
  F16_QUERY_FACTOR,
  INT8_MAX_DIMENSION,
  instantiateSimilarity,
  type SimilarityKernels,
} from '../hamming/similarityKernels.js';
import { BATCH_ROWS, paddedDimension, slotBytes, type RowSlots, type RowStorage } from './RowSlots.js';

const PAGE = 65536;
const MOST_PAGES = 65536;
const GROWTH_PAGES = 64;

/** Rows in WebAssembly memory, compared by SIMD kernels. */
export class KernelRowSlots implements RowSlots {
  readonly capacity: number;
  readonly #dimension: number;
  readonly #values: number;
  readonly #storage: RowStorage;
  readonly #slotBytes: number;
  readonly #memory: WebAssembly.Memory;
  readonly #kernels: SimilarityKernels;
  /** Addresses: query 0, then the list of row addresses, the results, one padded row, the staging room, the slots. */
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
    this.#storage = storage;
    this.#slotBytes = slotBytes(dimension, storage);
    this.#list = this.#values * 4;
    this.#results = this.#list + BATCH_ROWS * 4;
    this.#row = this.#results + BATCH_ROWS * 4;
    this.#staging = this.#row + this.#values * 4;
    this.#firstSlot = Math.ceil((this.#staging + BATCH_ROWS * dimension * 4) / 64) * 64;
    this.capacity = Math.min(capacity, Math.floor((MOST_PAGES * PAGE - this.#firstSlot) / this.#slotBytes));
    this.#memory = new WebAssembly.Memory({ initial: Math.ceil(this.#firstSlot / PAGE), maximum: MOST_PAGES });
    this.#kernels = instantiateSimilarity(this.#memory);
    [this.#bytes, this.#floats, this.#words] = this.#views();
  }

  get bytes(): number {
    return this.#used * this.#slotBytes;
  }

  staging(): Float32Array {
    return this.#floats.subarray(this.#staging / 4, this.#staging / 4 + BATCH_ROWS * this.#dimension);
  }

  write(slots: readonly number[]): void {
    this.#used = slots.reduce((used, slot) => Math.max(used, slot + 1), this.#used);
    this.#reserve(this.#used);
    const rowBytes = this.#dimension * 4;
    slots.forEach((slot, i) => {
      const from = this.#staging + i * rowBytes;
      const target = this.#firstSlot + slot * this.#slotBytes;
      if (this.#storage === 'f32') {
        this.#bytes.copyWithin(target, from, from + rowBytes);
        return;
      }
      // The padded row: its last values stay zero from the start.
      this.#bytes.copyWithin(this.#row, from, from + rowBytes);
      if (this.#storage === 'f16') this.#kernels.packF16(this.#row, target, this.#values);
      else this.#kernels.packInt8(this.#row, target, this.#values);
    });
  }

  similarities(query: Float32Array, slots: readonly number[], out: Float32Array): void {
    // The kernels take 4 rows at once: the last one fills up; there is room for its results too.
    const n = Math.ceil(slots.length / 4) * 4;
    for (let i = 0; i < n; i++)
      this.#words[this.#list / 4 + i] = this.#firstSlot + slots[Math.min(i, slots.length - 1)]! * this.#slotBytes;
    if (this.#storage === 'f32') {
      this.#floats.set(query);
      this.#kernels.dotF32(0, this.#list, n, this.#values, this.#results);
    } else if (this.#storage === 'f16') {
      for (let i = 0; i < query.length; i++) this.#floats[i] = query[i]! * F16_QUERY_FACTOR;
      this.#kernels.dotF16(0, this.#list, n, this.#values, this.#results);
    } else {
      const scale = quantizeQuery(query, new Int16Array(this.#memory.buffer, 0, query.length));
      this.#kernels.dotInt8(0, this.#list, n, this.#values, this.#results, scale);
    }
    for (let i = 0; i < slots.length; i++) out[i] = this.#floats[this.#results / 4 + i]!;
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
