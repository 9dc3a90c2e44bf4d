import { sigmoid, TARGET_FALSE_POSITIVE_RATE } from '../../recognizer/ConfidenceModel.js';
import { PlaceJudge } from '../../recognizer/PlaceJudge.js';
import type { Preset, RecognizerSettings } from '../../recognizer/RecognizerSettings.js';
import type { JudgedEvidence, Play } from './playWorld.js';

/** Part of the target that a fit aims at: wrong answers come in runs, so that the next worlds' rate varies. */
const AIM = 0.7;
/** Accepted negatives that are few enough to be chance: with fewer the rate is extrapolated. */
const LEAST_ACCEPTED = 3;
const STEPS = 11;

/**
 * Confidence from which an answer is accepted, by preset: the least one at which the whole decision (confirmation by
 * several images and the odometry gate included) accepts at most the target's part of the images whose place the map
 * does not show. A confidence alone would have to be much higher, since one image never decides. In 0...1, precision >= balanced >= recall.
 * confidenceIn: the confidence that is thresholded; images for which it is undefined are left out.
 */
export function presetThresholds(
  plays: readonly Play[],
  kind: 'single' | 'temporal',
  confidenceIn: (seen: JudgedEvidence) => number | undefined,
  settings: RecognizerSettings,
): Record<Preset, number> {
  const claims = plays.map(({ images }) =>
    images.flatMap((image) => {
      const seen = image[kind];
      const confidence = seen === undefined ? 0 : confidenceIn(seen);
      return confidence === undefined ? [] : [{ ...image, claimed: seen?.evidence, confidence }];
    }),
  );
  const negatives = claims.flat().filter(({ truth }) => truth === 'not shown');
  const decided: RecognizerSettings = kind === 'single' ? { ...settings, temporalFilter: 'none' } : settings;
  const acceptedAt = (threshold: number, anchorThreshold: number): number => {
    let accepted = 0;
    for (const images of claims) {
      const judge = new PlaceJudge('localization');
      for (const { truth, image, claimed, confidence } of images) {
        const weighed = { confidence, singleConfidence: confidence, threshold, anchorThreshold };
        const judgement = judge.judge(
          claimed === undefined ? weighed : { ...weighed, evidence: claimed },
          image,
          decided,
        );
        if (judgement.accepted && truth === 'not shown') accepted++;
      }
    }
    return accepted;
  };
  const thresholdOf = (preset: Preset, mostOfAnchors: number): number => {
    const target = AIM * TARGET_FALSE_POSITIVE_RATE[preset];
    const allowed = target * negatives.length;
    if (allowed < LEAST_ACCEPTED)
      return extrapolatedThreshold(
        negatives.map(({ confidence }) => confidence),
        target,
      );
    let [low, high] = [0, 16];
    for (let step = 0; step < STEPS; step++) {
      const middle = (low + high) / 2;
      const threshold = sigmoid(middle);
      if (acceptedAt(threshold, Math.min(threshold, mostOfAnchors)) <= allowed) high = middle;
      else low = middle;
    }
    return sigmoid(high);
  };
  // The others anchor the odometry gate no later than `balanced` does (thresholdsFor).
  const anchor = thresholdOf('balanced', 1);
  const recall = thresholdOf('recall', anchor);
  // Counted and extrapolated thresholds need not be in order; no preset may accept what one that allows more errors rejects.
  const balanced = Math.max(anchor, recall);
  return { precision: Math.max(balanced, thresholdOf('precision', anchor)), balanced, recall };
}

/**
 * Least confidence at which the part of the negatives above it is the target, where they are too few to resolve it: the
 * tail is taken to fall exponentially in log-odds, from the rate of one in ten. Without negatives: 1 - target.
 */
export function extrapolatedThreshold(negatives: readonly number[], target: number): number {
  if (negatives.length === 0) return 1 - target;
  const sorted = negatives.toSorted((a, b) => b - a);
  const odds = (p: number): number => Math.log(Math.max(p, 1e-9) / Math.max(1 - p, 1e-9));
  const tail = sorted.slice(0, Math.max(2, Math.ceil(sorted.length / 10)));
  const base = odds(tail.at(-1)!);
  const mean = tail.reduce((sum, p) => sum + odds(p) - base, 0) / tail.length;
  const rate = tail.length / sorted.length;
  const at = base + Math.max(0.05, mean) * Math.log(Math.max(1, rate / target));
  return Math.min(1 - 1e-6, sigmoid(at));
}
