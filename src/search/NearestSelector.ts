import { CODE_BITS } from '../core/binaryCode.js';
import type { Nearest, NearestOrder } from './CodeIndex.js';

/**
 * The k smallest distances of a stream that comes in ascending position, without sorting it: a histogram of what was
 * taken gives the running bound. A later code of a distance equal to the bound has a higher position, so it never
 * displaces an earlier one: `distance < bound` is the whole test.
 */
export class NearestSelector {
  readonly #k: number;
  readonly #histogram = new Uint32Array(CODE_BITS + 2);
  #positions: Uint32Array;
  #distances: Uint16Array;
  #count = 0;
  /** Taken codes with a distance below #bound. */
  #below = 0;
  #bound = CODE_BITS + 1;

  constructor(k: number) {
    this.#k = k;
    const capacity = Math.max(4 * k, 1024);
    this.#positions = new Uint32Array(capacity);
    this.#distances = new Uint16Array(capacity);
  }

  /** Only distances below this can still enter. */
  get bound(): number {
    return this.#bound;
  }

  /** Takes a code; the caller has checked that distance < bound. */
  push(position: number, distance: number): void {
    if (this.#count === this.#positions.length) this.#compact();
    this.#positions[this.#count] = position;
    this.#distances[this.#count++] = distance;
    this.#histogram[distance]!++;
    this.#below++;
    // The bound becomes the k-th smallest distance: fewer than k lie below it, at least k at or below it.
    while (this.#below >= this.#k) this.#below -= this.#histogram[--this.#bound]!;
  }

  /** Drops what can no longer be in the answer: leaves k codes, in their order. */
  #compact(): void {
    let atBound = this.#k - this.#below;
    let kept = 0;
    for (let i = 0; i < this.#count; i++) {
      const distance = this.#distances[i]!;
      if (distance > this.#bound || (distance === this.#bound && atBound-- <= 0)) continue;
      this.#positions[kept] = this.#positions[i]!;
      this.#distances[kept++] = distance;
    }
    this.#count = kept;
  }

  finish(order: NearestOrder = 'distance'): Nearest {
    this.#compact();
    if (order === 'position')
      return { positions: this.#positions.slice(0, this.#count), distances: this.#distances.slice(0, this.#count) };
    const starts = new Uint32Array(CODE_BITS + 2);
    for (let i = 0; i < this.#count; i++) starts[this.#distances[i]! + 1]!++;
    for (let d = 1; d < starts.length; d++) starts[d]! += starts[d - 1]!;
    const positions = new Uint32Array(this.#count);
    const distances = new Uint16Array(this.#count);
    for (let i = 0; i < this.#count; i++) {
      const at = starts[this.#distances[i]!]!++;
      positions[at] = this.#positions[i]!;
      distances[at] = this.#distances[i]!;
    }
    return { positions, distances };
  }
}
