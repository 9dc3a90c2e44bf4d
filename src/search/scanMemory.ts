import { BLOCK_CODE_BYTES } from '../hamming/scanState.js';
import { SELECTION_BYTES } from './Selection.js';

/** Queries of one pass over the codes: blocks stay in the cache between them. */
export const MAX_QUERIES = 8;

/**
 * The memory of an index: control words, queries, the selections of each thread, then the blocks of codes, which grow.
 * All addresses are multiples of 64.
 */
export const CONTROL_BYTES = 1024;
export const QUERY_BYTES = BLOCK_CODE_BYTES;

export function queryAddress(query: number): number {
  return CONTROL_BYTES + query * QUERY_BYTES;
}

/** thread: 0 is the owner. */
export function selectionAddress(thread: number, query: number): number {
  return queryAddress(MAX_QUERIES) + (thread * MAX_QUERIES + query) * SELECTION_BYTES;
}

export function firstBlockAddress(threads: number): number {
  return selectionAddress(threads, 0);
}

/** Indices of the 32-bit control words; used with Atomics by all threads. */
export const CONTROL = {
  /** Number of the latest job; scan threads sleep on it. */
  generation: 0,
  /** Number of the job that may be joined; 0: none. */
  open: 1,
  /** Scan threads between joining and leaving; the owner sleeps on it. */
  running: 2,
  /** Next block that nobody has taken. */
  next: 3,
  /** One past the last block. */
  end: 4,
  queries: 5,
  k: 6,
  /** Scan threads that have started. */
  ready: 7,
  /** Plus the thread: the last job it joined. */
  joined: 8,
} as const;

/** Scan threads that fit into the control words. */
export const MAX_THREADS = CONTROL_BYTES / 4 - CONTROL.joined;

/** Blocks taken at a time: 4,096 codes, about 10 microseconds; in a batch they stay in the second-level cache. */
export const CHUNK_BLOCKS = 32;

export interface ScanWorkerData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** 1...threads - 1. */
  readonly thread: number;
  /** All threads, the owner included. */
  readonly threads: number;
}
