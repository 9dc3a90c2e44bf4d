import { calibrationError, type ClaimedProbability } from '../../evaluation/calibrationError.js';
import { fitIsotonic } from '../../evaluation/fitIsotonic.js';
import { fitLogistic, type LabelledFeatures } from '../../evaluation/fitLogistic.js';
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

const asData = ({ features, right }: Labelled): LabelledFeatures => ({ features, label: right });

function scoreOf(weights: Float64Array, features: Float64Array): number {
  return sigmoid(features.reduce((sum, value, i) => sum + value * weights[i]!, 0));
}

/** Out-of-fold probabilities: each world (or stretch of a lone world) is judged by a fit on the others. */
function crossFitted(data: readonly Labelled[]): ClaimedProbability[] {
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
    const weights = fitLogistic(others.map(asData));
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
): { calibrator: Calibrator; heldOut: ClaimedProbability[] } {
  const weights = fitLogistic(data.map(asData));
  const heldOut = crossFitted(data);
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

/**
 * Fits the confidence on worlds with ground truth: first the filter's likelihood, then, with the filter running on it, the
 * two calibrators. Each world is played against its whole map and against two thirds of it, so that places that are not
 * in the map are part of the fit. Figures are out-of-fold.
 */
export async function fitConfidence(
  worlds: readonly TuningWorld[],
  settings: RecognizerSettings,
  identity: { readonly modelSha256: string; readonly fittedOn: string },
): Promise<FittedConfidence> {
  const play = async (confidence: ConfidenceModel): Promise<LabelledEvidence[]> => {
    const all: LabelledEvidence[] = [];
    for (const world of worlds) {
      all.push(...(await collectEvidence(world, { settings, confidence })));
      all.push(...(await collectEvidence(world, { settings, confidence, without: aThird(world.references.length) })));
    }
    return all;
  };
  const likelihood = fitLikelihood(await play(GENERIC_CONFIDENCE));
  const confidence = { ...GENERIC_CONFIDENCE, likelihood };
  const evidence = await play(confidence);
  const strangers = await playStrangers(worlds, settings, confidence);
  const pick = (kind: 'single' | 'temporal', from: readonly LabelledEvidence[] = evidence): Labelled[] =>
    from.flatMap(({ world, answerable, ...item }) => {
      const part = item[kind];
      return part === undefined ? [] : [{ world, answerable, ...part }];
    });
  const single = fitCalibrator(pick('single'), pick('single', strangers));
  const kind = settings.temporalFilter === 'none' ? 'single' : 'temporal';
  const temporal = fitCalibrator(pick(kind), pick(kind, strangers));
  const figures = (claims: readonly ClaimedProbability[]) => calibrationError(claims);
  const [ofSingle, ofTemporal] = [figures(single.heldOut), figures(temporal.heldOut)];
  const round = (value: number): number => Math.round(value * 1e5) / 1e5;
  const negatives = evidence.filter(({ answerable }) => !answerable).length + strangers.length;
  return {
    queries: evidence.length,
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
        queries: evidence.length,
        negatives,
        singleCalibrationError: round(ofSingle.expectedCalibrationError),
        singleBrier: round(ofSingle.brier),
        temporalCalibrationError: round(ofTemporal.expectedCalibrationError),
        temporalBrier: round(ofTemporal.brier),
      },
    },
  };
}
