import { BLOCK_CODES, BLOCK_CODE_BYTES } from '../hamming/scanState.js';
import { SELECTION_BYTES } from './Selection.js';

/** Queries of one pass over the codes: blocks stay in the cache between them. */
export const MAX_QUERIES = 8;

/** All that scan one index, the owner included. */
export const MAX_THREADS = 64;

/** Blocks taken at a time: 2,048 codes, some microseconds; in a batch they stay in the second-level cache. */
export const CHUNK_BLOCKS = 16;
/** Candidates that a chunk can add. */
export const CHUNK_CODES = CHUNK_BLOCKS * BLOCK_CODES;

const LINE_WORDS = 16;

/** Indices of the 32-bit control words of the job; all are used with Atomics. */
export const JOB = {
  /** Number of the latest job; scan threads sleep on it. */
  number: 0,
  /** Tag of the job and its next chunk, see ticketOf: one word, so that no chunk of another job can be taken. */
  ticket: 1,
  /** First block. */
  from: 2,
  /** One past the last block. */
  end: 3,
  queries: 4,
  k: 5,
  /** Scan threads that have started. */
  ready: 6,
} as const;

/** Control words of a thread: threadWord(thread) plus one of these. Each thread has a cache line of its own. */
export const THREAD = {
  /** The ticket of the chunk in work, or NO_TICKET. */
  intent: 0,
  /** Odd while the thread's candidate lists are not to be read. */
  sequence: 1,
  /** Number of the job that the lists belong to; 0: none. */
  job: 2,
  /** Number of the latest job that it woke up for. */
  seen: 3,
  /** Plus the query: candidates in its list, of finished chunks. */
  counts: 4,
} as const;

export const NO_TICKET = -1;

const CHUNK_BITS = 15;
/** A tag is a job's number without the bits that do not fit. 2^15 chunks hold the 66 million codes of 4 GiB. */
export const TAGS = 2 ** (31 - CHUNK_BITS);

export function ticketOf(tag: number, chunk: number): number {
  return tag * 2 ** CHUNK_BITS + chunk;
}

export function tagOf(ticket: number): number {
  return ticket >> CHUNK_BITS;
}

export function chunkOf(ticket: number): number {
  return ticket & (2 ** CHUNK_BITS - 1);
}

export function threadWord(thread: number): number {
  return LINE_WORDS * (1 + thread);
}

/**
 * The memory of an index: control words, queries, the selections of each thread and one to spare, then the blocks of
 * codes, which grow. All addresses are multiples of 64.
 */
export const CONTROL_BYTES = threadWord(MAX_THREADS) * 4;
export const QUERY_BYTES = BLOCK_CODE_BYTES;

export function queryAddress(query: number): number {
  return CONTROL_BYTES + query * QUERY_BYTES;
}

/** thread: 0 is the owner; as many as there are threads: the owner's for chunks that others left behind. */
export function selectionAddress(thread: number, query: number): number {
  return queryAddress(MAX_QUERIES) + (thread * MAX_QUERIES + query) * SELECTION_BYTES;
}

/** One thread needs nothing to spare. */
export function firstBlockAddress(threads: number): number {
  return selectionAddress(threads === 1 ? 1 : threads + 1, 0);
}

export interface ScanWorkerData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** 1...threads - 1. */
  readonly thread: number;
  /** All threads, the owner included. */
  readonly threads: number;
}
