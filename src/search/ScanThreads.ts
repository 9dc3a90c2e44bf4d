import { Worker } from 'node:worker_threads';
import type { Scan } from '../hamming/scanKernels.js';
import { scanChunks } from './scanChunks.js';
import { CONTROL, CONTROL_BYTES, MAX_QUERIES, selectionAddress, type ScanWorkerData } from './scanMemory.js';
import { Selection } from './Selection.js';

/** Wake-ups measured before threads are used. */
const WAKE_TRIALS = 5;
/** Threads pay where the owner alone would need this many times the wake-up. */
const WAKES_TO_PAY = 4;
const SPINS = 2000;

/** Scan threads of an index on shared memory; the owner takes part in every job, so a thread that sleeps in costs nothing. */
export class ScanThreads {
  readonly #control: Int32Array;
  readonly #workers: Worker[];
  readonly #selections: Selection[][];
  readonly #threads: number;
  #wakeMs: number | undefined;
  #failed = false;

  /** threads: all that scan, the owner included; at least 2. */
  constructor(module: WebAssembly.Module, memory: WebAssembly.Memory, threads: number) {
    this.#threads = threads;
    this.#control = new Int32Array(memory.buffer, 0, CONTROL_BYTES / 4);
    this.#workers = Array.from({ length: threads - 1 }, (_, i) => {
      const data: ScanWorkerData = { module, memory, thread: i + 1, threads };
      const worker = new Worker(new URL('./scanWorker.js', import.meta.url), { workerData: data });
      worker.unref();
      // A thread that could not start never joins a job: the others do its share.
      worker.on('error', () => (this.#failed = true));
      return worker;
    });
    this.#selections = this.#workers.map((_, i) =>
      Array.from({ length: MAX_QUERIES }, (__, query) => new Selection(memory.buffer, selectionAddress(i + 1, query))),
    );
  }

  /** False until all have started, and for good when one of them could not. */
  get allReady(): boolean {
    return !this.#failed && Atomics.load(this.#control, CONTROL.ready) === this.#workers.length;
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
   * Scans blocks [from, to) with all threads. own: the owner's started selections. Returns the selections of the threads
   * that took part, per query.
   */
  scan(scan: Scan, own: readonly Selection[], k: number, from: number, to: number): Selection[][] {
    const generation = this.#open(from, to, own.length, k);
    scanChunks(this.#control, scan, own, this.#threads);
    this.#close();
    const joined = this.#selections.filter(
      (_, i) => Atomics.load(this.#control, CONTROL.joined + i + 1) === generation,
    );
    // Their list is theirs: tell this side's view how they selected.
    return own.map((_, query) => joined.map((selections) => selections[query]!.viewFor(k)));
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #open(from: number, to: number, queries: number, k: number): number {
    const control = this.#control;
    Atomics.store(control, CONTROL.next, from);
    Atomics.store(control, CONTROL.end, to);
    Atomics.store(control, CONTROL.queries, queries);
    Atomics.store(control, CONTROL.k, k);
    const generation = (Atomics.load(control, CONTROL.generation) + 1) & 0x7fffffff || 1;
    Atomics.store(control, CONTROL.open, generation);
    Atomics.store(control, CONTROL.generation, generation);
    Atomics.notify(control, CONTROL.generation);
    return generation;
  }

  #close(): void {
    const control = this.#control;
    Atomics.store(control, CONTROL.open, 0);
    // The others are within their last chunk: short enough to spin for, before the kernel is asked to wait.
    for (let spins = 0; spins < SPINS && Atomics.load(control, CONTROL.running) > 0; spins++);
    for (let running; (running = Atomics.load(control, CONTROL.running)) > 0;)
      Atomics.wait(control, CONTROL.running, running);
  }

  /** Median time from opening an empty job to the last thread's joining it. */
  #measureWake(): number {
    const trials = Array.from({ length: WAKE_TRIALS }, () => {
      const start = performance.now();
      const generation = this.#open(0, 0, 1, 1);
      const joined = (): boolean =>
        this.#workers.every((_, i) => Atomics.load(this.#control, CONTROL.joined + i + 1) === generation);
      while (!joined() && performance.now() - start < 5);
      const elapsed = performance.now() - start;
      this.#close();
      return elapsed;
    });
    return trials.sort((a, b) => a - b)[WAKE_TRIALS >> 1]!;
  }
}
