import { Worker } from 'node:worker_threads';
import type { Scan } from '../hamming/scanKernels.js';
import { ScanChunks } from './ScanChunks.js';
import {
  CONTROL_BYTES,
  JOB,
  MAX_QUERIES,
  selectionAddress,
  TAGS,
  tagOf,
  THREAD,
  threadWord,
  ticketOf,
  type ScanWorkerData,
} from './scanMemory.js';
import { Selection } from './Selection.js';

/** Wake-ups measured before threads are used, so far apart that each finds the threads asleep. */
const WAKE_TRIALS = 5;
const WAKE_PAUSE_MS = 0.5;
/** Threads are tried where the owner alone would need this many times the wake-up; whether they pay is seen then. */
const WAKES_TO_PAY = 2;
/** A thread that needs so many times the owner's time for a chunk is taken for suspended. */
const PATIENCE = 2;

/**
 * Scan threads of an index on shared memory. The owner takes part in every job and does not wait for another thread to
 * be scheduled: one that sleeps in costs nothing, and a chunk whose thread is suspended is scanned again. Only a thread
 * that is suspended while it compacts its list is waited for.
 */
export class ScanThreads {
  readonly #control: Int32Array;
  readonly #chunks: ScanChunks;
  readonly #workers: Worker[];
  /** Of each scan thread, by query. */
  readonly #selections: Selection[][];
  /** The owner's, for chunks that others left behind. */
  readonly #spare: Selection[];
  #wakeMs: number | undefined;
  #failed = false;
  #rescued = 0;

  /** threads: all that scan, the owner included; at least 2. */
  constructor(module: WebAssembly.Module, memory: WebAssembly.Memory, scan: Scan, threads: number) {
    this.#control = new Int32Array(memory.buffer, 0, CONTROL_BYTES / 4);
    this.#chunks = new ScanChunks(this.#control, scan, threads);
    const selectionsOf = (thread: number): Selection[] =>
      Array.from({ length: MAX_QUERIES }, (_, query) => new Selection(memory.buffer, selectionAddress(thread, query)));
    this.#workers = Array.from({ length: threads - 1 }, (_, i) => {
      const data: ScanWorkerData = { module, memory, thread: i + 1, threads };
      const worker = new Worker(new URL('./scanWorker.js', import.meta.url), { workerData: data });
      worker.unref();
      // A thread that could not start never joins a job: the others do its share.
      worker.on('error', () => (this.#failed = true));
      return worker;
    });
    this.#selections = this.#workers.map((_, i) => selectionsOf(i + 1));
    this.#spare = selectionsOf(threads);
  }

  /** False until all have started, and for good when one of them could not. */
  get allReady(): boolean {
    return !this.#failed && Atomics.load(this.#control, JOB.ready) === this.#workers.length;
  }

  /** Chunks that were scanned again so far. */
  get rescued(): number {
    return this.#rescued;
  }

  async ready(): Promise<void> {
    while (!this.allReady && !this.#failed) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  /** Whether all threads together would finish sooner than the owner alone, who needs so long. */
  pay(aloneMs: number): boolean {
    this.#wakeMs ??= this.#measureWake();
    return aloneMs > WAKES_TO_PAY * this.#wakeMs;
  }

  /**
   * Scans blocks [from, to) with all threads. own: the owner's started selections, one a query. Adds the keys (see
   * Selection.readKeys) of what others found to `keys`, per query. Returns how many threads took part.
   */
  scan(own: readonly Selection[], k: number, from: number, to: number, keys: readonly number[][]): number {
    const job = this.#open(from, to, own.length, k);
    const start = performance.now();
    let chunks = 0;
    for (let ticket; (ticket = this.#chunks.next(job % TAGS)) !== undefined;)
      if (this.#chunks.take(ticket)) {
        this.#chunks.scan(ticket, own);
        chunks++;
      }
    const chunkMs = (performance.now() - start) / Math.max(1, chunks);
    this.#rescue(job % TAGS, k, own.length, PATIENCE * chunkMs, keys);
    let threads = 1;
    this.#selections.forEach((selections, i) => {
      const words = threadWord(i + 1);
      if (Atomics.load(this.#control, words + THREAD.job) !== job) return;
      threads++;
      // What is farther than the owner's own k-th nearest is not among the k nearest of all.
      own.forEach(({ bound }, query) => this.#read(words, selections[query]!, query, bound, keys[query]!));
    });
    return threads;
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #open(from: number, to: number, queries: number, k: number): number {
    const control = this.#control;
    let job = Atomics.load(control, JOB.number);
    // Not the tag of a job that a suspended thread is still at.
    do job = (job + 1) & 0x7fffffff || 1;
    while (this.#workers.some((_, i) => tagOf(this.#intentOf(i + 1)) === job % TAGS));
    Atomics.store(control, JOB.from, from);
    Atomics.store(control, JOB.end, to);
    Atomics.store(control, JOB.queries, queries);
    Atomics.store(control, JOB.k, k);
    Atomics.store(control, JOB.ticket, ticketOf(job % TAGS, 0));
    Atomics.store(control, JOB.number, job);
    Atomics.notify(control, JOB.number);
    return job;
  }

  #intentOf(thread: number): number {
    return Atomics.load(this.#control, threadWord(thread) + THREAD.intent);
  }

  /** All chunks are taken: gives those that are still in work a little time, then scans them again. */
  #rescue(tag: number, k: number, queries: number, patienceMs: number, keys: readonly number[][]): void {
    const until = performance.now() + patienceMs;
    const inWork = (): number[] =>
      this.#workers.map((_, i) => this.#intentOf(i + 1)).filter((ticket) => tagOf(ticket) === tag);
    let left = inWork();
    while (left.length > 0 && performance.now() < until) left = inWork();
    if (left.length === 0) return;
    this.#rescued += left.length;
    const spare = this.#spare.slice(0, queries);
    for (const selection of spare) selection.start(k);
    // In ascending position, as a selection wants it. What its thread finds there, too, is the same key twice.
    for (const ticket of left.sort((a, b) => a - b)) this.#chunks.scan(ticket, spare);
    spare.forEach((selection, query) => selection.readKeys(selection.count, selection.bound, keys[query]!));
  }

  /** A thread's list for one query, which the thread may be changing. */
  #read(words: number, selection: Selection, query: number, bound: number, keys: number[]): void {
    const before = keys.length;
    for (;;) {
      const sequence = Atomics.load(this.#control, words + THREAD.sequence);
      if (sequence % 2 === 0) {
        selection.readKeys(Atomics.load(this.#control, words + THREAD.counts + query), bound, keys);
        if (Atomics.load(this.#control, words + THREAD.sequence) === sequence) return;
        keys.length = before;
      } else Atomics.wait(this.#control, words + THREAD.sequence, sequence, 1);
    }
  }

  /** Shortest time from opening an empty job to the last thread's waking up for it. */
  #measureWake(): number {
    const waitUntil = (done: () => boolean, mostMs: number): number => {
      const start = performance.now();
      while (!done() && performance.now() - start < mostMs);
      return performance.now() - start;
    };
    const trials = Array.from({ length: WAKE_TRIALS }, () => {
      waitUntil(() => false, WAKE_PAUSE_MS);
      const job = this.#open(0, 0, 1, 1);
      return waitUntil(
        () => this.#workers.every((_, i) => Atomics.load(this.#control, threadWord(i + 1) + THREAD.seen) === job),
        5,
      );
    });
    return Math.min(...trials);
  }
}
