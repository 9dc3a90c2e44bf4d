import { workerData } from 'node:worker_threads';
import { instantiateScan } from '../hamming/scanKernels.js';
import { ScanChunks } from './ScanChunks.js';
import {
  CHUNK_CODES,
  CONTROL_BYTES,
  JOB,
  MAX_QUERIES,
  NO_TICKET,
  selectionAddress,
  TAGS,
  THREAD,
  threadWord,
  type ScanWorkerData,
} from './scanMemory.js';
import { Selection } from './Selection.js';

/** Looks out for the next job so long before it sleeps: a wake-up takes about as long, and queries come in rows. */
const SPIN_MS = 0.1;

/** A scan thread: sleeps until there is a job, takes chunks of it, sleeps again; ended by its owner. */
const { module, memory, thread, threads } = workerData as ScanWorkerData;
const control = new Int32Array(memory.buffer, 0, CONTROL_BYTES / 4);
const chunks = new ScanChunks(control, instantiateScan(module, memory), threads);
const selections = Array.from(
  { length: MAX_QUERIES },
  (_, query) => new Selection(memory.buffer, selectionAddress(thread, query)),
);
const own = threadWord(thread);

function nextJob(before: number): number {
  const until = performance.now() + SPIN_MS;
  for (;;) {
    const number = Atomics.load(control, JOB.number);
    if (number !== before) return number;
    if (performance.now() >= until) Atomics.wait(control, JOB.number, before);
  }
}

/** Changes the lists otherwise than by appending: whoever reads them meanwhile will see that, and read again. */
function changeLists(change: (selection: Selection) => void): void {
  Atomics.add(control, own + THREAD.sequence, 1);
  for (let query = 0; query < chunks.queries; query++) change(selections[query]!);
  publish();
  Atomics.add(control, own + THREAD.sequence, 1);
}

function publish(): void {
  for (let query = 0; query < chunks.queries; query++)
    Atomics.store(control, own + THREAD.counts + query, selections[query]!.count);
}

function hasRoom(): boolean {
  for (let query = 0; query < chunks.queries; query++) if (!selections[query]!.hasRoomFor(CHUNK_CODES)) return false;
  return true;
}

function work(job: number): void {
  let joined = false;
  for (let ticket; (ticket = chunks.next(job % TAGS)) !== undefined;) {
    // Said before the chunk is taken: the owner, who finds none left, knows then which ones are still in work, and can
    // scan them again if this thread is suspended.
    Atomics.store(control, own + THREAD.intent, ticket);
    if (chunks.take(ticket)) {
      if (!joined) {
        Atomics.store(control, own + THREAD.job, 0);
        changeLists((selection) => selection.start(chunks.k));
        Atomics.store(control, own + THREAD.job, job);
        joined = true;
      } else if (!hasRoom()) changeLists((selection) => selection.compact());
      chunks.scan(ticket, selections);
      publish();
    }
    Atomics.store(control, own + THREAD.intent, NO_TICKET);
  }
}

Atomics.store(control, own + THREAD.intent, NO_TICKET);
Atomics.add(control, JOB.ready, 1);
for (let job = 0; ;) {
  job = nextJob(job);
  Atomics.store(control, own + THREAD.seen, job);
  work(job);
}
