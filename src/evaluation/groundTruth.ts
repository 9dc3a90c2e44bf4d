import { angleBetween, distanceBetween, type Pose } from '../core/pose.js';
import { shownValue } from '../core/shownValue.js';
import { VprError } from '../core/VprError.js';

/** Which references show the place of each query: what every figure of the evaluation is judged by. */
export interface GroundTruth {
  /** One sentence on the rule, for reports: "within 25 m and 40 degrees". */
  readonly rule: string;
  readonly references: number;
  /** Reference indices of query q, ascending, without repeats; empty where the reference side does not show the place. */
  readonly positives: readonly (readonly number[])[];
  /** References of query q that are too near to the positives to be called wrong; only a confidence's fit looks at them. */
  readonly unclear?: readonly (readonly number[])[];
}

/** Radius of the usual protocol (Pitts30k, MSLS, Tokyo 24/7), metres. */
export const POSITIVE_DISTANCE_M = 25;

export interface PoseRule {
  readonly distanceM: number;
  /** Largest angle between the orientations; absent: headings do not count. */
  readonly angleDeg?: number;
}

/**
 * Positives by pose: nearer than or exactly at `distanceM`, and turned by at most `angleDeg`.
 * A query without a pose, and a reference without one, has no positives. All poses are in one frame, metres.
 */
export function groundTruthFromPoses(
  queries: readonly (Pose | undefined)[],
  references: readonly (Pose | undefined)[],
  rule: PoseRule,
): GroundTruth {
  if (!(rule.distanceM > 0)) throw new RangeError(`Expected a positive distance in metres, got ${rule.distanceM}`);
  const { angleDeg } = rule;
  if (angleDeg !== undefined && !(angleDeg > 0 && angleDeg <= 180))
    throw new RangeError(`Expected an angle in (0, 180] degrees, got ${angleDeg}`);
  // Degrees become radians with a hair of room, so that a turn of exactly the limit stays a positive.
  const angleRad = angleDeg === undefined ? Infinity : (angleDeg * Math.PI) / 180 + 1e-9;
  const positives = queries.map((query) => {
    const found: number[] = [];
    if (query === undefined) return found;
    for (let index = 0; index < references.length; index++) {
      const reference = references[index];
      if (reference === undefined) continue;
      // Most pairs are far apart along x alone, and hypot is slow: a million pairs are common.
      if (Math.abs(query.position[0] - reference.position[0]) > rule.distanceM) continue;
      if (distanceBetween(query, reference) > rule.distanceM) continue;
      if (angleRad === Infinity || angleBetween(query, reference) <= angleRad) found.push(index);
    }
    return found;
  });
  const angle = angleDeg === undefined ? '' : ` and ${angleDeg} degrees`;
  return { rule: `within ${rule.distanceM} m${angle}`, references: references.length, positives };
}

/** Positives by index, for two traverses of the same frames: |query - reference| <= tolerance. */
export function groundTruthFromFrames(queries: number, references: number, tolerance: number): GroundTruth {
  if (!Number.isInteger(tolerance) || tolerance < 0)
    throw new RangeError(`Expected a frame tolerance >= 0, got ${tolerance}`);
  const positives = Array.from({ length: queries }, (_, query) => {
    const found: number[] = [];
    for (let index = Math.max(0, query - tolerance); index <= Math.min(references - 1, query + tolerance); index++)
      found.push(index);
    return found;
  });
  return { rule: `within ${tolerance} frames`, references, positives };
}

/**
 * Reads `ground_truth.json`: {"positives": [[reference indices of query 0], ...]}, indices from 0 in sorted file order;
 * "unclear", where it is there, is the same.
 * Every row is checked; `where` (the file) and the row are in the message of GROUND_TRUTH_INVALID.
 */
export function parseGroundTruth(text: string, queries: number, references: number, where: string): GroundTruth {
  const fail = (problem: string, cause?: unknown): never => {
    throw new VprError('GROUND_TRUTH_INVALID', `${problem} [${where}]`, { cause });
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    fail(`Expected JSON for the ground truth, got: ${(error as Error).message}`, error);
  }
  const rowsOf = (name: 'positives' | 'unclear', rows: unknown): number[][] => {
    if (!Array.isArray(rows)) return fail(`Expected an array "${name}" for the ground truth, got none`);
    if (rows.length !== queries)
      return fail(`Expected one row of ${name} for each of ${queries} queries, got ${rows.length} rows`);
    return rows.map((row: unknown, query) => {
      if (!Array.isArray(row))
        return fail(`Expected an array of reference indices for row ${query} of the ${name}, got ${typeof row}`);
      for (const index of row as unknown[])
        if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= references)
          return fail(
            `Expected reference indices in 0...${references - 1} for row ${query} of the ${name}, got ${shownValue(index)}`,
          );
      const sorted = (row as number[]).toSorted((a, b) => a - b);
      const repeated = sorted.find((index, at) => index === sorted[at - 1]);
      if (repeated !== undefined)
        return fail(`Expected each reference once for row ${query} of the ${name}, got ${repeated} twice`);
      return sorted;
    });
  };
  const { positives, unclear } = (parsed ?? {}) as { positives?: unknown; unclear?: unknown };
  return {
    rule: 'listed positives',
    references,
    positives: rowsOf('positives', positives),
    ...(unclear === undefined ? {} : { unclear: rowsOf('unclear', unclear) }),
  };
}

/** Queries whose place no reference shows. */
export function queriesWithoutPositives(truth: GroundTruth): number {
  return truth.positives.reduce((count, row) => count + (row.length === 0 ? 1 : 0), 0);
}
