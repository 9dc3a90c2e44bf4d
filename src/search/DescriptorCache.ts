import { LRUCache } from 'lru-cache';
import type { DescriptorStore } from './PlaceSearch.js';
import { BATCH_ROWS, type RowSlots } from './RowSlots.js';

/** Float rows of the map in slots; the least recently used ones leave first, and with them their slots. */
export class DescriptorCache {
  readonly #store: DescriptorStore;
  readonly #slots: RowSlots;
  readonly #free: number[] = [];
  readonly #batchSlots = new Uint32Array(BATCH_ROWS);
  readonly #missing = new Uint32Array(BATCH_ROWS);
  #used = 0;
  readonly #slotById: LRUCache<number, number>;

  constructor(store: DescriptorStore, slots: RowSlots) {
    if (slots.capacity < BATCH_ROWS)
      throw new RangeError(`Expected at least ${BATCH_ROWS} slots for descriptors, got ${slots.capacity}`);
    this.#store = store;
    this.#slots = slots;
    // By size and not by `max`, for which lru-cache would allocate its lists at once: small rows make many slots.
    this.#slotById = new LRUCache({
      maxSize: slots.capacity,
      sizeCalculation: () => 1,
      dispose: (slot) => this.#free.push(slot),
    });
  }

  get bytes(): number {
    return this.#slots.bytes;
  }

  /** Dot products of the query with the rows of `ids` (ascending); out: [ids.length]. */
  similarities(query: Float32Array, ids: Uint32Array, out: Float32Array): void {
    for (let from = 0; from < ids.length; from += BATCH_ROWS) {
      const batch = ids.subarray(from, from + BATCH_ROWS);
      this.#slots.similarities(query, this.#slotsOf(batch), out.subarray(from, from + batch.length));
    }
  }

  forget(id: number): void {
    this.#slotById.delete(id);
  }

  /** Slots of the rows, fetching those that are not there in one batch; valid until the next call. */
  #slotsOf(batch: Uint32Array): Uint32Array {
    const slots = this.#batchSlots.subarray(0, batch.length);
    let missing = 0;
    // `get` marks a row as used, so that no row of this batch is evicted by its own misses: the capacity holds a batch.
    for (let i = 0; i < batch.length; i++) {
      const slot = this.#slotById.get(batch[i]!);
      if (slot === undefined) this.#missing[missing++] = i;
      else slots[i] = slot;
    }
    if (missing > 0) this.#fetch(batch, slots, this.#missing.subarray(0, missing));
    return slots;
  }

  /** missing: indices into the batch. */
  #fetch(batch: Uint32Array, slots: Uint32Array, missing: Uint32Array): void {
    const ids = missing.map((i) => batch[i]!);
    this.#store.readDescriptors(ids, this.#slots.staging().subarray(0, ids.length * this.#store.dimension));
    const taken = missing.map(() => this.#takeSlot());
    this.#slots.write(taken);
    taken.forEach((slot, i) => {
      slots[missing[i]!] = slot;
      this.#slotById.set(ids[i]!, slot);
    });
  }

  #takeSlot(): number {
    // Evicting frees a slot by way of `dispose`; slots already taken for this batch are not in the cache yet.
    if (this.#free.length === 0 && this.#used === this.#slots.capacity) this.#slotById.pop();
    return this.#free.pop() ?? this.#used++;
  }
}
