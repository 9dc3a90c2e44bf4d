import type { Recognition } from '../../core/recognition.js';
import type { NewReference, ReferenceId } from '../../core/reference.js';
import type { StampedImage } from '../../core/StampedImage.js';
import { PlaceMap } from '../../map/PlaceMap.js';
import type { ConfidenceModel } from '../../recognizer/ConfidenceModel.js';
import type { Evidence } from '../../recognizer/Evidence.js';
import type { GeometricChecker } from '../../recognizer/GeometricCheck.js';
import type { JudgedImage } from '../../recognizer/PlaceJudge.js';
import { PlaceRecognizer, type KeyframeStore, type Observation } from '../../recognizer/PlaceRecognizer.js';
import type { RecognizerSettings } from '../../recognizer/RecognizerSettings.js';
import { createPlaceSearch } from '../../search/createPlaceSearch.js';
import { countInliers } from './countInliers.js';
import type { TuningQuery, TuningWorld, Verdict } from './TuningWorld.js';

/** A reported place, and whether it is right. */
export interface JudgedEvidence {
  readonly evidence: Evidence;
  readonly verdict: Verdict;
  /** Key points that agree with the reported reference's; absent where they cannot be compared. */
  readonly inliers?: number;
}

/** What one image of a play said, and what was true. */
export interface PlayedImage {
  /** Whether the map shows the image's place; unclear: the ground truth cannot tell. */
  readonly truth: 'shown' | 'not shown' | 'unclear';
  /** What the decision knew besides the evidence. */
  readonly image: JudgedImage;
  /** The most similar candidate, and the filter's; absent where there was none. */
  readonly single?: JudgedEvidence;
  readonly temporal?: JudgedEvidence;
  /** z-scores of candidates that are the place, and of those that are not. */
  readonly zRight: readonly number[];
  readonly zWrong: readonly number[];
  readonly recognition: Recognition;
}

/** The images of a drive against a map, in their order. */
export interface Play {
  readonly world: string;
  readonly images: readonly PlayedImage[];
}

export interface PlayOptions {
  readonly settings: RecognizerSettings;
  readonly confidence: ConfidenceModel;
  /** References that are left out of the map: an open world. */
  readonly without?: (reference: number) => boolean;
  /** fixed: a map is there; growing: it is made of the references on the way (slam), and asked all the while. */
  readonly map?: 'fixed' | 'growing';
}

/** Every second of six stretches in a row of references: a third of the map, so that queries drive in and out of it. */
export function aThird(references: number): (reference: number) => boolean {
  return (reference) => [1, 4].includes(Math.floor((6 * reference) / references));
}

/** The world as a camera alone sees it: no poses in the map, no odometry. */
export function withoutPoses(world: TuningWorld): TuningWorld {
  const blind = ({ image, camera, frameId, stampNs, name }: StampedImage): StampedImage => ({
    image,
    camera,
    frameId,
    stampNs,
    name,
  });
  return {
    ...world,
    references: world.references.map(({ placeId, label, camera, stampNs, code, descriptor }) => ({
      placeId,
      label,
      camera,
      stampNs,
      code,
      descriptor,
    })),
    queries: world.queries.map((query) => ({ ...query, image: blind(query.image) })),
  };
}

/** Seconds between the last reference and the first query of a world that is driven in one go. */
const PAUSE_S = 5;

/** The references as images of a drive that the queries follow on. */
function drivenInOneGo({ references, referenceKeyPoints, queries }: TuningWorld): TuningQuery[] {
  const nothing = { width: 0, height: 0, data: new Uint8Array() };
  const first = references.map(({ camera, stampNs, label, code, descriptor }, index): TuningQuery => {
    const keyPoints = referenceKeyPoints?.[index];
    const image = { kind: 'compressed', format: '', data: new Uint8Array() } as const;
    return {
      image: { image, camera, frameId: camera, stampNs, name: label },
      described: { code, descriptor, pixels: nothing, decodeMs: 0, inferenceMs: 0 },
      ...(keyPoints === undefined ? {} : { keyPoints }),
    };
  });
  const lateNs = (references.at(-1)?.stampNs ?? 0n) - (queries[0]?.image.stampNs ?? 0n) + BigInt(PAUSE_S * 1e9);
  const second = queries.map((query) => ({
    ...query,
    image: { ...query.image, stampNs: query.image.stampNs + lateNs },
  }));
  return [...first, ...second];
}

/**
 * Plays a world's queries, in their order, against a map of its references: fixed, or growing. A growing map takes in the
 * images of the references only, so that the ground truth of the queries tells about all of it.
 */
export async function playWorld(world: TuningWorld, options: PlayOptions): Promise<Play> {
  const { references } = world;
  const growing = options.map === 'growing';
  const map = PlaceMap.createTemporary({
    modelName: 'tuning',
    modelSha256: '0'.repeat(64),
    descriptorDimension: world.dimension,
    storage: 'f32',
    mapFrame: 'map',
    poseKind: 'mapFromBase',
    childFrame: '',
    binarizer: { kind: 'model' },
  });
  map.beginSession('tuning', world.name);
  const search = createPlaceSearch({ store: map });
  try {
    const indexOf = new Map<ReferenceId, number>();
    const add = (indices: readonly number[]): ReferenceId[] => {
      const ids = map.appendReferences(indices.map((index): NewReference => references[index]!));
      ids.forEach((id, i) => indexOf.set(id, indices[i]!));
      return ids;
    };
    const queries = growing ? drivenInOneGo(world) : world.queries;
    const laps = growing ? references.length : 0;
    if (!growing) {
      add(references.map((_, index) => index).filter((index) => options.without?.(index) !== true));
      for (const { referenceIds, codes } of map.codes()) search.addBlock(referenceIds, codes);
    }
    let asked = 0;
    const keyframes: KeyframeStore = {
      isKeyframe: () => asked < laps,
      add: () => Promise.resolve({ referenceId: add([asked])[0]!, placeId: references[asked]!.placeId }),
    };
    const inliersOf = (id: ReferenceId): number | undefined =>
      countInliers(queries[asked]!.keyPoints, world.referenceKeyPoints?.[indexOf.get(id)!]);
    const geometry: GeometricChecker = {
      check: (_query, _camera, { referenceId }) => {
        const inliers = inliersOf(referenceId);
        return Promise.resolve(inliers === undefined ? undefined : { inliers });
      },
    };
    const recognizer = new PlaceRecognizer({
      describe() {
        const { described } = queries[asked]!;
        return Promise.resolve(
          world.encode === undefined ? described : { ...described, code: world.encode(described.descriptor) },
        );
      },
      map,
      search,
      confidence: options.confidence,
      settings: options.settings,
      mode: growing ? 'slam' : 'localization',
      geometry,
      ...(growing ? { keyframes } : {}),
      now: () => 0,
    });
    let observation: Observation | undefined;
    recognizer.onObservation = (seen) => {
      observation = seen;
    };
    const images: PlayedImage[] = [];
    for (; asked < queries.length; asked++) {
      // Images of the first lap show what the map does not hold yet.
      const verdictOf = (id: ReferenceId): Verdict =>
        asked < laps ? 'wrong' : world.verdict(asked - laps, indexOf.get(id)!);
      const truth = asked < laps ? 'not shown' : truthOf(Array.from(indexOf.keys(), verdictOf));
      const recognition = await recognizer.recognize(queries[asked]!.image);
      images.push({ truth, ...judgedObservation(observation!, verdictOf, inliersOf), recognition });
    }
    return { world: world.name, images };
  } finally {
    await search.close();
    map.close();
  }
}

function truthOf(verdicts: readonly Verdict[]): PlayedImage['truth'] {
  if (verdicts.includes('right')) return 'shown';
  return verdicts.includes('unclear') ? 'unclear' : 'not shown';
}

function judgedObservation(
  { weighed, image }: Observation,
  verdictOf: (id: ReferenceId) => Verdict,
  inliersOf: (id: ReferenceId) => number | undefined,
): Omit<PlayedImage, 'truth' | 'recognition'> {
  const { candidates, zScores, single, evidence } = weighed;
  const judged = (seen: Evidence): JudgedEvidence => {
    const { referenceId } = seen.best.reference;
    const inliers = inliersOf(referenceId);
    return { evidence: seen, verdict: verdictOf(referenceId), ...(inliers === undefined ? {} : { inliers }) };
  };
  const zOf = (verdict: Verdict): number[] =>
    zScores.filter((_, i) => verdictOf(candidates[i]!.reference.referenceId) === verdict);
  return {
    image,
    ...(single === undefined ? {} : { single: judged(single) }),
    ...(evidence === undefined ? {} : { temporal: judged(evidence) }),
    zRight: zOf('right'),
    zWrong: zOf('wrong'),
  };
}
