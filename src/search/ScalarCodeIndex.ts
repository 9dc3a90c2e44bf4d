import { CODE_BYTES } from '../core/binaryCode.js';
import { CODE_WORDS, scalarHammingDistances, wordsOf } from '../hamming/scalarHamming.js';
import type { CodeIndex, Nearest, NearestOrder, PositionRange } from './CodeIndex.js';
import { NearestSelector } from './NearestSelector.js';

/** Codes a block: a block is the unit of growth, so that no append ever copies what is there. */
const BLOCK_CODES = 8192;

/** The scalar floor: plain JavaScript, for engines without WebAssembly SIMD; same answers as every kernel. */
export class ScalarCodeIndex implements CodeIndex {
  readonly kernel = 'scalar';
  readonly threads = 1;
  readonly #blocks: Uint32Array[] = [];
  readonly #dead: Uint8Array[] = [];
  readonly #distances = new Uint16Array(BLOCK_CODES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#blocks.length * BLOCK_CODES * (CODE_BYTES + 1);
  }

  append(codes: Uint8Array, n: number): void {
    if (codes.length !== n * CODE_BYTES)
      throw new RangeError(`Expected ${n * CODE_BYTES} bytes for ${n} codes, got ${codes.length}`);
    const words = wordsOf(codes);
    for (let done = 0; done < n;) {
      const inBlock = this.#length % BLOCK_CODES;
      if (inBlock === 0) {
        this.#blocks.push(new Uint32Array(BLOCK_CODES * CODE_WORDS));
        this.#dead.push(new Uint8Array(BLOCK_CODES));
      }
      const take = Math.min(n - done, BLOCK_CODES - inBlock);
      this.#blocks.at(-1)!.set(words.subarray(done * CODE_WORDS, (done + take) * CODE_WORDS), inBlock * CODE_WORDS);
      this.#length += take;
      done += take;
    }
  }

  remove(position: number): void {
    if (!(position >= 0 && position < this.#length))
      throw new RangeError(`Expected a position below ${this.#length}, got ${position}`);
    this.#dead[Math.floor(position / BLOCK_CODES)]![position % BLOCK_CODES] = 1;
  }

  nearest(
    queries: Uint8Array,
    n: number,
    k: number,
    ranges: readonly PositionRange[],
    order: NearestOrder = 'distance',
  ): Nearest[] {
    const results: Nearest[] = [];
    for (let query = 0; query < n; query++) {
      const words = wordsOf(queries.subarray(query * CODE_BYTES, (query + 1) * CODE_BYTES));
      const selector = new NearestSelector(k);
      for (const [from, to] of ranges) this.#scan(words, from, to, selector);
      results.push(selector.finish(order));
    }
    return results;
  }

  #scan(query: Uint32Array, from: number, to: number, selector: NearestSelector): void {
    for (let start = from; start < to;) {
      const block = Math.floor(start / BLOCK_CODES);
      const first = start % BLOCK_CODES;
      const count = Math.min(to - start, BLOCK_CODES - first);
      const codes = this.#blocks[block]!.subarray(first * CODE_WORDS, (first + count) * CODE_WORDS);
      const dead = this.#dead[block]!;
      scalarHammingDistances(query, codes, count, this.#distances);
      for (let i = 0; i < count; i++) {
        const distance = this.#distances[i]!;
        if (distance < selector.bound && dead[first + i] === 0) selector.push(start + i, distance);
      }
      start += count;
    }
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#blocks.length = 0;
    this.#dead.length = 0;
    this.#length = 0;
    return Promise.resolve();
  }
}
