import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { McapChunk } from './mcapRecords.js';
import { unpackChunk } from './unpackChunk.js';

/** What a thread says of a chunk: its records, or what is wrong with it. */
export type UnpackAnswer = { readonly records: Uint8Array } | { readonly sentence: string };

interface Job {
  readonly resolve: (records: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/** More threads than this are not fed by one reader. */
const MOST_THREADS = 4;

let shared: UnpackThreads | undefined;

/** Threads that unpack chunks beside the thread that reads them. */
export class UnpackThreads {
  /**
   * The threads of this process, started when first asked for. They are kept for the next file, since a start takes as
   * long as unpacking some thirty megabytes; waiting, they keep no process alive.
   */
  static shared(): UnpackThreads {
    return shared === undefined || shared.#ended ? (shared = new UnpackThreads()) : shared;
  }

  readonly count = Math.min(MOST_THREADS, availableParallelism());
  readonly #threads: { readonly worker: Worker; readonly jobs: Job[] }[];
  #next = 0;
  /** One of the threads has. */
  #ended = false;

  constructor(script = new URL('./unpackWorker.js', import.meta.url)) {
    this.#threads = Array.from({ length: this.count }, () => {
      const worker = new Worker(script);
      worker.unref();
      const jobs: Job[] = [];
      worker.on('message', (answer: UnpackAnswer) => {
        // Answers come in the order of the questions.
        const job = jobs.shift()!;
        if ('records' in answer) job.resolve(answer.records);
        else job.reject(new RangeError(answer.sentence));
        if (jobs.length === 0) worker.unref();
      });
      const fail = (error: Error): void => {
        this.#ended = true;
        for (const job of jobs.splice(0)) job.reject(error);
      };
      worker.on('error', fail);
      worker.on('exit', () => fail(new Error('the end of its thread')));
      return { worker, jobs };
    });
  }

  /**
   * As unpackChunk, in another thread while they all live; the memory that `chunk.records` is a view of is given away
   * with it.
   */
  unpack(chunk: McapChunk): Promise<Uint8Array> {
    if (this.#ended) return unpackChunk(chunk);
    const { worker, jobs } = this.#threads[this.#next++ % this.count]!;
    return new Promise((resolve, reject) => {
      jobs.push({ resolve, reject });
      worker.ref();
      worker.postMessage(chunk, [chunk.records.buffer as ArrayBuffer]);
    });
  }
}
