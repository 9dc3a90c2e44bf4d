import type { Nearest, NearestOrder } from './CodeIndex.js';

const POSITIONS = 2 ** 32;
/** More than the greatest distance. */
const DISTANCES = 1024;

/** A candidate as one number that orders by (distance, position). */
export function keyOf(position: number, distance: number): number {
  return distance * POSITIONS + position;
}

/** The k nearest of candidates from several selections, in any order; the same one may be there twice. */
export function mergeNearest(keys: readonly number[], k: number, order: NearestOrder): Nearest {
  const sorted = Float64Array.from(keys).sort();
  let kept = 0;
  for (let i = 0; i < sorted.length && kept < k; i++)
    if (kept === 0 || sorted[i] !== sorted[kept - 1]) sorted[kept++] = sorted[i]!;
  const nearest = sorted.subarray(0, kept);
  const byPosition = order === 'position';
  if (byPosition) {
    for (let i = 0; i < kept; i++)
      nearest[i] = (nearest[i]! % POSITIONS) * DISTANCES + Math.floor(nearest[i]! / POSITIONS);
    nearest.sort();
  }
  const positions = new Uint32Array(kept);
  const distances = new Uint16Array(kept);
  for (let i = 0; i < kept; i++) {
    const key = nearest[i]!;
    positions[i] = byPosition ? Math.floor(key / DISTANCES) : key % POSITIONS;
    distances[i] = byPosition ? key % DISTANCES : Math.floor(key / POSITIONS);
  }
  return { positions, distances };
}
