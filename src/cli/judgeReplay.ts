import { readFileSync } from 'node:fs';
import type { Pose } from '../core/pose.js';
import type { ReferenceId } from '../core/reference.js';
import { messageOf, VprError } from '../core/VprError.js';
import { evaluateRetrieval, type QueryAnswer, type RetrievalEvaluation } from '../evaluation/evaluateRetrieval.js';
import { groundTruthFromPoses, parseGroundTruth, type GroundTruth, type PoseRule } from '../evaluation/groundTruth.js';
import { travelledDistance } from '../evaluation/gapLengths.js';
import { StreamClock } from '../recognizer/StreamClock.js';
import type { Replay, ReplayedImage, UnusedImage } from './replayImages.js';

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
  /** Those that were answered. */
  readonly queries: readonly ReplayedImage[];
  /** Of `queries`. */
  readonly truth: GroundTruth;
  /** Of `queries` and of images that could not be read, in their order: without an answer, these are misses. */
  readonly evaluation: RetrievalEvaluation;
  /** Reference of the map behind each index of the ground truth; none where the map has none for it. */
  readonly referenceIds: readonly (ReferenceId | undefined)[];
  /** Of each query: its best reference is a positive. */
  readonly correct: readonly boolean[];
}

/** An image that is judged; without a recognition where it could not be read. */
type Asked = Pick<ReplayedImage, 'number' | 'truePose'> & Partial<ReplayedImage>;

/** All images of the stream, in its order. */
function askedOf({ images, unused, count }: Replay): Asked[] {
  const known = new Map<number, Asked>([...unused, ...images].map((image) => [image.number, image]));
  return Array.from({ length: count }, (_, i) => known.get(i + 1) ?? { number: i + 1 });
}

function judge(asked: readonly Asked[], truth: GroundTruth, indexOf: ReadonlyMap<ReferenceId, number>): JudgedReplay {
  const positions = asked.map(({ truePose }) => truePose?.position);
  const answers = asked.map(({ recognition }): QueryAnswer => {
    if (recognition === undefined) return { ranked: [], score: -Infinity, accepted: false, unreadable: true };
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
  const answered = asked.flatMap((image, i) => (image.recognition === undefined ? [] : [i]));
  return {
    queries: answered.map((i) => asked[i] as ReplayedImage),
    truth: {
      rule: truth.rule,
      references: truth.references,
      positives: answered.map((i) => truth.positives[i]!),
    },
    evaluation,
    referenceIds,
    correct: answered.map((i) => evaluation.firstCorrectRank[i] === 0),
  };
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
  const stream = [...replay.images, ...replay.unused].sort((a, b) => a.number - b.number);
  const timesNs = streamTimes(stream);
  const addedBy = new Map(
    stream.map((image, i) => ['recognition' in image ? image.recognition.addedReferenceId : 0, i]),
  );
  const excludedNs = BigInt(Math.round(excludeRecentS * 1e9));
  const judged = stream.flatMap((image, order) => (image.truePose === undefined ? [] : [{ image, order }]));
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
function streamTimes(images: readonly (ReplayedImage | UnusedImage)[]): bigint[] {
  const clock = new StreamClock();
  return images.map((image) => {
    const { camera, stampNs } = 'recognition' in image ? image.recognition : image;
    return clock.advance(camera, stampNs).timeNs;
  });
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
  const inRange = ({ number }: Asked, { first, last }: ImageRange): boolean => number >= first && number <= last;
  // Of an image of the reference range that could not be read nothing is asked.
  const judged = askedOf(replay).filter(
    (image) => inRange(image, queries) || (image.recognition !== undefined && inRange(image, references)),
  );
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
  const truth = parseGroundTruth(text, replay.count, referenceIds.length, file);
  return judge(askedOf(replay), truth, new Map(Array.from(referenceIds, (id, index) => [id, index])));
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
