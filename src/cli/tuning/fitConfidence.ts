import { calibrationError, type ClaimedProbability } from '../../evaluation/calibrationError.js';
import { fitIsotonic } from '../../evaluation/fitIsotonic.js';
import { fitLogistic } from '../../evaluation/fitLogistic.js';
import {
  confidenceOf,
  GENERIC_CONFIDENCE,
  PRESETS,
  sigmoid,
  TARGET_FALSE_POSITIVE_RATE,
  type Calibrator,
  type ConfidenceModel,
} from '../../recognizer/ConfidenceModel.js';
import { FEATURES } from '../../recognizer/Evidence.js';
import type { Preset, RecognizerSettings } from '../../recognizer/RecognizerSettings.js';
import { aThird, collectEvidence, type LabelledEvidence } from './collectEvidence.js';
import type { TuningWorld } from './TuningWorld.js';

const FOLDS = 5;

interface Labelled {
  readonly world: string;
  readonly answerable: boolean;
  readonly features: Float64Array;
  readonly right: boolean;
}

/** What a feature may mean: only more of it speaks for the place, only less, or nothing. */
const SIGNS: Readonly<Record<(typeof FEATURES)[number], 1 | -1 | 0>> = {
  bias: 0,
  similarity: 1,
  zScore: 1,
  marginZ: 1,
  hamming: -1,
  hammingMargin: 1,
  agreement: 1,
  logReferences: -1,
  temporal: 1,
};
/** Sizes of maps, in decades, that the data must span before the size is a feature: else it is the worlds' accident. */
const LEAST_DECADES = 1;

/**
 * Logistic weights whose signs make sense: a feature that comes out the wrong way round (an accident of few worlds that
 * would be absurd elsewhere) is left out and the rest fitted again.
 */
function fitSigned(data: readonly Labelled[], left: ReadonlySet<string>): Float64Array {
  const sizes = data.map(({ features }) => features[FEATURES.indexOf('logReferences')]!);
  const decades = sizes.reduce((a, b) => Math.max(a, b), -Infinity) - sizes.reduce((a, b) => Math.min(a, b), Infinity);
  const out = new Set<number>(
    FEATURES.flatMap((name, i) => (left.has(name) || (name === 'logReferences' && decades < LEAST_DECADES) ? [i] : [])),
  );
  for (;;) {
    const weights = fitLogistic(
      data.map(({ features, right }) => ({
        features: features.map((value, i) => (out.has(i) ? 0 : value)),
        label: right,
      })),
    );
    const wrong = FEATURES.findIndex((name, i) => !out.has(i) && SIGNS[name] * weights[i]! < 0);
    if (wrong < 0) return weights;
    out.add(wrong);
  }
}

function scoreOf(weights: Float64Array, features: Float64Array): number {
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

/**
 * Least confidence at which the part of accepted answers among the negatives is at most the target. With fewer negatives
 * than the target can resolve, the tail is taken to fall exponentially in log-odds, from the rate of one in ten.
 */
export function thresholdFor(negatives: readonly number[], target: number): number {
  const sorted = negatives.toSorted((a, b) => b - a);
  const allowed = Math.floor(target * sorted.length);
  if (sorted.length === 0) return 1 - target;
  if (allowed >= 3) return Math.min(1, sorted[allowed]! + 1e-9);
  const odds = (p: number): number => Math.log(Math.max(p, 1e-9) / Math.max(1 - p, 1e-9));
  const tail = sorted.slice(0, Math.max(2, Math.ceil(sorted.length / 10)));
  const base = odds(tail.at(-1)!);
  const mean = tail.reduce((sum, p) => sum + odds(p) - base, 0) / tail.length;
  const rate = tail.length / sorted.length;
  const at = base + Math.max(0.05, mean) * Math.log(Math.max(1, rate / target));
  return Math.min(1 - 1e-6, sigmoid(at));
}

function fitCalibrator(
  data: readonly Labelled[],
  strangers: readonly Labelled[],
  left: ReadonlySet<string>,
): { calibrator: Calibrator; heldOut: ClaimedProbability[] } {
  const weights = fitSigned(data, left);
  const heldOut = crossFitted(data, left);
  const isotonic = fitIsotonic(heldOut);
  const draft: Calibrator = {
    weights: Array.from(weights),
    isotonic,
    thresholds: GENERIC_CONFIDENCE.single.thresholds,
  };
  const negatives = [...data.filter(({ answerable }) => !answerable), ...strangers].map(({ features }) =>
    confidenceOf(draft, features),
  );
  const thresholds = Object.fromEntries(
    PRESETS.map((preset) => [preset, thresholdFor(negatives, TARGET_FALSE_POSITIVE_RATE[preset])]),
  ) as Record<Preset, number>;
  return { calibrator: { ...draft, thresholds }, heldOut };
}

/** log P(z | right) / P(z | wrong) = offset + slope * z, with equal weight on both. */
function fitLikelihood(evidence: readonly LabelledEvidence[]): { offset: number; slope: number } {
  const right = evidence.flatMap(({ zRight }) => zRight);
  const wrong = evidence.flatMap(({ zWrong }) => zWrong);
  if (right.length < 20 || wrong.length < 20) return GENERIC_CONFIDENCE.likelihood;
  const [offset, slope] = fitLogistic([
    ...right.map((z) => ({ features: [1, z], label: true, weight: 1 / right.length })),
    ...wrong.map((z) => ({ features: [1, z], label: false, weight: 1 / wrong.length })),
  ]) as unknown as [number, number];
  return { offset, slope: Math.max(0, slope) };
}

/** Other worlds whose queries are played against each world's map. */
const STRANGERS = 4;

/** Queries of one world against the map of another: places that the map does not hold, for the thresholds alone. */
async function playStrangers(
  worlds: readonly TuningWorld[],
  settings: RecognizerSettings,
  confidence: ConfidenceModel,
): Promise<LabelledEvidence[]> {
  const all: LabelledEvidence[] = [];
  for (let home = 0; home < worlds.length; home++)
    for (let step = 1; step <= Math.min(STRANGERS, worlds.length - 1); step++) {
      const { queries, name } = worlds[(home + step) % worlds.length]!;
      const mixed: TuningWorld = {
        ...worlds[home]!,
        queries,
        name: `${name} in ${worlds[home]!.name}`,
        verdict: () => 'wrong',
      };
      all.push(...(await collectEvidence(mixed, { settings, confidence })));
    }
  return all;
}

export interface FittedConfidence {
  readonly model: ConfidenceModel;
  readonly queries: number;
  readonly negatives: number;
}

/** Everything that a fit needs of its worlds. */
export interface TuningEvidence {
  readonly likelihood: { readonly offset: number; readonly slope: number };
  readonly own: readonly LabelledEvidence[];
  readonly strangers: readonly LabelledEvidence[];
}

/**
 * Plays each world against its whole map and against two thirds of it, so that places that are not in the map are part
 * of the fit: once to fit the filter's likelihood, once with the filter running on it; then against other worlds' maps.
 */
export async function gatherEvidence(
  worlds: readonly TuningWorld[],
  settings: RecognizerSettings,
): Promise<TuningEvidence> {
  const play = async (confidence: ConfidenceModel): Promise<LabelledEvidence[]> => {
    const all: LabelledEvidence[] = [];
    for (const world of worlds)
      for (const without of [undefined, aThird(world.references.length)])
        all.push(
          ...(await collectEvidence(world, { settings, confidence, ...(without === undefined ? {} : { without }) })),
        );
    return all;
  };
  const likelihood = fitLikelihood(await play(GENERIC_CONFIDENCE));
  const confidence = { ...GENERIC_CONFIDENCE, likelihood };
  return { likelihood, own: await play(confidence), strangers: await playStrangers(worlds, settings, confidence) };
}

/**
 * Fits the two calibrators, with the filter and without. Figures are out-of-fold.
 * left: features to leave out (similarities and distances mean another thing with another model).
 */
export function fitConfidence(
  { likelihood, own, strangers }: TuningEvidence,
  identity: { readonly modelSha256: string; readonly fittedOn: string },
  left: ReadonlySet<string> = new Set(),
): FittedConfidence {
  const pick = (kind: 'single' | 'temporal', from: readonly LabelledEvidence[]): Labelled[] =>
    from.flatMap(({ world, answerable, ...item }) => {
      const part = item[kind];
      return part === undefined ? [] : [{ world, answerable, ...part }];
    });
  const filtered = own.some(({ temporal }) => temporal !== undefined) ? 'temporal' : 'single';
  const single = fitCalibrator(pick('single', own), pick('single', strangers), left);
  const temporal = fitCalibrator(pick(filtered, own), pick(filtered, strangers), left);
  const [ofSingle, ofTemporal] = [calibrationError(single.heldOut), calibrationError(temporal.heldOut)];
  const round = (value: number): number => Math.round(value * 1e5) / 1e5;
  const negatives = own.filter(({ answerable }) => !answerable).length + strangers.length;
  return {
    queries: own.length,
    negatives,
    model: {
      formatVersion: 1,
      fittedOn: identity.fittedOn,
      modelSha256: identity.modelSha256,
      features: FEATURES,
      single: single.calibrator,
      temporal: temporal.calibrator,
      likelihood,
      figures: {
        queries: own.length,
        negatives,
        singleCalibrationError: round(ofSingle.expectedCalibrationError),
        singleBrier: round(ofSingle.brier),
        temporalCalibrationError: round(ofTemporal.expectedCalibrationError),
        temporalBrier: round(ofTemporal.brier),
      },
    },
  };
}
