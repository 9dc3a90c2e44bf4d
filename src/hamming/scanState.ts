/**
 * What a scan kernel and its caller share in memory: blocks of 128 codes, and the running selection of one query.
 * All integers are u32 little-endian (WebAssembly's order).
 */

/** Codes a block. */
export const BLOCK_CODES = 128;
/** Bytes of a block's codes, in either layout. */
export const BLOCK_CODE_BYTES = 8192;
/** Then 16 bytes of which bit i (of the 128, LSB first) says that code i can be found; the rest of the line is spare. */
export const BLOCK_LIVE_OFFSET = BLOCK_CODE_BYTES;
/** From one block to the next: a whole number of cache lines. 64.5 bytes a code. */
export const BLOCK_STRIDE = BLOCK_CODE_BYTES + 64;

/** Offsets within a state. */
export const STATE = {
  /** Codes to select. */
  k: 0,
  /** Only distances below this can still enter: 513 at first, later the k-th smallest distance so far. */
  bound: 4,
  /** Candidates with a distance below `bound`; less than k. */
  below: 8,
  /** Candidates in the list. */
  count: 12,
  /** Entries of the candidate list; the kernel returns while a whole block may still fit. */
  capacity: 16,
  /** 9 vectors: bits 1...9 of `(1024 - bound) & ~1`, each repeated 128 times (bit-sliced kernels only). */
  startPlanes: 32,
  /** 10 vectors: the count planes of a block that holds candidates (bit-sliced kernels only). */
  planes: 176,
  /** 514 counters of candidates by distance. */
  histogram: 336,
  /** Pairs of position and distance, in ascending position. */
  candidates: 2432,
} as const;

/** Bytes of a state with a list of so many candidates. */
export function stateBytes(capacity: number): number {
  return STATE.candidates + capacity * 8;
}
