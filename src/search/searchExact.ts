import { createRowSlots } from './createRowSlots.js';
import type { DescriptorStore } from './PlaceSearch.js';
import { rankBySimilarity } from './rankBySimilarity.js';
import { BATCH_ROWS } from './RowSlots.js';

export interface ExactOptions {
  /** Called after each block with the rows done. */
  readonly onProgress?: (rowsDone: number) => void;
  /** Without SIMD; the same answers. */
  readonly scalar?: boolean;
}

/** Best first by similarity, ties by the lower reference id. */
export interface ExactResult {
  readonly referenceIds: Uint32Array;
  /** Dot products, -1...1. */
  readonly similarity: Float32Array;
}

/**
 * Exact float search: every query against every row, streamed from the store in blocks, so that memory holds one block.
 * referenceIds: ascending; queries: [q, D] f32; k >= 1. One result a query, with at most k references. The similarities
 * are those of the two-stage search, bit for bit.
 */
export function searchExact(
  store: DescriptorStore,
  referenceIds: Uint32Array,
  queries: Float32Array,
  k: number,
  options: ExactOptions = {},
): ExactResult[] {
  const d = store.dimension;
  if (queries.length % d !== 0)
    throw new RangeError(`Expected descriptors of ${d} values each, got ${queries.length} values`);
  if (!Number.isInteger(k) || k < 1) throw new RangeError(`Expected k of at least 1, got ${k}`);
  const queryCount = queries.length / d;
  const slots = createRowSlots(d, 'f32', BATCH_ROWS, { scalar: options.scalar ?? false });
  const everySlot = Uint32Array.from({ length: BATCH_ROWS }, (_, slot) => slot);
  let best = Array.from({ length: queryCount }, (): ExactResult => ({
    referenceIds: new Uint32Array(0),
    similarity: new Float32Array(0),
  }));
  for (let from = 0; from < referenceIds.length; from += BATCH_ROWS) {
    const ids = referenceIds.subarray(from, from + BATCH_ROWS);
    const block = everySlot.subarray(0, ids.length);
    store.readDescriptors(ids, slots.staging().subarray(0, ids.length * d));
    slots.write(block);
    const similarity = new Float32Array(ids.length);
    best = best.map((before, q) => {
      slots.similarities(queries.subarray(q * d, (q + 1) * d), block, similarity);
      return keepBest(before, ids, similarity, k);
    });
    options.onProgress?.(from + ids.length);
  }
  return best;
}

/** The k best of what was kept and a further block, whose ids are all higher. */
function keepBest(before: ExactResult, ids: Uint32Array, similarity: Float32Array, k: number): ExactResult {
  const kept = before.referenceIds.length;
  const allIds = new Uint32Array(kept + ids.length);
  const all = new Float32Array(kept + ids.length);
  // Kept ones come first and are in order, so the lower index is the lower id among equals.
  allIds.set(before.referenceIds);
  allIds.set(ids, kept);
  all.set(before.similarity);
  all.set(similarity, kept);
  const order = rankBySimilarity(all, all.length, k);
  return {
    referenceIds: Uint32Array.from(order, (i) => allIds[i]!),
    similarity: Float32Array.from(order, (i) => all[i]!),
  };
}
