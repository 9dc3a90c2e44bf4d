import { VprError } from '../core/VprError.js';
import { FEATURES } from './Evidence.js';
import type { Preset, RecognizerSettings } from './RecognizerSettings.js';

export const PRESETS: readonly Preset[] = ['precision', 'balanced', 'recall'];

/** Target false-positive rate of each preset: accepted answers among images whose place is not in the map. */
export const TARGET_FALSE_POSITIVE_RATE: Readonly<Record<Preset, number>> = {
  precision: 0.001,
  balanced: 0.01,
  recall: 0.05,
};

/** Rises whenever the features change: an older calibration says nothing then. */
export const CONFIDENCE_FORMAT = 3;

/** P(right) = isotonic(sigmoid(weights . features)). */
export interface Calibrator {
  /** [FEATURES.length]. */
  readonly weights: readonly number[];
  /** Monotone correction, linear between its knots: x ascending in [0,1], y non-decreasing in [0,1]. Empty: none. */
  readonly isotonic: { readonly x: readonly number[]; readonly y: readonly number[] };
  /** Confidence from which an answer is accepted, by preset. */
  readonly thresholds: Readonly<Record<Preset, number>>;
}

/** P(right | geometry too) = sigmoid(weights . (1, logit(P without it), sqrt(inliers))). */
export interface GeometryTerm {
  /** [3]. */
  readonly weights: readonly number[];
  /** Confidence from which an answer is accepted, by preset. */
  readonly thresholds: Readonly<Record<Preset, number>>;
}

/** The documented probability model of a map or a model; stored as JSON in the map's meta or beside the model. */
export interface ConfidenceModel {
  readonly formatVersion: typeof CONFIDENCE_FORMAT;
  /** "generic", or what it was fitted on. */
  readonly fittedOn: string;
  /** Model it was fitted for; another model's is not used. Empty: any. */
  readonly modelSha256: string;
  readonly features: readonly string[];
  /** One image alone. */
  readonly single: Calibrator;
  /** With the temporal filter's log-odds. */
  readonly temporal: Calibrator;
  /** For answers whose pictures were compared; absent: the comparison does not change the confidence. */
  readonly geometry?: { readonly single: GeometryTerm; readonly temporal: GeometryTerm };
  /** log P(z | right) / P(z | wrong) = offset + slope * z, for the filter. */
  readonly likelihood: { readonly offset: number; readonly slope: number };
  /** Figures of the fit, for people. */
  readonly figures: Readonly<Record<string, number>>;
}

export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

export function logit(probability: number): number {
  return Math.log(probability / (1 - probability));
}

/** Linear between the knots, constant outside them. */
export function interpolate(x: readonly number[], y: readonly number[], at: number): number {
  if (x.length === 0) return at;
  if (at <= x[0]!) return y[0]!;
  const last = x.length - 1;
  if (at >= x[last]!) return y[last]!;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (x[middle]! <= at) low = middle;
    else high = middle;
  }
  const part = (at - x[low]!) / (x[high]! - x[low]!);
  return y[low]! + part * (y[high]! - y[low]!);
}

/** P(right), 0...1. features: [FEATURES.length]. */
export function confidenceOf(calibrator: Pick<Calibrator, 'weights' | 'isotonic'>, features: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < features.length; i++) sum += calibrator.weights[i]! * features[i]!;
  return interpolate(calibrator.isotonic.x, calibrator.isotonic.y, sigmoid(sum));
}

/**
 * Confidences from which an answer is accepted, and from which it anchors the odometry gate. A preset stricter than `balanced`
 * anchors as `balanced` does: with fewer anchors it would let through what a looser one knows to contradict the odometry.
 */
export function thresholdsFor(
  thresholds: Readonly<Record<Preset, number>>,
  { acceptanceProbability, preset }: Pick<RecognizerSettings, 'acceptanceProbability' | 'preset'>,
): { readonly threshold: number; readonly anchorThreshold: number } {
  const threshold = acceptanceProbability || thresholds[preset];
  return { threshold, anchorThreshold: Math.min(threshold, thresholds.balanced) };
}

/** Probabilities are kept this far from 0 and 1 before the pictures have their say: no place is beyond doubt. */
const LEAST_DOUBT = 1e-3;

/** Inputs of a geometry term: [3]. confidence: without geometry, 0...1; inliers: key points that agree. */
export function geometryFeatures(confidence: number, inliers: number): [number, number, number] {
  const doubtful = Math.min(1 - LEAST_DOUBT, Math.max(LEAST_DOUBT, confidence));
  return [1, logit(doubtful), Math.sqrt(inliers)];
}

/** P(right), 0...1, of an answer whose pictures were compared. */
export function confidenceWithGeometry(
  { weights }: Pick<GeometryTerm, 'weights'>,
  confidence: number,
  inliers: number,
): number {
  return sigmoid(geometryFeatures(confidence, inliers).reduce((sum, value, i) => sum + value * weights[i]!, 0));
}

/**
 * For a model that nobody fitted a confidence for: only features that mean the same for every network (standardised by
 * the background, ranks, the filter). From `vpr tune --any-model` with models/training/model, isotonic step left out and the thresholds
 * carried through it; with
 * another network it ranks answers well, but its probabilities are only roughly right until `vpr tune`.
 */
export const GENERIC_CONFIDENCE: ConfidenceModel = {
  formatVersion: CONFIDENCE_FORMAT,
  fittedOn: 'generic',
  modelSha256: '',
  features: FEATURES,
  //          bias, sim, z, marginZ, agree, logN, temporal, sequence, sequenceLead, guidedLead
  single: {
    weights: [-2.466, 0, 0.237, 1.894, 3.277, 0, 0, 0, 0, 0],
    isotonic: { x: [], y: [] },
    thresholds: { precision: 0.9998, balanced: 0.9884, recall: 0.9021 },
  },
  temporal: {
    weights: [-0.343, 0, 0, 0.574, 0, 0, 0.227, 0.102, 0.021, 0.248],
    isotonic: { x: [], y: [] },
    thresholds: { precision: 0.9904, balanced: 0.9583, recall: 0.8514 },
  },
  likelihood: { offset: -1.54, slope: 1.19 },
  figures: {},
};

function isNumbers(value: unknown, least: number, most: number): value is number[] {
  return (
    Array.isArray(value) &&
    value.length <= 10_000 &&
    value.every((item) => typeof item === 'number' && item >= least && item <= most)
  );
}

/** True for a calibration of an older format, which is to be passed over: nothing is wrong with its file. */
export function isOutdatedConfidence(json: string): boolean {
  try {
    const version = (JSON.parse(json) as { formatVersion?: unknown } | null)?.formatVersion;
    return typeof version === 'number' && version < CONFIDENCE_FORMAT;
  } catch {
    return false;
  }
}

/** Reads a model from JSON. Throws CALIBRATION_INVALID naming the field. */
export function parseConfidenceModel(json: string, where: string): ConfidenceModel {
  const fail = (expected: string, name: string): never => {
    throw new VprError('CALIBRATION_INVALID', `Expected ${expected} for ${name} of the calibration [${where}]`);
  };
  let value: Partial<Record<keyof ConfidenceModel, unknown>>;
  try {
    value = JSON.parse(json) as typeof value;
  } catch (error) {
    throw new VprError('CALIBRATION_INVALID', `Expected JSON for the calibration [${where}]`, { cause: error });
  }
  if (typeof value !== 'object' || value === null) return fail('an object', 'the root');
  if (value.formatVersion !== CONFIDENCE_FORMAT) fail(String(CONFIDENCE_FORMAT), 'formatVersion');
  if (JSON.stringify(value.features) !== JSON.stringify(FEATURES)) fail(FEATURES.join(', '), 'features');
  for (const name of ['single', 'temporal'] as const) {
    const part = value[name] as Partial<Calibrator> | undefined;
    if (!isNumbers(part?.weights, -1e6, 1e6) || part.weights.length !== FEATURES.length)
      fail(`${FEATURES.length} numbers`, `${name}.weights`);
    const { x, y } = (part?.isotonic ?? {}) as { x?: unknown; y?: unknown };
    if (!isNumbers(x, 0, 1) || !isNumbers(y, 0, 1) || x.length !== y.length) fail('knots in 0...1', `${name}.isotonic`);
    else if (x.some((at, i) => i > 0 && (at <= x[i - 1]! || y[i]! < y[i - 1]!)))
      fail('ascending knots', `${name}.isotonic`);
    for (const preset of PRESETS)
      if (!isNumbers([part?.thresholds?.[preset]], 0, 1)) fail('0...1', `${name}.thresholds.${preset}`);
  }
  if (value.geometry !== undefined)
    for (const name of ['single', 'temporal'] as const) {
      const term = (value.geometry as Partial<Record<string, Partial<GeometryTerm>>> | null)?.[name];
      if (!isNumbers(term?.weights, -1e6, 1e6) || term.weights.length !== 3)
        fail('3 numbers', `geometry.${name}.weights`);
      for (const preset of PRESETS)
        if (!isNumbers([term?.thresholds?.[preset]], 0, 1)) fail('0...1', `geometry.${name}.thresholds.${preset}`);
    }
  const likelihood = value.likelihood as Partial<ConfidenceModel['likelihood']> | undefined;
  if (!isNumbers([likelihood?.offset, likelihood?.slope], -1e3, 1e3)) fail('offset and slope', 'likelihood');
  if (typeof value.fittedOn !== 'string') fail('a string', 'fittedOn');
  if (typeof value.modelSha256 !== 'string') fail('a string', 'modelSha256');
  if (typeof value.figures !== 'object' || value.figures === null) fail('an object', 'figures');
  return value as ConfidenceModel;
}
