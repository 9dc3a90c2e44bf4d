import type { Scan } from '../hamming/scanKernels.js';
import { CHUNK_BLOCKS, CONTROL, firstBlockAddress, queryAddress } from './scanMemory.js';
import type { Selection } from './Selection.js';

/** Takes chunks of the open job until none is left, scanning each for all its queries. Owner and scan threads run this. */
export function scanChunks(control: Int32Array, scan: Scan, selections: readonly Selection[], threads: number): void {
  const end = Atomics.load(control, CONTROL.end);
  const queries = Atomics.load(control, CONTROL.queries);
  const first = firstBlockAddress(threads);
  for (;;) {
    const block = Atomics.add(control, CONTROL.next, CHUNK_BLOCKS);
    if (block >= end) return;
    const blocks = Math.min(CHUNK_BLOCKS, end - block);
    for (let query = 0; query < queries; query++)
      selections[query]!.scan(scan, first, block, blocks, queryAddress(query));
  }
}
