import { CODE_BYTES } from '../core/binaryCode.js';
import { compileKernel } from '../simd/decodeKernel.js';
import { instantiateScan, type Scan, type ScanKernel } from '../hamming/scanKernels.js';
import { BLOCK_CODES, BLOCK_CODE_BYTES, BLOCK_LIVE_OFFSET, BLOCK_STRIDE } from '../hamming/scanState.js';
import type { CodeIndex, Nearest, NearestOrder, PositionRange } from './CodeIndex.js';
import { FasterWay, type ScanWay } from './FasterWay.js';
import { mergeNearest } from './mergeNearest.js';
import {
  CHUNK_BLOCKS,
  firstBlockAddress,
  MAX_QUERIES,
  MAX_THREADS,
  queryAddress,
  selectionAddress,
} from './scanMemory.js';
import { ScanThreads } from './ScanThreads.js';
import { MAX_KERNEL_K, Selection } from './Selection.js';

const PAGE = 65536;
const MOST_PAGES = 65536;
/** Memory is asked for 1 MiB at a time: about 16,000 codes. */
const GROWTH_PAGES = 16;
/** One thread scans fewer codes in less time than it takes to wake another: no threads are started for them. */
const LEAST_SHARED_CODES = 32768;
/** A scan of fewer blocks says little about the time a block takes. */
const LEAST_TIMED_BLOCKS = 64;

/** fromOthers: keys of what other threads found. */
function finish(selection: Selection, fromOthers: number[], k: number, order: NearestOrder): Nearest {
  if (fromOthers.length === 0) return selection.finish(order);
  selection.readKeys(selection.count, selection.bound, fromOthers);
  return mergeNearest(fromOthers, k, order);
}

export interface KernelCodeIndexOptions {
  readonly kernel: ScanKernel;
  /** All that scan, the owner included; more than 1 needs SharedArrayBuffer. */
  readonly threads: number;
}

/** Codes in WebAssembly memory, scanned by a SIMD kernel, by several threads where that is faster. */
export class KernelCodeIndex implements CodeIndex {
  readonly kernel: string;
  readonly threads: number;
  readonly #kernel: ScanKernel;
  readonly #memory: WebAssembly.Memory;
  readonly #module: WebAssembly.Module;
  readonly #scan: Scan;
  readonly #selections: readonly Selection[];
  readonly #firstBlock: number;
  /** Started when the codes are many enough; undefined before, and for one thread. */
  #scanThreads: ScanThreads | undefined;
  #bytes: Uint8Array;
  #length = 0;
  readonly #ways = new FasterWay();
  #threadsFrom: number | undefined;
  #threadsOfLastScan = 1;

  constructor({ kernel, threads }: KernelCodeIndexOptions) {
    if (!(threads >= 1 && threads <= MAX_THREADS))
      throw new RangeError(`Expected 1...${MAX_THREADS} scan threads, got ${threads}`);
    const shared = threads > 1;
    this.#kernel = kernel;
    this.kernel = kernel.name;
    this.threads = threads;
    this.#firstBlock = firstBlockAddress(threads);
    const initial = Math.ceil(this.#firstBlock / PAGE) + GROWTH_PAGES;
    this.#memory = new WebAssembly.Memory({ initial, maximum: MOST_PAGES, shared });
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#module = compileKernel(kernel.code, { shared });
    this.#scan = instantiateScan(this.#module, this.#memory);
    this.#selections = Array.from(
      { length: MAX_QUERIES },
      (_, query) => new Selection(this.#memory.buffer, selectionAddress(0, query)),
    );
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#memory.buffer.byteLength;
  }

  append(codes: Uint8Array, n: number): void {
    if (codes.length !== n * CODE_BYTES)
      throw new RangeError(`Expected ${n * CODE_BYTES} bytes for ${n} codes, got ${codes.length}`);
    this.#reserve(this.#length + n);
    for (let done = 0; done < n;) {
      const lane = this.#length % BLOCK_CODES;
      const block = this.#blockAddress(Math.floor(this.#length / BLOCK_CODES));
      const target = this.#bytes.subarray(block, block + BLOCK_CODE_BYTES);
      if (lane === 0 && n - done >= BLOCK_CODES) {
        this.#kernel.writeBlock(codes.subarray(done * CODE_BYTES, (done + BLOCK_CODES) * CODE_BYTES), target);
        this.#bytes.fill(0xff, block + BLOCK_LIVE_OFFSET, block + BLOCK_LIVE_OFFSET + BLOCK_CODES / 8);
        this.#length += BLOCK_CODES;
        done += BLOCK_CODES;
      } else {
        this.#kernel.writeCode(codes.subarray(done * CODE_BYTES, (done + 1) * CODE_BYTES), target, lane);
        this.#bytes[block + BLOCK_LIVE_OFFSET + (lane >>> 3)]! |= 1 << (lane & 7);
        this.#length++;
        done++;
      }
    }
    if (this.#length >= LEAST_SHARED_CODES) this.#startThreads();
  }

  remove(position: number): void {
    if (!(position >= 0 && position < this.#length))
      throw new RangeError(`Expected a position below ${this.#length}, got ${position}`);
    const lane = position % BLOCK_CODES;
    const live = this.#blockAddress(Math.floor(position / BLOCK_CODES)) + BLOCK_LIVE_OFFSET;
    this.#bytes[live + (lane >>> 3)]! &= ~(1 << (lane & 7));
  }

  nearest(
    queries: Uint8Array,
    n: number,
    k: number,
    ranges: readonly PositionRange[],
    order: NearestOrder = 'distance',
  ): Nearest[] {
    const results: Nearest[] = [];
    for (let from = 0; from < n; from += MAX_QUERIES) {
      const count = Math.min(MAX_QUERIES, n - from);
      const selections = this.#selections.slice(0, count);
      selections.forEach((selection, i) => {
        const code = queries.subarray((from + i) * CODE_BYTES, (from + i + 1) * CODE_BYTES);
        this.#kernel.writeQuery(code, this.#bytes.subarray(queryAddress(i), queryAddress(i) + this.#kernel.queryBytes));
        selection.start(k);
      });
      const fromOthers = selections.map((): number[] => []);
      for (const [start, end] of ranges) this.#scanRange(selections, k, start, end, fromOthers);
      selections.forEach((selection, i) => results.push(finish(selection, fromOthers[i]!, k, order)));
    }
    return results;
  }

  /** Positions [from, to): whole blocks by all threads, the ends by the owner with the other codes masked out. */
  #scanRange(selections: readonly Selection[], k: number, from: number, to: number, fromOthers: number[][]): void {
    let first = Math.floor(from / BLOCK_CODES);
    const last = Math.floor(to / BLOCK_CODES);
    const firstLane = from % BLOCK_CODES;
    // The block that is being filled has no codes past the end: it needs no mask.
    const lastLane = to === this.#length ? 0 : to % BLOCK_CODES;
    const end = to === this.#length ? Math.ceil(to / BLOCK_CODES) : last;
    if (firstLane > 0) {
      const sameBlock = first === last && lastLane > 0;
      this.#scanPart(selections, first, firstLane, sameBlock ? lastLane : BLOCK_CODES);
      if (sameBlock) return;
      first++;
    }
    if (first < end) this.#scanBlocks(selections, k, first, end, fromOthers);
    if (lastLane > 0) this.#scanPart(selections, last, 0, lastLane);
  }

  #scanBlocks(selections: readonly Selection[], k: number, from: number, to: number, fromOthers: number[][]): void {
    const blocks = (to - from) * selections.length;
    const way = k <= MAX_KERNEL_K ? this.#wayFor(blocks) : 'alone';
    const start = performance.now();
    if (way === 'shared') this.#threadsOfLastScan = this.#scanThreads!.scan(selections, k, from, to, fromOthers);
    else this.#scanAlone(selections, from, to);
    if (this.#scanThreads !== undefined && to - from >= LEAST_TIMED_BLOCKS)
      this.#ways.record(way, (performance.now() - start) / blocks);
  }

  #scanAlone(selections: readonly Selection[], from: number, to: number): void {
    this.#threadsOfLastScan = 1;
    // One query takes all blocks in one call; several share each chunk while it is in the cache.
    const chunk = selections.length === 1 ? to - from : CHUNK_BLOCKS;
    for (let block = from; block < to; block += chunk)
      selections.forEach((selection, query) =>
        selection.scan(this.#scan, this.#firstBlock, block, Math.min(chunk, to - block), queryAddress(query)),
      );
  }

  #startThreads(): void {
    if (this.threads > 1) this.#scanThreads ??= new ScanThreads(this.#module, this.#memory, this.#scan, this.threads);
  }

  #wayFor(blocks: number): ScanWay {
    if (this.#scanThreads?.allReady !== true) return 'alone';
    if (this.#threadsFrom !== undefined) return blocks * BLOCK_CODES >= this.#threadsFrom ? 'shared' : 'alone';
    const aloneMs = blocks * this.#ways.aloneBlockMs;
    return Number.isFinite(aloneMs) && this.#scanThreads.pay(aloneMs) ? this.#ways.choose() : 'alone';
  }

  /** Scans lanes [from, to) of one block: its live bits are narrowed for the while. No other thread is scanning. */
  #scanPart(selections: readonly Selection[], block: number, from: number, to: number): void {
    const address = this.#blockAddress(block) + BLOCK_LIVE_OFFSET;
    const live = this.#bytes.subarray(address, address + BLOCK_CODES / 8);
    const saved = live.slice();
    for (let lane = 0; lane < BLOCK_CODES; lane++)
      if (lane < from || lane >= to) live[lane >>> 3]! &= ~(1 << (lane & 7));
    selections.forEach((selection, query) =>
      selection.scan(this.#scan, this.#firstBlock, block, 1, queryAddress(query)),
    );
    live.set(saved);
  }

  #blockAddress(block: number): number {
    return this.#firstBlock + block * BLOCK_STRIDE;
  }

  /** Makes sure that the memory holds blocks for so many codes. Growing keeps the address: nothing is copied. */
  #reserve(length: number): void {
    const needed = this.#blockAddress(Math.ceil(length / BLOCK_CODES));
    if (needed <= this.#bytes.length) return;
    const pages = Math.max(GROWTH_PAGES, Math.ceil((needed - this.#bytes.length) / PAGE));
    this.#memory.grow(Math.min(pages, Math.max(1, MOST_PAGES - this.#bytes.length / PAGE)));
    this.#bytes = new Uint8Array(this.#memory.buffer);
    for (const selection of this.#selections) selection.rebind(this.#memory.buffer);
  }

  /** Starts the scan threads whatever the number of codes; resolves when they are there. */
  async startThreads(): Promise<void> {
    this.#startThreads();
    await this.ready();
  }

  async ready(): Promise<void> {
    await this.#scanThreads?.ready();
  }

  /** Replaces the measurement of when threads pay: scans of at least so many codes use them. */
  useThreadsFrom(codes: number): void {
    this.#threadsFrom = codes;
  }

  /** Threads that took part in the latest scan, the owner included. */
  get threadsOfLastScan(): number {
    return this.#threadsOfLastScan;
  }

  /** Chunks that the owner scanned again because their thread was suspended. */
  get rescuedChunks(): number {
    return this.#scanThreads?.rescued ?? 0;
  }

  async close(): Promise<void> {
    await this.#scanThreads?.close();
  }
}
