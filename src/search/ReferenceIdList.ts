import type { ReferenceId } from '../core/reference.js';
import type { PositionRange } from './CodeIndex.js';

const CHUNK_BITS = 16;
const CHUNK = 1 << CHUNK_BITS;

/** Ascending reference ids by position; grows by chunks, so that an append never copies the list. 4 bytes an id. */
export class ReferenceIdList {
  readonly #chunks: Uint32Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#chunks.length * CHUNK * 4;
  }

  at(position: number): ReferenceId {
    return this.#chunks[position >>> CHUNK_BITS]![position & (CHUNK - 1)]!;
  }

  /** Throws RangeError unless the id is a u32 above all others. */
  push(id: ReferenceId): void {
    if (!Number.isInteger(id) || id < 1 || id > 0xffffffff)
      throw new RangeError(`Expected a reference id of 1...2^32-1, got ${id}`);
    if (this.#length > 0 && id <= this.at(this.#length - 1))
      throw new RangeError(`Expected a reference id above ${this.at(this.#length - 1)}, got ${id}`);
    this.#append(id);
  }

  /** Appends all or nothing. */
  pushAll(ids: Uint32Array): void {
    let before = this.#length === 0 ? 0 : this.at(this.#length - 1);
    for (const id of ids) {
      if (id <= before) throw new RangeError(`Expected ascending reference ids, got ${id} after ${before}`);
      before = id;
    }
    for (const id of ids) this.#append(id);
  }

  #append(id: ReferenceId): void {
    if ((this.#length & (CHUNK - 1)) === 0) this.#chunks.push(new Uint32Array(CHUNK));
    this.#chunks.at(-1)![this.#length & (CHUNK - 1)] = id;
    this.#length++;
  }

  /** Position of the first id >= the given one; length when there is none. */
  lowerBound(id: ReferenceId): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.at(middle) < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** What is left of all positions without inclusive, ascending, disjoint id ranges. */
  rangesWithout(excluded: readonly (readonly [ReferenceId, ReferenceId])[]): PositionRange[] {
    const ranges: PositionRange[] = [];
    let from = 0;
    let before = 0;
    for (const [first, last] of excluded) {
      if (!(first > before && last >= first))
        throw new RangeError(`Expected ascending, disjoint id ranges, got [${first}, ${last}] after ${before}`);
      before = last;
      const to = this.lowerBound(first);
      if (to > from) ranges.push([from, to]);
      from = this.lowerBound(last + 1);
    }
    if (from < this.#length) ranges.push([from, this.#length]);
    return ranges;
  }
}
