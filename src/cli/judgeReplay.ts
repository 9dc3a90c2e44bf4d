import { readFileSync } from 'node:fs';
import type { Pose } from '../core/pose.js';
import type { ReferenceId } from '../core/reference.js';
import { messageOf, VprError } from '../core/VprError.js';
import { evaluateRetrieval, type RetrievalEvaluation } from '../evaluation/evaluateRetrieval.js';
import { groundTruthFromPoses, parseGroundTruth, type GroundTruth, type PoseRule } from '../evaluation/groundTruth.js';
import { travelledDistance } from '../evaluation/gapLengths.js';
import { StreamClock } from '../recognizer/StreamClock.js';
import type { Replay, ReplayedImage } from './replayImages.js';

/** Inclusive range of image numbers, from 1. */
export interface ImageRange {
  readonly first: number;
  readonly last: number;
}

/** A ground_truth.json as it is. */
export interface GroundTruthFile {
  readonly text: string;
  readonly file: string;
}

/** Judged images, and how the references of the ground truth map to ids of the map. */
export interface JudgedReplay {
  readonly queries: readonly ReplayedImage[];
  readonly truth: GroundTruth;
  readonly evaluation: RetrievalEvaluation;
  /** Reference of the map behind each index of the ground truth; none where the map has none for it. */
  readonly referenceIds: readonly (ReferenceId | undefined)[];
  /** Of each query: its best reference is a positive. */
  readonly correct: readonly boolean[];
}

function judge(
  queries: readonly ReplayedImage[],
  truth: GroundTruth,
  indexOf: ReadonlyMap<ReferenceId, number>,
): JudgedReplay {
  const positions = queries.map(({ truePose }) => truePose?.position);
  const answers = queries.map(({ recognition }) => {
    // The answer is the reported reference; the filter may have chosen another than the most similar one.
    const ids = [
      recognition.referenceId,
      ...recognition.candidates.map(({ referenceId }) => referenceId).filter((id) => id !== recognition.referenceId),
    ];
    return {
      ranked: ids.filter((id) => id !== 0).map((id) => indexOf.get(id) ?? -1),
      score: recognition.confidence,
      confidence: recognition.confidence,
      accepted: recognition.accepted,
    };
  });
  const evaluation = evaluateRetrieval(
    answers,
    truth,
    positions.some((position) => position !== undefined) ? { travelled: travelledDistance(positions) } : {},
  );
  const referenceIds: (ReferenceId | undefined)[] = [];
  for (const [id, index] of indexOf) referenceIds[index] = id;
  return { queries, truth, evaluation, referenceIds, correct: evaluation.firstCorrectRank.map((rank) => rank === 0) };
}

/**
 * Judges by true poses: `references` gives the true pose of each reference of the map. A reference that the replay itself
 * added is a positive only of images that were searched against it: those at least `excludeRecentS` later.
 */
export function judgeByPoses(
  replay: Replay,
  references: ReadonlyMap<ReferenceId, Pose | undefined>,
  rule: PoseRule,
  excludeRecentS = 0,
): JudgedReplay {
  const ids = [...references.keys()];
  const timesNs = streamTimes(replay.images);
  const addedBy = new Map(replay.images.map(({ recognition }, i) => [recognition.addedReferenceId, i]));
  const excludedNs = BigInt(Math.round(excludeRecentS * 1e9));
  const judged = replay.images.flatMap((image, i) => (image.truePose === undefined ? [] : [{ image, order: i }]));
  const truth = groundTruthFromPoses(
    judged.map(({ image }) => image.truePose),
    ids.map((id) => references.get(id)),
    rule,
  );
  const positives = judged.map(({ order }, query) =>
    truth.positives[query]!.filter((index) => {
      const added = addedBy.get(ids[index]);
      return added === undefined || (added < order && timesNs[added]! <= timesNs[order]! - excludedNs);
    }),
  );
  return judge(
    judged.map(({ image }) => image),
    { ...truth, positives },
    new Map(ids.map((id, index) => [id, index])),
  );
}

/** Time of each image as the recognizer has it, by which it tells what is recent. */
function streamTimes(images: readonly ReplayedImage[]): bigint[] {
  const clock = new StreamClock();
  return images.map(({ recognition: { camera, stampNs } }) => clock.advance(camera, stampNs).timeNs);
}

/**
 * Judges a lap against an earlier one of the same replay (slam), by a ground_truth.json over the two ranges of images:
 * row i is query image i of `queries`, its entries count from 0 within `references`. Images of the reference range are
 * judged too, as images that have nothing to close a loop with. The map was empty when the replay began.
 * Throws GROUND_TRUTH_INVALID.
 */
export function judgeLaps(
  replay: Replay,
  { text, file }: GroundTruthFile,
  references: ImageRange,
  queries: ImageRange,
): JudgedReplay {
  for (const [name, { first, last }] of Object.entries({ references, queries }))
    if (last > replay.count)
      throw new VprError(
        'GROUND_TRUTH_INVALID',
        `Expected images in 1...${replay.count} for --${name}, got ${first}-${last} [${file}]`,
      );
  const count = (range: ImageRange): number => range.last - range.first + 1;
  const truth = parseGroundTruth(text, count(queries), count(references), file);
  const inRange = ({ number }: ReplayedImage, { first, last }: ImageRange): boolean =>
    number >= first && number <= last;
  const judged = replay.images.filter((image) => inRange(image, references) || inRange(image, queries));
  const positives = judged.map((image) =>
    inRange(image, queries) ? truth.positives[image.number - queries.first]! : [],
  );
  const indexOf = new Map<ReferenceId, number>();
  for (const image of replay.images)
    if (inRange(image, references) && image.recognition.addedReferenceId !== undefined)
      indexOf.set(image.recognition.addedReferenceId, image.number - references.first);
  return judge(judged, { ...truth, positives }, indexOf);
}

/** Judges a replay against a fixed map, by a ground_truth.json whose references are those of the map in their order. */
export function judgeAgainstMap(
  replay: Replay,
  { text, file }: GroundTruthFile,
  referenceIds: ArrayLike<ReferenceId>,
): JudgedReplay {
  const { images, count } = replay;
  const truth = parseGroundTruth(text, count, referenceIds.length, file);
  const positives = images.map(({ number }) => truth.positives[number - 1]!);
  return judge(images, { ...truth, positives }, new Map(Array.from(referenceIds, (id, index) => [id, index])));
}

/** Throws FILE_UNREADABLE. What the file says is checked when the images are counted. */
export function readGroundTruthFile(file: string): GroundTruthFile {
  try {
    return { text: readFileSync(file, 'utf8'), file };
  } catch (error) {
    throw new VprError('FILE_UNREADABLE', `Expected a ground truth file, got: ${messageOf(error)} [${file}]`, {
      cause: error,
    });
  }
}
