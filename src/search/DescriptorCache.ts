import { LRUCache } from 'lru-cache';
import { scalarDotProduct } from './dotProducts.js';
import type { DescriptorStore } from './PlaceSearch.js';

/** Rows fetched and compared at a time; a budget below this many rows is raised to it. */
export const BATCH_ROWS = 128;

/** Float rows of the map in slots, the least recently used ones leave first. */
export class DescriptorCache {
  readonly #store: DescriptorStore;
  /** D rounded up to whole steps of the kernel. */
  readonly #stride: number;
  readonly #slots: Float32Array[] = [];
  readonly #free: number[] = [];
  readonly #rows: LRUCache<number, number>;
  readonly #staging: Float32Array;
  readonly #query: Float32Array;

  constructor(store: DescriptorStore, cacheBytes: number) {
    this.#store = store;
    this.#stride = Math.ceil(store.dimension / 16) * 16;
    const max = Math.max(BATCH_ROWS, Math.floor(cacheBytes / (this.#stride * 4)));
    this.#rows = new LRUCache({ max, dispose: (slot) => this.#free.push(slot) });
    this.#staging = new Float32Array(BATCH_ROWS * store.dimension);
    this.#query = new Float32Array(this.#stride);
  }

  get bytes(): number {
    return this.#slots.length * this.#stride * 4;
  }

  /** Dot products of the query with the rows of `ids` (ascending); out: [ids.length]. */
  similarities(query: Float32Array, ids: Uint32Array, out: Float32Array): void {
    if (query.length !== this.#store.dimension)
      throw new RangeError(`Expected a descriptor of ${this.#store.dimension} values, got ${query.length}`);
    this.#query.set(query);
    for (let from = 0; from < ids.length; from += BATCH_ROWS) {
      const batch = ids.subarray(from, from + BATCH_ROWS);
      this.#fetch(batch);
      batch.forEach((id, i) => {
        out[from + i] = scalarDotProduct(this.#query, 0, this.#slots[this.#rows.get(id)!]!, 0, this.#stride);
      });
    }
  }

  forget(id: number): void {
    this.#rows.delete(id);
  }

  clear(): void {
    this.#rows.clear();
    this.#slots.length = 0;
    this.#free.length = 0;
  }

  #fetch(batch: Uint32Array): void {
    // `get` marks rows as used, so that none of this batch is evicted by its own misses: the budget holds a batch.
    const missing = batch.filter((id) => this.#rows.get(id) === undefined);
    if (missing.length === 0) return;
    const dimension = this.#store.dimension;
    const staging = this.#staging.subarray(0, missing.length * dimension);
    this.#store.readDescriptors(missing, staging);
    missing.forEach((id, i) => {
      if (this.#rows.size === this.#rows.max) this.#rows.pop();
      const slot = this.#free.pop() ?? this.#slots.push(new Float32Array(this.#stride)) - 1;
      this.#slots[slot]!.set(staging.subarray(i * dimension, (i + 1) * dimension));
      this.#rows.set(id, slot);
    });
  }
}
