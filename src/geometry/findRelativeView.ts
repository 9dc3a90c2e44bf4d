import type { Random } from '../core/mulberry32.js';
import { refineRelativeView } from './refineRelativeView.js';
import { essentialOf, isInFront, sampsonDistance, type RayPairs, type RelativeView } from './RelativeView.js';

export interface RelativeViewOptions {
  /** Largest Sampson distance of a right pair, units of the focal length. */
  readonly tolerance: number;
  /** Samples of five pairs at most. */
  readonly samples: number;
  readonly random: Random;
}

export interface FoundView {
  readonly view: RelativeView;
  /** Indices of the pairs that agree with it, ascending. */
  readonly inliers: readonly number[];
}

const SAMPLE = 5;
const CONFIDENCE = 0.99;

/**
 * RANSAC (Fischler and Bolles, 1981) over samples of five pairs, then least squares over all that agree. Looks for views
 * that are turned by less than about 60 degrees: a place is seen again in about the same direction.
 * pairs: [n, 4]. Undefined with fewer than five pairs or where no view has more than the five that made it.
 */
export function findRelativeView(pairs: RayPairs, options: RelativeViewOptions): FoundView | undefined {
  const { tolerance, random } = options;
  const count = pairs.length / 4;
  if (count < SAMPLE) return undefined;
  let best: RelativeView | undefined;
  let most = SAMPLE;
  let samples = options.samples;
  for (let tried = 0; tried < samples; tried++) {
    const view = refineRelativeView(pairs, drawSample(count, random), randomView(random), {
      steps: 6,
      tolerance: Infinity,
    });
    if (view === undefined) continue;
    const agreeing = countAgreeing(view, pairs, tolerance);
    if (agreeing <= most) continue;
    most = agreeing;
    best = view;
    const hit = (agreeing / count) ** SAMPLE;
    samples = Math.min(samples, tried + Math.ceil(Math.log(1 - CONFIDENCE) / Math.log(1 - Math.min(hit, 1 - 1e-9))));
  }
  if (best === undefined) return undefined;
  let found = { view: best, inliers: agreeingWith(best, pairs, tolerance) };
  for (let round = 0; round < 2; round++) {
    const view = refineRelativeView(pairs, found.inliers, found.view, { steps: 10, tolerance });
    if (view === undefined) break;
    const inliers = agreeingWith(view, pairs, tolerance);
    if (inliers.length < found.inliers.length) break;
    found = { view, inliers };
  }
  return faceForward(found, pairs, 2 * tolerance);
}

function drawSample(count: number, random: Random): number[] {
  const sample: number[] = [];
  while (sample.length < SAMPLE) {
    const pair = Math.floor(random() * count);
    if (!sample.includes(pair)) sample.push(pair);
  }
  return sample;
}

/** Not turned, moved in any direction. */
function randomView(random: Random): RelativeView {
  const z = 2 * random() - 1;
  const angle = 2 * Math.PI * random();
  const r = Math.sqrt(1 - z * z);
  return {
    rotation: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
    direction: Float64Array.of(r * Math.cos(angle), r * Math.sin(angle), z),
  };
}

function countAgreeing(view: RelativeView, pairs: RayPairs, tolerance: number): number {
  const e = essentialOf(view);
  const limit = tolerance * tolerance;
  let count = 0;
  for (let pair = 0; pair * 4 < pairs.length; pair++) if (sampsonDistance(e, pairs, pair) <= limit) count++;
  return count;
}

/** Pairs near their epipolar lines. */
function agreeingWith(view: RelativeView, pairs: RayPairs, tolerance: number): number[] {
  const e = essentialOf(view);
  const limit = tolerance * tolerance;
  return indicesOf(pairs).filter((pair) => sampsonDistance(e, pairs, pair) <= limit);
}

function indicesOf(pairs: RayPairs): number[] {
  return Array.from({ length: pairs.length / 4 }, (_, pair) => pair);
}

/** Epipolar lines do not tell a direction from its opposite: the one that puts more pairs in front of both cameras. */
function faceForward({ view, inliers }: FoundView, pairs: RayPairs, parallel: number): FoundView {
  const opposite: RelativeView = { ...view, direction: view.direction.map((value) => -value) };
  const [ahead, behind] = [view, opposite].map((one) =>
    inliers.filter((pair) => isInFront(one, pairs, pair, parallel)),
  ) as [number[], number[]];
  return behind.length > ahead.length ? { view: opposite, inliers: behind } : { view, inliers: ahead };
}
