import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { openImageSource } from '../bag/openImageSource.js';
import type { ImageSource, ImageSourceOptions } from '../bag/ImageSource.js';
import { MAX_MESSAGE_BYTES } from '../core/limits.js';
import { messageOf, VprError } from '../core/VprError.js';
import {
  groundTruthFromFrames,
  groundTruthFromPoses,
  parseGroundTruth,
  POSITIVE_DISTANCE_M,
  type GroundTruth,
} from '../evaluation/groundTruth.js';
import type { DescribedSource } from './describeSource.js';

/** References, queries, and how to tell which belong together. */
export interface EvaluationSet {
  readonly name: string;
  readonly references: ImageSource;
  readonly queries: ImageSource;
  /** File of the ground truth, or none. */
  readonly groundTruthPath?: string;
}

export interface GroundTruthRule {
  readonly distanceM?: number;
  readonly angleDeg?: number;
  readonly frames?: number;
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/**
 * Opens a set: a folder with `reference/`, `query/` and perhaps `ground_truth.json`, or two sources (bags or folders).
 * Throws what openImageSource throws, and FOLDER_INVALID for a folder of another layout.
 */
export async function openEvaluationSet(
  positionals: readonly string[],
  {
    groundTruth,
    ...options
  }: { readonly groundTruth?: string } & Pick<ImageSourceOptions, 'poseTopic' | 'poseFrames' | 'onProblem'>,
): Promise<EvaluationSet> {
  const [first, second] = positionals as [string, string?];
  const isSet = second === undefined;
  if (isSet && !((await exists(path.join(first, 'reference'))) && (await exists(path.join(first, 'query')))))
    throw new VprError(
      (await exists(first)) ? 'FOLDER_INVALID' : 'FILE_MISSING',
      `Expected a folder with reference/ and query/, or two sources, got ${first}`,
    );
  const references = await openImageSource(isSet ? path.join(first, 'reference') : first, options);
  const queries = await openImageSource(isSet ? path.join(first, 'query') : second, options).catch(
    async (error: unknown) => {
      await references.close();
      throw error;
    },
  );
  const beside = isSet ? path.join(first, 'ground_truth.json') : undefined;
  const file = groundTruth ?? (beside !== undefined && (await exists(beside)) ? beside : undefined);
  return {
    name: path.basename(path.resolve(first)),
    references,
    queries,
    ...(file === undefined ? {} : { groundTruthPath: file }),
  };
}

/** What the set's file of ground truth says; undefined where it is judged by a rule, or has none. Throws FILE_UNREADABLE. */
export async function readGroundTruthText(set: EvaluationSet, rule: GroundTruthRule): Promise<string | undefined> {
  const file = set.groundTruthPath;
  const byRule = rule.frames !== undefined || rule.distanceM !== undefined || rule.angleDeg !== undefined;
  if (byRule || file === undefined) return undefined;
  try {
    if ((await stat(file)).size > MAX_MESSAGE_BYTES)
      throw new VprError('GROUND_TRUTH_INVALID', `Expected a ground truth of at most ${MAX_MESSAGE_BYTES} bytes`);
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new VprError('FILE_UNREADABLE', `Expected a readable ground truth, got: ${messageOf(error)} [${file}]`, {
      cause: error,
    });
  }
}

/**
 * The set's ground truth: what its file lists, unless a rule is given; else by frames; else by the images' poses.
 * Indices are positions in the sources. Throws GROUND_TRUTH_INVALID, POSES_INVALID.
 */
export function groundTruthOf(
  set: EvaluationSet,
  references: DescribedSource,
  queries: DescribedSource,
  rule: GroundTruthRule,
  listed: string | undefined,
): GroundTruth {
  if (rule.frames !== undefined) return groundTruthFromFrames(queries.count, references.count, rule.frames);
  if (listed !== undefined) return parseGroundTruth(listed, queries.count, references.count, set.groundTruthPath!);
  for (const [side, { poses }] of Object.entries({ references, queries }))
    if (poses.every((pose) => pose === undefined))
      throw new VprError(
        'POSES_INVALID',
        `Expected poses of the ${side}, a ground_truth.json or --frames to judge by, got none [${set.name}]`,
      );
  return groundTruthFromPoses(queries.poses, references.poses, {
    distanceM: rule.distanceM ?? POSITIVE_DISTANCE_M,
    ...(rule.angleDeg === undefined ? {} : { angleDeg: rule.angleDeg }),
  });
}
