import path from 'node:path';
import { readFileSync } from 'node:fs';
import type { ImageSource } from '../../bag/ImageSource.js';
import { openImageSource } from '../../bag/openImageSource.js';
import type { BinaryCode } from '../../core/binaryCode.js';
import type { Descriptor } from '../../core/descriptor.js';
import type { RgbImage } from '../../core/image.js';
import { angleBetween, distanceBetween, type Pose } from '../../core/pose.js';
import type { NewReference } from '../../core/reference.js';
import type { StampedImage } from '../../core/StampedImage.js';
import { messageOf, VprError } from '../../core/VprError.js';
import { parseGroundTruth } from '../../evaluation/groundTruth.js';
import type { KeyPoints } from '../../geometry/KeyPoints.js';
import { encodeThumbnail } from '../../image/encodeThumbnail.js';
import type { DescriptorExtractor } from '../../inference/DescriptorExtractor.js';
import type { DescribedQuery } from '../../recognizer/PlaceRecognizer.js';
import { describeImage } from '../../worker/describeImage.js';
import { keyPointsOf, keyPointsOfThumbnail } from '../../worker/ThumbnailComparer.js';
import { SkippedImages } from '../SkippedImages.js';
import type { SampleDrive } from './SampleDrive.js';
import type { TuningQuery, TuningWorld, Verdict } from './TuningWorld.js';

/** Width of the thumbnails of a map, as `thumbnail_px` has it. */
const THUMBNAIL_PX = 160;
/** A described image keeps no pixels: thousands of them are held at once. */
const NO_PIXELS: RgbImage = { width: 0, height: 0, data: new Uint8Array() };

/** Answers up to this many times the positive distance are neither right nor wrong. */
const UNCLEAR_FACTOR = 2;

export interface PositiveRule {
  readonly distanceM: number;
  readonly angleDeg: number;
}

/** By true poses: right within the rule, wrong beyond twice its distance, unclear between. */
export function verdictByPoses(query: Pose, reference: Pose, { distanceM, angleDeg }: PositiveRule): Verdict {
  const distance = distanceBetween(query, reference);
  if (distance > UNCLEAR_FACTOR * distanceM) return 'wrong';
  const turned = (angleBetween(query, reference) * 180) / Math.PI > angleDeg;
  if (turned) return 'unclear';
  return distance <= distanceM ? 'right' : 'unclear';
}

/** Whether a picture is asked, or kept by the map as a thumbnail. */
export type PictureRole = 'query' | 'reference';

/** Key points of a picture as the node has them in this role. */
export async function keyPointsIn(role: PictureRole, pixels: RgbImage, name: string): Promise<KeyPoints> {
  return role === 'query'
    ? keyPointsOf(pixels)
    : keyPointsOfThumbnail(await encodeThumbnail(pixels, THUMBNAIL_PX), name);
}

async function describe(image: StampedImage, extractor: DescriptorExtractor, role: PictureRole): Promise<TuningQuery> {
  const { pixels, ...rest } = await describeImage(image, extractor);
  const described: DescribedQuery = { ...rest, pixels: NO_PIXELS };
  return {
    image: { ...image, image: { kind: 'compressed', format: '', data: new Uint8Array() } },
    described,
    keyPoints: await keyPointsIn(role, pixels, image.name),
  };
}

function referenceOf({ image, described }: TuningQuery, index: number, pose: Pose | undefined): NewReference {
  return {
    placeId: index + 1,
    label: image.name,
    camera: image.camera,
    stampNs: image.stampNs,
    code: described.code,
    descriptor: described.descriptor,
    ...(pose === undefined ? {} : { pose }),
  };
}

/** A drive through a rendered town, described. */
export interface DescribedDrive {
  readonly name: string;
  readonly pictures: readonly TuningQuery[];
  /** Where each picture was taken. */
  readonly truths: readonly Pose[];
}

export async function describeDrive(
  extractor: DescriptorExtractor,
  drive: SampleDrive,
  role: PictureRole,
  onImage?: () => void,
): Promise<DescribedDrive> {
  const pictures: TuningQuery[] = [];
  for await (const image of drive) {
    pictures.push(await describe(image, extractor, role));
    onImage?.();
  }
  return { name: drive.key, pictures, truths: drive.truths };
}

/** One drive as the map, another through the same town as the queries. */
export function drivenTuningWorld(
  name: string,
  dimension: number,
  { mapped, driven, rule }: { readonly mapped: DescribedDrive; readonly driven: DescribedDrive; rule: PositiveRule },
): TuningWorld {
  return {
    name,
    dimension,
    references: mapped.pictures.map((picture, index) => referenceOf(picture, index, mapped.truths[index])),
    referenceKeyPoints: mapped.pictures.map(({ keyPoints }) => keyPoints),
    queries: driven.pictures,
    verdict: (query, reference) => verdictByPoses(driven.truths[query]!, mapped.truths[reference]!, rule),
  };
}

/** One side of a set. Its ground truth goes by position: a picture that cannot be used ends the work. */
async function describeSide(
  folder: string,
  extractor: DescriptorExtractor,
  role: PictureRole,
  onImage?: () => void,
): Promise<TuningQuery[]> {
  const source = await openImageSource(path.join(folder, role), {
    onProblem: (problem) => {
      throw problem;
    },
  });
  const described: TuningQuery[] = [];
  try {
    for await (const image of source) {
      described.push(await describe(image, extractor, role));
      onImage?.();
    }
  } finally {
    await source.close();
  }
  return described;
}

/** A folder with reference/, query/ and ground_truth.json, whose "unclear" references are neither right nor wrong. */
export async function setTuningWorld(
  extractor: DescriptorExtractor,
  folder: string,
  onImage?: () => void,
): Promise<TuningWorld> {
  const references = await describeSide(folder, extractor, 'reference', onImage);
  const queries = await describeSide(folder, extractor, 'query', onImage);
  const file = path.join(folder, 'ground_truth.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new VprError('GROUND_TRUTH_INVALID', `Expected a ground truth, got: ${messageOf(error)} [${file}]`, {
      cause: error,
    });
  }
  const truth = parseGroundTruth(text, queries.length, references.length, file);
  const positives = truth.positives.map((row) => new Set(row));
  const unclear = truth.unclear?.map((row) => new Set(row));
  return {
    name: path.basename(folder),
    dimension: extractor.manifest.descriptorDimension,
    references: references.map((reference, index) => referenceOf(reference, index, undefined)),
    referenceKeyPoints: references.map(({ keyPoints }) => keyPoints),
    queries,
    verdict: (query, reference) => {
      if (positives[query]!.has(reference)) return 'right';
      return unclear?.[query]!.has(reference) === true ? 'unclear' : 'wrong';
    },
  };
}

export interface BagWorldOptions {
  readonly references: readonly (NewReference & { readonly pose?: Pose })[];
  /** Codes of queries, where the map of the references has a projection of its own. */
  readonly encode: ((descriptor: Descriptor) => BinaryCode) | undefined;
  readonly source: ImageSource;
  /** Frame of the references' poses. */
  readonly mapFrame: string;
  readonly truthTopic: string;
  readonly odometryTopic?: string;
  readonly rule: PositiveRule;
  readonly onImage?: () => void;
  /** Told of each image that could not be used. */
  readonly onSkipped?: (problem: VprError) => void;
}

/** A bag with true poses, against the references of a map whose poses are in the same frame. Throws POSES_INVALID. */
export async function bagTuningWorld(extractor: DescriptorExtractor, options: BagWorldOptions): Promise<TuningWorld> {
  const { source, mapFrame, truthTopic, odometryTopic, rule, onImage, onSkipped, encode } = options;
  const truth = await source.readPoses(truthTopic);
  if (truth.frameId !== '' && truth.frameId !== mapFrame)
    throw new VprError(
      'POSES_INVALID',
      `Expected true poses in the map's frame '${mapFrame}', got '${truth.frameId}' [${source.summary.path}, ${truthTopic}]`,
    );
  const odometry = odometryTopic === undefined ? undefined : await source.readPoses(odometryTopic);
  const references = options.references.filter(({ pose }) => pose !== undefined);
  if (references.length === 0)
    throw new VprError(
      'POSES_INVALID',
      'Expected a map whose references have poses for tuning by poses, got none with one',
    );
  const queries: TuningQuery[] = [];
  const poses: Pose[] = [];
  const skipped = new SkippedImages();
  for await (const image of source) {
    const pose = truth.at(image.stampNs);
    if (pose === undefined) continue;
    const odomFromBase = odometry?.at(image.stampNs);
    try {
      const driven = odomFromBase === undefined ? image : { ...image, odometry: odomFromBase };
      queries.push(await describe(driven, extractor, 'query'));
      poses.push(pose);
    } catch (error) {
      const problem = skipped.add(error);
      onSkipped?.(problem);
    }
    onImage?.();
  }
  return {
    name: source.summary.path,
    dimension: extractor.manifest.descriptorDimension,
    references,
    referenceKeyPoints: await Promise.all(
      references.map(({ thumbnail, label }) =>
        thumbnail === undefined ? undefined : keyPointsOfThumbnail(thumbnail, label),
      ),
    ),
    queries,
    ...(encode === undefined ? {} : { encode }),
    verdict: (query, reference) => verdictByPoses(poses[query]!, references[reference]!.pose!, rule),
  };
}
