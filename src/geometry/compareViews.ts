import { uniformNumbers } from '../core/mulberry32.js';
import { consistentMatches } from './consistentMatches.js';
import { findRelativeView } from './findRelativeView.js';
import type { KeyPoints } from './KeyPoints.js';
import { matchKeyPoints } from './matchKeyPoints.js';
import type { RelativeView } from './RelativeView.js';

/** What two pictures have in common. */
export interface ViewComparison {
  /** Key points that look alike. */
  readonly matches: number;
  /** Those of them that agree on how the cameras stood to each other. */
  readonly inliers: number;
  /** From the first to the second, in optical axes (x right, y down, z forward); absent without enough matches. */
  readonly view?: RelativeView;
}

/** Focal length as a part of the picture's width, where it is not known: about 60 degrees. */
export const USUAL_FOCAL_LENGTH = 0.87;
/** Pictures with fewer key points say nothing, for or against. */
const LEAST_KEY_POINTS = 30;
/** Distance of a right match from its epipolar line, as a part of the picture's width. */
const TOLERANCE = 0.0094;
const SAMPLES = 60;
const SEED = 8;

/**
 * Compares two pictures by their key points. focalLengths: of the first and the second, as parts of the pictures' widths;
 * the principal point is the centre, and there is no distortion. Deterministic. Undefined where a picture has too few key
 * points (a wall, darkness, a tiny picture).
 */
export function compareViews(
  first: KeyPoints,
  second: KeyPoints,
  focalLengths: readonly [number, number] = [USUAL_FOCAL_LENGTH, USUAL_FOCAL_LENGTH],
): ViewComparison | undefined {
  if (Math.min(first.count, second.count) < LEAST_KEY_POINTS) return undefined;
  const matches = matchKeyPoints(first, second);
  const consistent = consistentMatches(first, second, matches);
  const pairs = new Float64Array(consistent.length * 4);
  const [f, g] = [focalLengths[0] * first.width, focalLengths[1] * second.width];
  consistent.forEach(({ from, to }, i) => {
    pairs[i * 4] = (first.x[from]! - (first.width - 1) / 2) / f;
    pairs[i * 4 + 1] = (first.y[from]! - (first.height - 1) / 2) / f;
    pairs[i * 4 + 2] = (second.x[to]! - (second.width - 1) / 2) / g;
    pairs[i * 4 + 3] = (second.y[to]! - (second.height - 1) / 2) / g;
  });
  const found = findRelativeView(pairs, {
    tolerance: TOLERANCE / Math.min(...focalLengths),
    samples: SAMPLES,
    random: uniformNumbers(SEED),
  });
  return found === undefined
    ? { matches: matches.length, inliers: 0 }
    : { matches: matches.length, inliers: found.inliers.length, view: found.view };
}
