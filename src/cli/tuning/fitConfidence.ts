import { VprError } from '../../core/VprError.js';
import { calibrationError, type ClaimedProbability } from '../../evaluation/calibrationError.js';
import { fitIsotonic } from '../../evaluation/fitIsotonic.js';
import { fitLogistic } from '../../evaluation/fitLogistic.js';
import {
  CONFIDENCE_FORMAT,
  confidenceOf,
  GENERIC_CONFIDENCE,
  sigmoid,
  type Calibrator,
  type ConfidenceModel,
} from '../../recognizer/ConfidenceModel.js';
import { FEATURES } from '../../recognizer/Evidence.js';
import type { RecognizerSettings } from '../../recognizer/RecognizerSettings.js';
import { fitGeometry } from './fitGeometry.js';
import { aThird, playWorld, withoutPoses, type JudgedEvidence, type Play } from './playWorld.js';
import { presetThresholds } from './presetThresholds.js';
import type { TuningWorld } from './TuningWorld.js';

const FOLDS = 5;
/** Right answers, and wrong ones, below which a fit says more of its few images than of the map. */
const LEAST_ANSWERS = 20;

/** An answer that the ground truth can judge. */
export interface Labelled {
  readonly world: string;
  readonly features: Float64Array;
  readonly right: boolean;
  /** The map shows the image's place. */
  readonly shown: boolean;
  /** Importance; 1 by default. */
  readonly weight?: number;
}

/** What a feature may mean: only more of it speaks for the place, only less, or nothing. */
const SIGNS: Readonly<Record<(typeof FEATURES)[number], 1 | -1 | 0>> = {
  bias: 0,
  similarity: 1,
  zScore: 1,
  marginZ: 1,
  agreement: 1,
  logReferences: -1,
  temporal: 1,
  sequence: 1,
  sequenceLead: 1,
  guidedLead: 1,
};
/** Sizes of maps, in decades, that the data must span before the size is a feature: else it is the worlds' accident. */
const LEAST_DECADES = 1;

/**
 * Logistic weights whose signs make sense: a feature that comes out the wrong way round (an accident of few worlds that
 * would be absurd elsewhere) is left out and the rest fitted again.
 */
export function fitSigned(data: readonly Labelled[], left: ReadonlySet<string>): Float64Array {
  const sizes = data.map(({ features }) => features[FEATURES.indexOf('logReferences')]!);
  const decades = sizes.reduce((a, b) => Math.max(a, b), -Infinity) - sizes.reduce((a, b) => Math.min(a, b), Infinity);
  const out = new Set<number>(
    FEATURES.flatMap((name, i) => (left.has(name) || (name === 'logReferences' && decades < LEAST_DECADES) ? [i] : [])),
  );
  for (;;) {
    const weights = fitLogistic(
      data.map(({ features, right, weight = 1 }) => ({
        features: features.map((value, i) => (out.has(i) ? 0 : value)),
        label: right,
        weight,
      })),
    );
    const wrong = FEATURES.findIndex((name, i) => !out.has(i) && SIGNS[name] * weights[i]! < 0);
    if (wrong < 0) return weights;
    out.add(wrong);
  }
}

export function scoreOf(weights: Float64Array, features: Float64Array): number {
  return sigmoid(features.reduce((sum, value, i) => sum + value * weights[i]!, 0));
}

/** Out-of-fold probabilities: each world (or stretch of a lone world) is judged by a fit on the others. */
function crossFitted(data: readonly Labelled[], left: ReadonlySet<string>): ClaimedProbability[] {
  const worlds = [...new Set(data.map(({ world }) => world))];
  const foldOf = new Map<Labelled, number>(
    data.map((item, i) => [
      item,
      worlds.length >= FOLDS ? worlds.indexOf(item.world) % FOLDS : Math.floor((i * 2 * FOLDS) / data.length) % FOLDS,
    ]),
  );
  return Array.from({ length: FOLDS }, (_, fold) => fold).flatMap((fold) => {
    const others = data.filter((item) => foldOf.get(item) !== fold);
    const held = data.filter((item) => foldOf.get(item) === fold);
    if (others.length === 0 || held.length === 0) return [];
    const weights = fitSigned(others, left);
    return held.map(({ features, right }) => ({ confidence: scoreOf(weights, features), correct: right }));
  });
}

/** Answers of plays that the ground truth can judge. */
export function labelled(plays: readonly Play[], kind: 'single' | 'temporal'): Labelled[] {
  return plays.flatMap(({ world, images }) =>
    images.flatMap((image) => {
      const part = image[kind];
      if (part === undefined || part.verdict === 'unclear' || image.truth === 'unclear') return [];
      const { features } = part.evidence;
      return [{ world, features, right: part.verdict === 'right', shown: image.truth === 'shown' }];
    }),
  );
}

function fitCalibrator(
  { own, strange, settings }: TuningEvidence,
  kind: 'single' | 'temporal',
  left: ReadonlySet<string>,
): { calibrator: Calibrator; heldOut: ClaimedProbability[] } {
  const data = labelled(own, kind);
  const right = data.filter((answer) => answer.right).length;
  if (Math.min(right, data.length - right) < LEAST_ANSWERS)
    throw new VprError(
      'CALIBRATION_INVALID',
      `Expected at least ${LEAST_ANSWERS} right and ${LEAST_ANSWERS} wrong answers to fit a confidence on, got ${right} and ${data.length - right}: are the true poses in the map's frame, and is the positive distance right?`,
    );
  const weights = fitSigned(data, left);
  const heldOut = crossFitted(data, left);
  const draft = { weights: Array.from(weights), isotonic: fitIsotonic(heldOut) };
  const confidenceIn = ({ evidence }: JudgedEvidence): number => confidenceOf(draft, evidence.features);
  const thresholds = presetThresholds([...own, ...strange], kind, confidenceIn, settings);
  return { calibrator: { ...draft, thresholds }, heldOut };
}

/** log P(z | right) / P(z | wrong) = offset + slope * z, with equal weight on both. */
function fitLikelihood(plays: readonly Play[]): { offset: number; slope: number } {
  const images = plays.flatMap((play) => play.images);
  const right = images.flatMap(({ zRight }) => zRight);
  const wrong = images.flatMap(({ zWrong }) => zWrong);
  if (right.length < 20 || wrong.length < 20) return GENERIC_CONFIDENCE.likelihood;
  const [offset, slope] = fitLogistic([
    ...right.map((z) => ({ features: [1, z], label: true, weight: 1 / right.length })),
    ...wrong.map((z) => ({ features: [1, z], label: false, weight: 1 / wrong.length })),
  ]) as unknown as [number, number];
  return { offset, slope: Math.max(0, slope) };
}

/** Other worlds whose queries are played against each world's map, with poses and without. */
const STRANGERS = 3;
const BLIND_STRANGERS = 2;

/** Queries of one world against the map of another: places that the map does not hold, for the thresholds alone. */
async function playStrangers(
  worlds: readonly TuningWorld[],
  settings: RecognizerSettings,
  confidence: ConfidenceModel,
): Promise<Play[]> {
  const plays: Play[] = [];
  for (const [home, world] of worlds.entries())
    for (let step = 1; step <= Math.min(STRANGERS, worlds.length - 1); step++) {
      const { queries, name } = worlds[(home + step) % worlds.length]!;
      const strange: TuningWorld = { ...world, queries, name: `${name} in ${world.name}`, verdict: () => 'wrong' };
      plays.push(await playWorld(strange, { settings, confidence }));
      if (step <= BLIND_STRANGERS && hasPoses(world))
        plays.push(await playWorld(withoutPoses(strange), { settings, confidence }));
    }
  return plays;
}

function hasPoses({ references }: TuningWorld): boolean {
  return references.some(({ pose }) => pose !== undefined);
}

export interface FittedConfidence {
  readonly model: ConfidenceModel;
  readonly queries: number;
  readonly negatives: number;
}

/** Everything that a fit needs of its worlds. */
export interface TuningEvidence {
  readonly likelihood: { readonly offset: number; readonly slope: number };
  readonly own: readonly Play[];
  /** Plays with many images that the map does not show, for the thresholds alone: they would spoil the base rate. */
  readonly strange: readonly Play[];
  readonly settings: RecognizerSettings;
}

/**
 * Plays each world against its whole map and against two thirds of it, so that places that are not in the map are part
 * of the fit: once to fit the filter's likelihood, once with the filter running on it. Worlds with poses are played
 * without them too, and in one go while the map grows. Then against other worlds' maps.
 */
export async function gatherEvidence(
  worlds: readonly TuningWorld[],
  settings: RecognizerSettings,
): Promise<TuningEvidence> {
  const playBoth = async (world: TuningWorld, confidence: ConfidenceModel): Promise<Play[]> => [
    await playWorld(world, { settings, confidence }),
    await playWorld(world, { settings, confidence, without: aThird(world.references.length) }),
  ];
  const first: Play[] = [];
  for (const world of worlds) first.push(...(await playBoth(world, GENERIC_CONFIDENCE)));
  const likelihood = fitLikelihood(first);
  const confidence = { ...GENERIC_CONFIDENCE, likelihood };
  const own: Play[] = [];
  const strange: Play[] = [];
  for (const world of worlds) {
    own.push(...(await playBoth(world, confidence)));
    if (!hasPoses(world)) continue;
    const blind = withoutPoses(world);
    own.push(...(await playBoth(blind, confidence)));
    strange.push(await playWorld(blind, { settings, confidence, map: 'growing' }));
  }
  strange.push(...(await playStrangers(worlds, settings, confidence)));
  return { likelihood, own, strange, settings };
}

/**
 * Fits the two calibrators, with the filter and without. Figures are out-of-fold.
 * left: features to leave out (similarities mean another thing with another model).
 * Throws CALIBRATION_INVALID where too few answers are right, or wrong.
 */
export function fitConfidence(
  evidence: TuningEvidence,
  identity: { readonly modelSha256: string; readonly fittedOn: string },
  left: ReadonlySet<string> = new Set(),
): FittedConfidence {
  const single = fitCalibrator(evidence, 'single', left);
  const temporal = fitCalibrator(evidence, 'temporal', left);
  const ofPictures = {
    single: fitGeometry(evidence, 'single', single.calibrator),
    temporal: fitGeometry(evidence, 'temporal', temporal.calibrator),
  };
  const [ofSingle, ofTemporal] = [calibrationError(single.heldOut), calibrationError(temporal.heldOut)];
  const round = (value: number): number => Math.round(value * 1e5) / 1e5;
  const images = [...evidence.own, ...evidence.strange].flatMap((play) => play.images);
  const negatives = images.filter(({ truth }) => truth === 'not shown').length;
  const queries = images.length;
  return {
    queries,
    negatives,
    model: {
      formatVersion: CONFIDENCE_FORMAT,
      fittedOn: identity.fittedOn,
      modelSha256: identity.modelSha256,
      features: FEATURES,
      single: single.calibrator,
      temporal: temporal.calibrator,
      ...(ofPictures.single === undefined || ofPictures.temporal === undefined
        ? {}
        : { geometry: { single: ofPictures.single, temporal: ofPictures.temporal } }),
      likelihood: evidence.likelihood,
      figures: {
        queries,
        negatives,
        singleCalibrationError: round(ofSingle.expectedCalibrationError),
        singleBrier: round(ofSingle.brier),
        temporalCalibrationError: round(ofTemporal.expectedCalibrationError),
        temporalBrier: round(ofTemporal.brier),
      },
    },
  };
}
