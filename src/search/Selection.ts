import { CODE_BITS } from '../core/binaryCode.js';
import type { Scan } from '../hamming/scanKernels.js';
import { BLOCK_CODES, BLOCK_STRIDE, stateBytes, STATE } from '../hamming/scanState.js';
import type { Nearest, NearestOrder } from './CodeIndex.js';
import { keyOf } from './mergeNearest.js';
import { NearestSelector } from './NearestSelector.js';

/** Entries of the candidate list of a state. */
const CAPACITY = 4096;
/** Up to this k the kernel lowers the bound itself; above it hands all candidates on. */
export const MAX_KERNEL_K = 1024;
const NEVER = 0xffffffff;
const FIRST_CANDIDATE = STATE.candidates / 4;
/** Of one `finish`: the place of the next candidate of each distance. */
const places = new Uint32Array(CODE_BITS + 2);

/** Bytes of one selection's state. */
export const SELECTION_BYTES = Math.ceil(stateBytes(CAPACITY) / 64) * 64;

/** One query's running selection in a kernel's memory: starts it, scans into it, makes room in it, reads it out. */
export class Selection {
  readonly #address: number;
  #words: Uint32Array;
  #k = 1;
  /** Only for k above MAX_KERNEL_K. */
  #selector: NearestSelector | undefined;

  constructor(buffer: ArrayBuffer, address: number) {
    this.#address = address;
    this.#words = new Uint32Array(buffer, address, SELECTION_BYTES / 4);
  }

  /** To be called when a memory that is not shared has grown. */
  rebind(buffer: ArrayBuffer): void {
    this.#words = new Uint32Array(buffer, this.#address, SELECTION_BYTES / 4);
  }

  start(k: number): void {
    this.#k = k;
    this.#selector = k > MAX_KERNEL_K ? new NearestSelector(k) : undefined;
    const words = this.#words;
    words[STATE.k / 4] = this.#selector === undefined ? k : NEVER;
    words[STATE.bound / 4] = CODE_BITS + 1;
    words[STATE.below / 4] = 0;
    words[STATE.count / 4] = 0;
    words[STATE.capacity / 4] = CAPACITY;
    words.fill(0, STATE.histogram / 4, STATE.histogram / 4 + CODE_BITS + 2);
  }

  /** Candidates in the list. */
  get count(): number {
    return this.#words[STATE.count / 4]!;
  }

  /** The k-th smallest distance so far: none that is farther is among the k nearest. */
  get bound(): number {
    return this.#words[STATE.bound / 4]!;
  }

  /** Whether so many codes can be scanned without `compact`. */
  hasRoomFor(codes: number): boolean {
    return this.count + codes + BLOCK_CODES <= CAPACITY;
  }

  /** Scans whole blocks, in ascending position over all calls since `start`. */
  scan(scan: Scan, firstBlockAddress: number, block: number, blocks: number, query: number): void {
    for (let left = blocks; left > 0;) {
      const at = block + blocks - left;
      left = scan(firstBlockAddress + at * BLOCK_STRIDE, left, query, this.#address, at * BLOCK_CODES);
      if (left > 0) this.compact();
    }
  }

  /** Adds the first `count` candidates that are not farther than `bound` to `keys`; k at most MAX_KERNEL_K. */
  readKeys(count: number, bound: number, keys: number[]): void {
    const words = this.#words;
    for (let at = FIRST_CANDIDATE; at < FIRST_CANDIDATE + 2 * count; at += 2)
      if (words[at + 1]! <= bound) keys.push(keyOf(words[at]!, words[at + 1]!));
  }

  /** The k nearest. */
  finish(order: NearestOrder): Nearest {
    if (this.#selector !== undefined) {
      this.compact();
      return this.#selector.finish(order);
    }
    return order === 'position' ? this.#byPosition() : this.#byDistance();
  }

  #byPosition(): Nearest {
    this.compact();
    const words = this.#words;
    const count = words[STATE.count / 4]!;
    const positions = new Uint32Array(count);
    const distances = new Uint16Array(count);
    for (let i = 0, at = FIRST_CANDIDATE; i < count; i++, at += 2) {
      positions[i] = words[at]!;
      distances[i] = words[at + 1]!;
    }
    return { positions, distances };
  }

  #byDistance(): Nearest {
    // A counting sort: the histogram holds, below the bound, the taken codes of each distance.
    const words = this.#words;
    const bound = words[STATE.bound / 4]!;
    const below = words[STATE.below / 4]!;
    const end = FIRST_CANDIDATE + 2 * words[STATE.count / 4]!;
    for (let distance = 0, start = 0; distance < bound; distance++) {
      places[distance] = start;
      start += words[STATE.histogram / 4 + distance]!;
    }
    const atBound = bound <= CODE_BITS ? words[STATE.histogram / 4 + bound]! : 0;
    const count = Math.min(this.#k, below + atBound);
    places[bound] = below;
    const positions = new Uint32Array(count);
    const distances = new Uint16Array(count);
    for (let at = FIRST_CANDIDATE; at < end; at += 2) {
      const distance = words[at + 1]!;
      if (distance > bound) continue;
      // Ascending positions fill the places of a distance in order; those past k are the highest ones at the bound.
      const place = places[distance]!++;
      if (place >= count) continue;
      positions[place] = words[at]!;
      distances[place] = distance;
    }
    return { positions, distances };
  }

  /** Drops what can no longer be in the answer: at most k candidates stay in the list, in their order. */
  compact(): void {
    const words = this.#words;
    const count = words[STATE.count / 4]!;
    const first = FIRST_CANDIDATE;
    if (this.#selector !== undefined) {
      for (let at = first; at < first + 2 * count; at += 2)
        if (words[at + 1]! < this.#selector.bound) this.#selector.push(words[at]!, words[at + 1]!);
      words[STATE.count / 4] = 0;
      words[STATE.bound / 4] = this.#selector.bound;
      return;
    }
    const bound = words[STATE.bound / 4]!;
    let atBound = this.#k - words[STATE.below / 4]!;
    let kept = first;
    for (let at = first; at < first + 2 * count; at += 2) {
      const distance = words[at + 1]!;
      if (distance > bound || (distance === bound && atBound-- <= 0)) continue;
      words[kept] = words[at]!;
      words[kept + 1] = distance;
      kept += 2;
    }
    words[STATE.count / 4] = (kept - first) / 2;
  }
}
