import type { GroundTruth } from './groundTruth.js';

/** The N of the tables: recall@1, @5, @10. */
export const RECALL_NS = [1, 5, 10] as const;

/** One sentence for tables and reports. */
export const RECALL_POLICY =
  'Queries without positives are left out of recall@N; any place accepted for one counts as a wrong answer in precision-recall.';

/**
 * Fraction of queries whose first N ranked references hold at least one positive, by N; non-decreasing in N.
 *
 * ranked: for each query reference indices, best first (fewer than N are allowed and count as misses beyond the end).
 * Queries without positives are not in the denominator: no ranking could answer them. With no query left it is 0.
 */
export function recallAtN(
  ranked: readonly ArrayLike<number>[],
  truth: GroundTruth,
  ns: readonly number[] = RECALL_NS,
): Record<string, number> {
  const ranks = firstCorrectRanks(ranked, truth);
  let answerable = 0;
  for (const row of truth.positives) if (row.length > 0) answerable++;
  const recall: Record<string, number> = {};
  for (const n of ns) {
    if (!Number.isInteger(n) || n < 1) throw new RangeError(`Expected N >= 1 for recall@N, got ${n}`);
    const found = ranks.reduce<number>((count, rank) => count + (rank !== undefined && rank < n ? 1 : 0), 0);
    recall[String(n)] = answerable === 0 ? 0 : found / answerable;
  }
  return recall;
}

/** Rank (from 0) of the first positive of each query; undefined where none was ranked. */
export function firstCorrectRanks(
  ranked: readonly ArrayLike<number>[],
  truth: GroundTruth,
): readonly (number | undefined)[] {
  if (ranked.length !== truth.positives.length)
    throw new RangeError(`Expected ${truth.positives.length} ranked queries, got ${ranked.length}`);
  return truth.positives.map((row, query) => {
    if (row.length === 0) return undefined;
    const positives = new Set(row);
    const references = ranked[query]!;
    for (let rank = 0; rank < references.length; rank++) if (positives.has(references[rank]!)) return rank;
    return undefined;
  });
}
