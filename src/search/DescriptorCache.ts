import { LRUCache } from 'lru-cache';
import type { DescriptorStore } from './PlaceSearch.js';
import { BATCH_ROWS, type RowSlots } from './RowSlots.js';
import { SlotTable } from './SlotTable.js';

/** Float rows of the map in slots; the least recently used ones leave first, and with them their slots. */
export class DescriptorCache {
  readonly #store: DescriptorStore;
  readonly #slots: RowSlots;
  readonly #free: number[] = [];
  readonly #batchSlots = new Uint32Array(BATCH_ROWS);
  readonly #missing = new Uint32Array(BATCH_ROWS);
  #used = 0;
  readonly #table = new SlotTable();
  /** Slot by position, in the order of use. */
  readonly #order: LRUCache<number, number>;

  constructor(store: DescriptorStore, slots: RowSlots) {
    if (slots.capacity < BATCH_ROWS)
      throw new RangeError(`Expected at least ${BATCH_ROWS} slots for descriptors, got ${slots.capacity}`);
    this.#store = store;
    this.#slots = slots;
    // By size and not by `max`, for which lru-cache would allocate its lists at once: small rows make many slots.
    this.#order = new LRUCache({
      maxSize: slots.capacity,
      sizeCalculation: () => 1,
      dispose: (slot, position) => {
        this.#table.delete(position);
        this.#free.push(slot);
      },
    });
  }

  get bytes(): number {
    return this.#slots.bytes;
  }

  /** Dot products of the query with the rows at ascending positions, whose reference ids are `ids`; out: [ids.length]. */
  similarities(query: Float32Array, positions: Uint32Array, ids: Uint32Array, out: Float32Array): void {
    for (let from = 0; from < ids.length; from += BATCH_ROWS) {
      const to = Math.min(ids.length, from + BATCH_ROWS);
      const slots = this.#slotsOf(positions.subarray(from, to), ids.subarray(from, to));
      this.#slots.similarities(query, slots, out.subarray(from, to));
    }
  }

  forget(position: number): void {
    this.#order.delete(position);
  }

  /** Slots of the rows, fetching those that are not there in one batch; valid until the next call. */
  #slotsOf(positions: Uint32Array, ids: Uint32Array): Uint32Array {
    const slots = this.#batchSlots.subarray(0, positions.length);
    // While there is room for all of a batch no row has to leave, and the order of use does not matter yet: keeping it
    // costs more than comparing the rows. Then `get` marks a row as used, so that no row of this batch is evicted by its
    // own misses: the capacity holds a batch.
    const keepOrder = this.#free.length + this.#slots.capacity - this.#used < positions.length;
    let missing = 0;
    for (let i = 0; i < positions.length; i++) {
      const position = positions[i]!;
      const slot = this.#table.get(position);
      if (slot === undefined) this.#missing[missing++] = i;
      else {
        slots[i] = slot;
        if (keepOrder) this.#order.get(position);
      }
    }
    if (missing > 0) this.#fetch(positions, ids, slots, this.#missing.subarray(0, missing));
    return slots;
  }

  /** missing: indices into the batch. */
  #fetch(positions: Uint32Array, ids: Uint32Array, slots: Uint32Array, missing: Uint32Array): void {
    const wanted = missing.map((i) => ids[i]!);
    this.#store.readDescriptors(wanted, this.#slots.staging().subarray(0, wanted.length * this.#store.dimension));
    const taken = missing.map(() => this.#takeSlot());
    this.#slots.write(taken);
    taken.forEach((slot, i) => {
      const row = missing[i]!;
      slots[row] = slot;
      this.#table.set(positions[row]!, slot);
      this.#order.set(positions[row]!, slot);
    });
  }

  #takeSlot(): number {
    // Evicting frees a slot by way of `dispose`; slots already taken for this batch are not in the cache yet.
    if (this.#free.length === 0 && this.#used === this.#slots.capacity) this.#order.pop();
    return this.#free.pop() ?? this.#used++;
  }
}
