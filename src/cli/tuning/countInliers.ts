import { compareViews } from '../../geometry/compareViews.js';
import type { KeyPoints } from '../../geometry/KeyPoints.js';

const COUNTED = new WeakMap<KeyPoints, WeakMap<KeyPoints, number | undefined>>();

/** Agreeing key points of a query and a reference, as the geometric check counts them. A pair is compared once: plays repeat. */
export function countInliers(query: KeyPoints | undefined, reference: KeyPoints | undefined): number | undefined {
  if (query === undefined || reference === undefined) return undefined;
  let row = COUNTED.get(query);
  if (row === undefined) COUNTED.set(query, (row = new WeakMap()));
  if (!row.has(reference)) row.set(reference, compareViews(query, reference)?.inliers);
  return row.get(reference);
}
