import { composePoses, type Pose } from '../core/pose.js';
import type { Reference } from '../core/reference.js';

/** What happened between two images. */
export interface Motion {
  /** Seconds since the last image, >= 0. */
  readonly elapsedS: number;
  /** lastFromNow by odometry, where there is some. */
  readonly odometry?: Pose;
}

export interface FilterSettings {
  readonly kidnapProbability: number;
  readonly maxSpeedMps: number;
  /** Odometry's standard deviation, as a fraction of the distance. */
  readonly odometryDrift: number;
  /** Distance between neighbouring references, metres. */
  readonly spacingM: number;
}

/** One reference that the last image resembles. */
export interface Sighting {
  readonly reference: Reference;
  /** log P(what was seen | robot at the reference) / P(what was seen | robot elsewhere). */
  readonly logLikelihoodRatio: number;
}

export interface Belief {
  /** P(robot at sighting i), in the order of the sightings. */
  readonly sightings: Float64Array;
  /** P(robot at none of the map's references). */
  readonly outside: number;
}

interface Hypothesis {
  readonly reference: Reference;
  mass: number;
}

/** Hypotheses carried from one image to the next: at most so many, and none of less mass than this. */
const MAX_HYPOTHESES = 48;
const LEAST_MASS = 1e-4;
/** Mean likelihood ratio, as a logarithm, of references that the search did not even list. */
const UNLISTED = -2;
/** P(an image of a robot outside the map is followed by one inside). */
const ENTER_PROBABILITY = 0.05;
/** References of another time than the motion explains, seconds, where the map has no poses. */
const SPREAD_S = 1.5;

/**
 * Bayes filter over the references of a map and "outside of it" (forward algorithm). Only references that were sighted
 * lately carry a mass of their own; all others share one, so that an image costs O(sightings * hypotheses), whatever the
 * size of the map. With a small probability the robot is anywhere: kidnapping is no surprise that it cannot recover from.
 */
export class PlaceFilter {
  #hypotheses: Hypothesis[] = [];
  /** Shared by all references that are no hypothesis. */
  #rest = 0.5;
  #outside = 0.5;

  reset(): void {
    this.#hypotheses = [];
    this.#rest = 0.5;
    this.#outside = 0.5;
  }

  /** references: size of the map. Moves the belief, weighs it by the sightings, returns it. */
  update(sightings: readonly Sighting[], references: number, motion: Motion, settings: FilterSettings): Belief {
    const states = this.#states(sightings);
    this.#predict(states, references, motion, settings);
    // Images of one view in quick succession are one piece of evidence, not many.
    const moved = motion.odometry === undefined ? 0 : lengthOf(motion.odometry);
    const news = Math.min(1, 0.1 + Math.max(motion.elapsedS, moved / Math.max(0.1, settings.spacingM)));
    const lowest = sightings.reduce((least, sighting) => Math.min(least, sighting.logLikelihoodRatio), UNLISTED);
    for (let i = 0; i < states.length; i++) {
      const ratio = i < sightings.length ? sightings[i]!.logLikelihoodRatio : lowest;
      states[i]!.mass *= Math.exp(news * ratio);
    }
    this.#rest *= Math.exp(news * UNLISTED);
    this.#normalise(states);
    const belief = Float64Array.from(sightings, (_, i) => states[i]!.mass);
    this.#keep(states);
    return { sightings: belief, outside: this.#outside };
  }

  /** The sighted references first, then hypotheses that were not sighted this time; masses 0. */
  #states(sightings: readonly Sighting[]): Hypothesis[] {
    const states: Hypothesis[] = sightings.map(({ reference }) => ({ reference, mass: 0 }));
    const sighted = new Set(sightings.map(({ reference }) => reference.referenceId));
    for (const { reference } of this.#hypotheses)
      if (!sighted.has(reference.referenceId)) states.push({ reference, mass: 0 });
    return states;
  }

  #predict(states: Hypothesis[], references: number, motion: Motion, settings: FilterSettings): void {
    const kidnap = settings.kidnapProbability;
    const weights = new Float64Array(states.length);
    for (const { reference, mass } of this.#hypotheses) {
      const from = reference.pose;
      const expected =
        from !== undefined && motion.odometry !== undefined ? composePoses(from, motion.odometry) : undefined;
      let sum = 0;
      for (let i = 0; i < states.length; i++) {
        const weight = moveWeight(reference, expected, states[i]!.reference, motion, settings);
        weights[i] = weight;
        sum += weight;
      }
      // The hypothesis itself is among the states, but odometry may have moved the robot away from all that are known.
      const scale = ((1 - kidnap) * mass) / Math.max(sum, 1);
      for (let i = 0; i < states.length; i++) states[i]!.mass += scale * weights[i]!;
      if (sum < 1) this.#rest += (1 - kidnap) * mass * (1 - sum);
      this.#rest += (kidnap / 2) * mass;
      this.#outside += (kidnap / 2) * mass;
    }
    const entering = this.#outside * ENTER_PROBABILITY;
    this.#outside += this.#rest * (kidnap / 2) - entering;
    this.#rest += entering - this.#rest * (kidnap / 2);
    const share = this.#rest / Math.max(references, states.length, 1);
    for (const state of states) state.mass += share;
    this.#rest = Math.max(0, this.#rest - share * states.length);
  }

  #normalise(states: readonly Hypothesis[]): void {
    const total = states.reduce((sum, { mass }) => sum + mass, this.#rest + this.#outside);
    if (!(total > 0) || !Number.isFinite(total)) {
      this.reset();
      return;
    }
    for (const state of states) state.mass /= total;
    this.#rest /= total;
    this.#outside /= total;
  }

  /** Keeps the heaviest; the mass of the others goes to the rest. */
  #keep(states: readonly Hypothesis[]): void {
    const sorted = states.toSorted((a, b) => b.mass - a.mass || a.reference.referenceId - b.reference.referenceId);
    let kept = 0;
    while (kept < sorted.length && kept < MAX_HYPOTHESES && sorted[kept]!.mass >= LEAST_MASS) kept++;
    this.#hypotheses = sorted.slice(0, kept);
    for (let i = kept; i < sorted.length; i++) this.#rest += sorted[i]!.mass;
  }
}

/** Unnormalised weight of a robot at `from` being at `to` now; 1 where the motion explains it fully. */
function moveWeight(
  from: Reference,
  expected: Pose | undefined,
  to: Reference,
  { elapsedS, odometry }: Motion,
  { maxSpeedMps, odometryDrift, spacingM }: FilterSettings,
): number {
  if (from.pose !== undefined && to.pose !== undefined) {
    const spread = Math.max(0.1, spacingM);
    if (expected !== undefined && odometry !== undefined)
      return gaussian(separation(expected, to.pose) / (spread + odometryDrift * lengthOf(odometry)));
    return gaussian(Math.max(0, separation(from.pose, to.pose) - maxSpeedMps * elapsedS) / spread);
  }
  if (from.placeId === to.placeId) return 1;
  if (from.sessionId !== to.sessionId) return 0;
  // No poses: the map was driven at about the speed of now, so twice the time explains twice the speed.
  const apartS = Math.abs(Number(to.stampNs - from.stampNs)) / 1e9;
  return gaussian(Math.max(0, apartS - 2 * elapsedS) / SPREAD_S);
}

// Thousands of these an image: Math.hypot, which guards against overflow, takes ten times as long as a square root.
function separation(a: Pose, b: Pose): number {
  const [ax, ay, az] = a.position;
  const [bx, by, bz] = b.position;
  return Math.sqrt((ax - bx) * (ax - bx) + (ay - by) * (ay - by) + (az - bz) * (az - bz));
}

function lengthOf({ position: [x, y, z] }: Pose): number {
  return Math.sqrt(x * x + y * y + z * z);
}

/** exp(-s^2 / 2); nothing beyond 6 sigmas. */
function gaussian(sigmas: number): number {
  return sigmas > 6 ? 0 : Math.exp(-0.5 * sigmas * sigmas);
}
