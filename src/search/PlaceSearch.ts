import type { BinaryCode } from '../core/binaryCode.js';
import type { Descriptor } from '../core/descriptor.js';
import type { ReferenceId } from '../core/reference.js';

/** What the search needs of the map: float rows by reference id, fetched in one sorted batch. */
export interface DescriptorStore {
  readonly dimension: number;
  /** Writes row i of `ids` (ascending) to out[i * dimension ...] as f32. Throws MAP_CORRUPT naming the reference. */
  readDescriptors(ids: Uint32Array, out: Float32Array): void;
}

export interface SearchOptions {
  /** References returned, 1...1000. */
  readonly k: number;
  /** Codes that are re-ranked by float similarity, >= k; 100 by default. */
  readonly shortlist: number;
  /** Inclusive ranges of reference ids that must not be returned (recent images in slam mode), ascending, disjoint. */
  readonly excluded?: readonly (readonly [ReferenceId, ReferenceId])[];
}

/** Best first by similarity, ties by the lower reference id; all arrays have one length <= k. */
export interface SearchResult {
  readonly referenceIds: Uint32Array;
  /** Bits that differ, 0...512. */
  readonly hamming: Uint16Array;
  /** Dot products, -1...1. */
  readonly similarity: Float32Array;
}

/**
 * Exact two-stage search: Hamming prefilter over all codes, float re-rank of the shortlist.
 * Prefilter ties at the k-th distance go to the lowest reference ids; fewer references than asked for give fewer results.
 */
export interface PlaceSearch {
  /** References that can be found. */
  readonly size: number;
  /** Appends one code in O(1); ids are added in ascending order. */
  add(referenceId: ReferenceId, code: BinaryCode): void;
  /** Appends n codes, row-major [n, 64]. */
  addBlock(referenceIds: Uint32Array, codes: Uint8Array): void;
  remove(referenceId: ReferenceId): void;
  search(code: BinaryCode, descriptor: Descriptor, options: SearchOptions): SearchResult;
  /** Prefilter alone: the shortlist by Hamming distance, ascending (distance, id). */
  prefilter(
    code: BinaryCode,
    shortlist: number,
    excluded?: SearchOptions['excluded'],
  ): { referenceIds: Uint32Array; hamming: Uint16Array };
  /** Bytes held, by kind. */
  memoryUse(): { codeBytes: number; cacheBytes: number };
  close(): Promise<void>;
}
