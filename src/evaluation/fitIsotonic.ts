import type { ClaimedProbability } from './calibrationError.js';

export interface IsotonicCurve {
  /** Ascending, in [0, 1]. */
  readonly x: readonly number[];
  /** Non-decreasing, in [0, 1]. */
  readonly y: readonly number[];
}

/**
 * Monotone correction of probabilities by the pool-adjacent-violators algorithm (Ayer et al., 1955) over equal-mass bins,
 * linear between the pools' means. Bins keep it from following single answers; each pool is smoothed by half an answer on
 * either side, so that nothing is certain; the ends are pinned to (0, 0) and (1, 1).
 */
export function fitIsotonic(claims: readonly ClaimedProbability[], maxBins = 25, minInBin = 40): IsotonicCurve {
  const sorted = claims.toSorted((a, b) => a.confidence - b.confidence);
  const bins = Math.max(1, Math.min(maxBins, Math.floor(sorted.length / minInBin)));
  if (sorted.length < 2 * minInBin) return { x: [], y: [] };
  let pools: { count: number; sum: number; right: number }[] = [];
  for (let bin = 0; bin < bins; bin++) {
    const members = sorted.slice(
      Math.floor((bin * sorted.length) / bins),
      Math.floor(((bin + 1) * sorted.length) / bins),
    );
    pools.push({
      count: members.length,
      sum: members.reduce((sum, { confidence }) => sum + confidence, 0),
      right: members.reduce((sum, { correct }) => sum + (correct ? 1 : 0), 0),
    });
    while (pools.length > 1) {
      const [a, b] = [pools.at(-2)!, pools.at(-1)!];
      if (a.right / a.count < b.right / b.count) break;
      pools = [...pools.slice(0, -2), { count: a.count + b.count, sum: a.sum + b.sum, right: a.right + b.right }];
    }
  }
  const x = [0];
  const y = [0];
  for (const { count, sum, right } of pools) {
    const at = sum / count;
    if (!(at > x.at(-1)! + 1e-9) || at >= 1 - 1e-9) continue;
    x.push(at);
    y.push(Math.max(y.at(-1)!, (right + 0.5) / (count + 1)));
  }
  return { x: [...x, 1], y: [...y, 1] };
}
