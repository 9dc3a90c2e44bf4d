import { workerData } from 'node:worker_threads';
import { instantiateScan } from '../hamming/scanKernels.js';
import { scanChunks } from './scanChunks.js';
import { CONTROL, CONTROL_BYTES, MAX_QUERIES, selectionAddress, type ScanWorkerData } from './scanMemory.js';
import { Selection } from './Selection.js';

/** A scan thread: sleeps until there is a job, takes chunks of it, sleeps again; ended by its owner. */
const { module, memory, thread, threads } = workerData as ScanWorkerData;
const scan = instantiateScan(module, memory);
const control = new Int32Array(memory.buffer, 0, CONTROL_BYTES / 4);
const selections = Array.from(
  { length: MAX_QUERIES },
  (_, query) => new Selection(memory.buffer, selectionAddress(thread, query)),
);
let generation = 0;
Atomics.add(control, CONTROL.ready, 1);
for (;;) {
  Atomics.wait(control, CONTROL.generation, generation);
  generation = Atomics.load(control, CONTROL.generation);
  // Entered before looking at `open`: the owner closes the job before it looks at `running`, so one of the two sees the
  // other, and nobody works on a job that its owner has left.
  Atomics.add(control, CONTROL.running, 1);
  if (Atomics.load(control, CONTROL.open) === generation) {
    const queries = Atomics.load(control, CONTROL.queries);
    for (let query = 0; query < queries; query++) selections[query]!.start(Atomics.load(control, CONTROL.k));
    Atomics.store(control, CONTROL.joined + thread, generation);
    scanChunks(control, scan, selections, threads);
    // Leaves at most k candidates, so that the owner need not know how this thread keeps them.
    for (let query = 0; query < queries; query++) selections[query]!.compact();
  }
  Atomics.sub(control, CONTROL.running, 1);
  Atomics.notify(control, CONTROL.running);
}
