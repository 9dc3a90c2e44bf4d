import type { Scan } from '../hamming/scanKernels.js';
import { CHUNK_BLOCKS, chunkOf, firstBlockAddress, JOB, queryAddress, tagOf } from './scanMemory.js';
import type { Selection } from './Selection.js';

/** The chunks of jobs on shared memory: how a thread, the owner's or another, takes one and scans it. */
export class ScanChunks {
  readonly #control: Int32Array;
  readonly #scan: Scan;
  readonly #firstBlock: number;
  #from = 0;
  #end = 0;
  #queries = 0;
  #k = 1;

  constructor(control: Int32Array, scan: Scan, threads: number) {
    this.#control = control;
    this.#scan = scan;
    this.#firstBlock = firstBlockAddress(threads);
  }

  /** Of the job whose ticket was taken last. */
  get queries(): number {
    return this.#queries;
  }

  get k(): number {
    return this.#k;
  }

  /** The ticket of the next chunk of the job with this tag, or undefined when none is left. It is not taken yet. */
  next(tag: number): number | undefined {
    const ticket = Atomics.load(this.#control, JOB.ticket);
    if (tagOf(ticket) !== tag) return undefined;
    this.#from = Atomics.load(this.#control, JOB.from);
    this.#end = Atomics.load(this.#control, JOB.end);
    this.#queries = Atomics.load(this.#control, JOB.queries);
    this.#k = Atomics.load(this.#control, JOB.k);
    return this.#firstBlockOf(ticket) < this.#end ? ticket : undefined;
  }

  /**
   * False when another thread was faster. While a ticket is the next one its job is open, so all that `next` read of the
   * job belongs together.
   */
  take(ticket: number): boolean {
    return Atomics.compareExchange(this.#control, JOB.ticket, ticket, ticket + 1) === ticket;
  }

  /** Scans the chunk for each query of the job. */
  scan(ticket: number, selections: readonly Selection[]): void {
    const block = this.#firstBlockOf(ticket);
    const blocks = Math.min(CHUNK_BLOCKS, this.#end - block);
    for (let query = 0; query < this.#queries; query++)
      selections[query]!.scan(this.#scan, this.#firstBlock, block, blocks, queryAddress(query));
  }

  #firstBlockOf(ticket: number): number {
    return this.#from + chunkOf(ticket) * CHUNK_BLOCKS;
  }
}
