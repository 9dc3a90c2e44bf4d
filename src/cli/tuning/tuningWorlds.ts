import path from 'node:path';
import { readFileSync } from 'node:fs';
import type { ImageSource } from '../../bag/ImageSource.js';
import { openImageSource } from '../../bag/openImageSource.js';
import type { RgbImage } from '../../core/image.js';
import { angleBetween, distanceBetween, type Pose } from '../../core/pose.js';
import type { NewReference } from '../../core/reference.js';
import type { StampedImage } from '../../core/StampedImage.js';
import { messageOf, VprError } from '../../core/VprError.js';
import { parseGroundTruth } from '../../evaluation/groundTruth.js';
import type { DescriptorExtractor } from '../../inference/DescriptorExtractor.js';
import type { DescribedQuery } from '../../recognizer/PlaceRecognizer.js';
import { buildTown } from '../../sample/buildTown.js';
import { seedOf } from '../../sample/random.js';
import { SAMPLE_CONDITIONS, type SampleConditionName } from '../../sample/SampleCondition.js';
import { SampleTraverse, type TraverseFrame } from '../../sample/SampleTraverse.js';
import { describeImage } from '../../worker/describeImage.js';
import type { TuningQuery, TuningWorld, Verdict } from './TuningWorld.js';

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

async function describe(image: StampedImage, extractor: DescriptorExtractor): Promise<TuningQuery> {
  const described: DescribedQuery = { ...(await describeImage(image, extractor)), pixels: NO_PIXELS };
  return { image: { ...image, image: { kind: 'compressed', format: '', data: new Uint8Array() } }, described };
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

export interface SampleWorldOptions {
  readonly seed: number;
  readonly condition: SampleConditionName;
  readonly frames: number;
  readonly rule: PositiveRule;
  readonly onImage?: () => void;
}

/** Two drives through a rendered town: references by day, queries in another light, 2 m to the left. */
export async function sampleTuningWorld(
  extractor: DescriptorExtractor,
  { seed, condition, frames, rule, onImage }: SampleWorldOptions,
): Promise<TuningWorld> {
  const spacingM = 2;
  const town = buildTown({ seed, routeM: frames * spacingM, aliasedM: 24 });
  const drive = (number: number, name: SampleConditionName, leftM: number): SampleTraverse =>
    new SampleTraverse(town, {
      seed: seedOf(seed, number),
      condition: SAMPLE_CONDITIONS[name],
      frames,
      spacingM,
      leftM,
    });
  const look = async (frame: TraverseFrame): Promise<TuningQuery> => {
    const { width, height, data } = frame.render('front');
    onImage?.();
    return describe(
      {
        image: { kind: 'raw', encoding: 'rgb8', width, height, step: width * 3, isBigEndian: false, data },
        camera: 'front',
        frameId: 'front',
        stampNs: frame.stampNs,
        name: `frame ${frame.index}`,
        odometry: frame.odometry,
      },
      extractor,
    );
  };
  const [mapped, driven] = [drive(0, 'day', -1.5), drive(1, condition, 0.5)];
  const references: NewReference[] = [];
  for (const frame of mapped.frames) references.push(referenceOf(await look(frame), frame.index, frame.truth));
  const queries: TuningQuery[] = [];
  for (const frame of driven.frames) queries.push(await look(frame));
  return {
    name: `sample world ${seed}, ${condition}`,
    dimension: extractor.manifest.descriptorDimension,
    references,
    queries,
    verdict: (query, reference) => verdictByPoses(driven.frames[query]!.truth, mapped.frames[reference]!.truth, rule),
  };
}

async function describeAll(
  source: ImageSource,
  extractor: DescriptorExtractor,
  onImage?: () => void,
): Promise<TuningQuery[]> {
  const described: TuningQuery[] = [];
  try {
    for await (const image of source) {
      described.push(await describe(image, extractor));
      onImage?.();
    }
  } finally {
    await source.close();
  }
  return described;
}

/** A folder with reference/, query/ and ground_truth.json. */
export async function setTuningWorld(
  extractor: DescriptorExtractor,
  folder: string,
  onImage?: () => void,
): Promise<TuningWorld> {
  const references = await describeAll(await openImageSource(path.join(folder, 'reference')), extractor, onImage);
  const queries = await describeAll(await openImageSource(path.join(folder, 'query')), extractor, onImage);
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
  return {
    name: path.basename(folder),
    dimension: extractor.manifest.descriptorDimension,
    references: references.map((reference, index) => referenceOf(reference, index, undefined)),
    queries,
    verdict: (query, reference) => (positives[query]!.has(reference) ? 'right' : 'wrong'),
  };
}

export interface BagWorldOptions {
  readonly references: readonly (NewReference & { readonly pose?: Pose })[];
  readonly source: ImageSource;
  readonly truthTopic: string;
  readonly odometryTopic?: string;
  readonly rule: PositiveRule;
  readonly onImage?: () => void;
}

/** A bag with true poses, against the references of a map whose poses are in the same frame. */
export async function bagTuningWorld(extractor: DescriptorExtractor, options: BagWorldOptions): Promise<TuningWorld> {
  const { source, truthTopic, odometryTopic, rule, onImage } = options;
  const truth = await source.readPoses(truthTopic);
  const odometry = odometryTopic === undefined ? undefined : await source.readPoses(odometryTopic);
  const references = options.references.filter(({ pose }) => pose !== undefined);
  if (references.length === 0)
    throw new VprError(
      'POSES_INVALID',
      'Expected a map whose references have poses for tuning by poses, got none with one',
    );
  const queries = (await describeAll(source, extractor, onImage))
    .filter(({ image }) => truth.at(image.stampNs) !== undefined)
    .map((query) => {
      const odomFromBase = odometry?.at(query.image.stampNs);
      return odomFromBase === undefined ? query : { ...query, image: { ...query.image, odometry: odomFromBase } };
    });
  const poses = queries.map(({ image }) => truth.at(image.stampNs)!);
  return {
    name: source.summary.path,
    dimension: extractor.manifest.descriptorDimension,
    references,
    queries,
    verdict: (query, reference) => verdictByPoses(poses[query]!, references[reference]!.pose!, rule),
  };
}
