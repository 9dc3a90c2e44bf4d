import type { PlaceId, ReferenceId } from '../core/reference.js';

/** Place of each reference, in memory: 8 bytes a reference, answers in O(1) while ids have no gaps, else O(log n). */
export class PlaceIndex {
  #referenceIds = new Uint32Array(1024);
  #placeIds = new Uint32Array(1024);
  #size = 0;
  #placeCount: number | undefined = 0;

  get size(): number {
    return this.#size;
  }

  /** Places that have at least one reference. */
  get placeCount(): number {
    return (this.#placeCount ??= countDistinct(this.#placeIds.subarray(0, this.#size)));
  }

  /** 0 when empty. */
  get lastReferenceId(): ReferenceId {
    return this.#size === 0 ? 0 : this.#referenceIds[this.#size - 1]!;
  }

  /** [n], ascending; a view, valid until the next append. */
  get referenceIds(): Uint32Array {
    return this.#referenceIds.subarray(0, this.#size);
  }

  append(referenceIds: ArrayLike<number>, placeIds: ArrayLike<number>): void {
    const needed = this.#size + referenceIds.length;
    if (needed > this.#referenceIds.length) {
      const capacity = Math.max(needed, this.#referenceIds.length * 2);
      this.#referenceIds = grown(this.#referenceIds, capacity);
      this.#placeIds = grown(this.#placeIds, capacity);
    }
    this.#referenceIds.set(referenceIds, this.#size);
    this.#placeIds.set(placeIds, this.#size);
    this.#size = needed;
    this.#placeCount = undefined;
  }

  /** Place of a reference, or undefined where the map has no such reference. */
  placeOf(referenceId: ReferenceId): PlaceId | undefined {
    if (this.#size === 0) return undefined;
    const guess = referenceId - this.#referenceIds[0]!;
    if (guess >= 0 && guess < this.#size && this.#referenceIds[guess] === referenceId) return this.#placeIds[guess];
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#referenceIds[middle]! < referenceId) low = middle + 1;
      else high = middle;
    }
    return low < this.#size && this.#referenceIds[low] === referenceId ? this.#placeIds[low] : undefined;
  }
}

/** Counted when asked for, by sorting a copy: a set of a million ids would cost more than the index itself. */
function countDistinct(ids: Uint32Array): number {
  const sorted = ids.slice().sort();
  let count = 0;
  for (let i = 0; i < sorted.length; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) count++;
  return count;
}

function grown(values: Uint32Array, capacity: number): Uint32Array<ArrayBuffer> {
  const copy = new Uint32Array(capacity);
  copy.set(values);
  return copy;
}
