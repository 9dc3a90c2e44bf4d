import type { BinaryCode } from '../core/binaryCode.js';
import type { Descriptor } from '../core/descriptor.js';
import type { ReferenceId } from '../core/reference.js';

/** What the search needs of the map: float rows by reference id, fetched in one sorted batch. */
export interface DescriptorStore {
  readonly dimension: number;
  /** Writes row i of `ids` (ascending) to out[i * dimension ...] as f32. Throws MAP_CORRUPT naming the reference. */
  readDescriptors(ids: Uint32Array, out: Float32Array): void;
}

/** Inclusive ranges of reference ids that must not be returned (recent images in slam mode), ascending, disjoint. */
export type ExcludedIds = readonly (readonly [ReferenceId, ReferenceId])[];

export interface SearchOptions {
  /** References returned, 1...1000. */
  readonly k: number;
  /** Codes that are re-ranked by float similarity, k...2^21; 100 by default. */
  readonly shortlist: number;
  readonly excluded?: ExcludedIds;
}

/** Best first by similarity, ties by the lower reference id; all arrays have one length <= k. */
export interface SearchResult {
  readonly referenceIds: Uint32Array;
  /** Bits that differ, 0...512. */
  readonly hamming: Uint16Array;
  /** Dot products, -1...1. */
  readonly similarity: Float32Array;
}

/** Ascending (distance, id). */
export interface PrefilterResult {
  readonly referenceIds: Uint32Array;
  readonly hamming: Uint16Array;
}

/**
 * Exact two-stage search: Hamming prefilter over all codes, float re-rank of the shortlist.
 * Prefilter ties at the k-th distance go to the lowest reference ids; fewer references than asked for give fewer results.
 */
export interface PlaceSearch {
  /** References that can be found. */
  readonly size: number;
  /** What scans: kernel and threads, for reports and diagnostics. */
  readonly engine: { readonly kernel: string; readonly threads: number };
  /** Appends one code in O(1); ids are added in ascending order. */
  add(referenceId: ReferenceId, code: BinaryCode): void;
  /** Appends n codes, row-major [n, 64]. */
  addBlock(referenceIds: Uint32Array, codes: Uint8Array): void;
  /** Throws RangeError for an id that is not there. */
  remove(referenceId: ReferenceId): void;
  search(code: BinaryCode, descriptor: Descriptor, options: SearchOptions): SearchResult;
  /** n queries at once, for offline use: codes [n, 64], descriptors [n, D]. The same answers as n single searches. */
  searchBatch(codes: Uint8Array, descriptors: Float32Array, options: SearchOptions): SearchResult[];
  /** Prefilter alone: the shortlist by Hamming distance, ascending (distance, id). */
  prefilter(code: BinaryCode, shortlist: number, excluded?: ExcludedIds): PrefilterResult;
  prefilterBatch(codes: Uint8Array, shortlist: number, excluded?: ExcludedIds): PrefilterResult[];
  /** Bytes held, by kind: codes, masks and ids; float rows. */
  memoryUse(): { codeBytes: number; cacheBytes: number };
  /** Resolves when all scan threads have started; not needed for right answers, only for the fastest. */
  ready(): Promise<void>;
  close(): Promise<void>;
}
