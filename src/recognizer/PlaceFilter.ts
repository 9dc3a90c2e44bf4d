import { composePoses, type Pose, type Vector3 } from '../core/pose.js';
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
  /** As Candidate.headingUnknown. */
  readonly headingUnknown?: boolean;
  /** log P(what was seen | robot at the reference) / P(what was seen | robot elsewhere). */
  readonly logLikelihoodRatio: number;
}

/** A reference at which the robot may be. */
export interface Hypothesis {
  readonly reference: Reference;
  /** As it was when the reference was sighted last. */
  readonly headingUnknown: boolean;
  /** P(robot at the reference), 0...1. */
  mass: number;
  /** What the best way that leads here has seen for itself: a sum of log-likelihood ratios, 0...MOST_SCORE. */
  score: number;
}

export interface Belief {
  /** The sightings in their order, then references that were sighted lately but not now. */
  readonly hypotheses: readonly Readonly<Hypothesis>[];
  /** P(robot at none of the map's references). */
  readonly outside: number;
}

/** Hypotheses carried from one image to the next: at most so many of each kind, and none below these. */
const MOST_BY_MASS = 48;
const LEAST_MASS = 1e-4;
const MOST_BY_SCORE = 16;
const LEAST_SCORE = 1;
/** Mean likelihood ratio, as a logarithm, of references that the search did not even list. */
const UNLISTED = -2;
/** P(an image of a robot outside the map is followed by one inside), and the other way round. */
const ENTER_PROBABILITY = 0.05;
const LEAVE_PROBABILITY = 0.03;
/** Part of a way's score that lasts to the next image: a robot that leaves the map must be noticed. */
const SCORE_MEMORY = 0.94;
const MOST_SCORE = 20;
/** How much a way that strains the motion model without poses (a robot's speed is anyone's guess) costs its score. */
const BLIND_STRAIN = 0.3;
/** Maps without poses: deviation of the time driven in the map from the time that passed, as a part of it, and seconds. */
const BLIND_SPREAD = 0.75;
const BLIND_SPREAD_S = 0.5;

/**
 * Bayes filter over the references of a map and "outside of it" (forward algorithm), and beside it the score of the best
 * way to each reference (max-sum, as SeqSLAM's search for a line, but along the motion model). The masses say where the
 * robot is; they soon come near 1, because kidnapping is always possible. The scores go on telling a way that fitted for
 * long from one that has fitted just now. Only references that were sighted lately carry a mass of their own; all others
 * share one, so that an image costs O(sightings * hypotheses), whatever the size of the map.
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
    // Images of one view in quick succession are one piece of evidence, not many.
    const moved = motion.odometry === undefined ? 0 : lengthOf(motion.odometry);
    const news = Math.min(1, 0.1 + Math.max(motion.elapsedS, moved / Math.max(0.1, settings.spacingM)));
    this.#predict(states, references, motion, { ...settings, memory: SCORE_MEMORY ** news });
    const lowest = sightings.reduce((least, sighting) => Math.min(least, sighting.logLikelihoodRatio), UNLISTED);
    for (let i = 0; i < states.length; i++) {
      const evidence = news * (i < sightings.length ? sightings[i]!.logLikelihoodRatio : lowest);
      const state = states[i]!;
      state.mass *= Math.exp(evidence);
      state.score = Math.min(MOST_SCORE, Math.max(0, state.score + evidence));
    }
    this.#rest *= Math.exp(news * UNLISTED);
    this.#normalise(states);
    this.#keep(states);
    return { hypotheses: states, outside: this.#outside };
  }

  /** The sighted references first, then hypotheses that were not sighted this time; masses and scores 0. */
  #states(sightings: readonly Sighting[]): Hypothesis[] {
    const states: Hypothesis[] = sightings.map(({ reference, headingUnknown = false }) => ({
      reference,
      headingUnknown,
      mass: 0,
      score: 0,
    }));
    const sighted = new Set(sightings.map(({ reference }) => reference.referenceId));
    for (const { reference, headingUnknown } of this.#hypotheses)
      if (!sighted.has(reference.referenceId)) states.push({ reference, headingUnknown, mass: 0, score: 0 });
    return states;
  }

  #predict(
    states: Hypothesis[],
    references: number,
    motion: Motion,
    settings: FilterSettings & { readonly memory: number },
  ): void {
    const kidnap = settings.kidnapProbability;
    const weights = new Float64Array(states.length);
    const positions = positionsOf(states);
    for (const { reference, headingUnknown, mass, score } of this.#hypotheses) {
      const expected = expectedAfter(reference.pose, headingUnknown, motion.odometry);
      const carried = score * settings.memory;
      const strain = reference.pose === undefined ? BLIND_STRAIN : 1;
      let sum = 0;
      moveWeights(reference, expected, states, positions, motion.elapsedS, settings, weights);
      for (let i = 0; i < states.length; i++) {
        const state = states[i]!;
        const weight = weights[i]!;
        sum += weight;
        // Only a way that could win is worth its power function.
        if (weight > 0 && carried > state.score)
          state.score = Math.max(state.score, strain === 1 ? carried * weight : carried * weight ** strain);
      }
      // The hypothesis itself is among the states, but odometry may have moved the robot away from all that are known.
      const stays = (1 - kidnap - LEAVE_PROBABILITY) * mass;
      const scale = stays / Math.max(sum, 1);
      for (let i = 0; i < states.length; i++) states[i]!.mass += scale * weights[i]!;
      if (sum < 1) this.#rest += stays * (1 - sum);
      this.#rest += kidnap * mass;
      this.#outside += LEAVE_PROBABILITY * mass;
    }
    const [entering, leaving] = [this.#outside * ENTER_PROBABILITY, this.#rest * LEAVE_PROBABILITY];
    this.#outside += leaving - entering;
    this.#rest += entering - leaving;
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

  /** Keeps the heaviest and those of the highest scores; the mass of the others goes to the rest. */
  #keep(states: readonly Hypothesis[]): void {
    const byId = (a: Hypothesis, b: Hypothesis): number => a.reference.referenceId - b.reference.referenceId;
    const kept = new Set([
      ...states
        .filter(({ mass }) => mass >= LEAST_MASS)
        .sort((a, b) => b.mass - a.mass || byId(a, b))
        .slice(0, MOST_BY_MASS),
      ...states
        .filter(({ score }) => score >= LEAST_SCORE)
        .sort((a, b) => b.score - a.score || byId(a, b))
        .slice(0, MOST_BY_SCORE),
    ]);
    this.#hypotheses = [...kept];
    for (const state of states) if (!kept.has(state)) this.#rest += state.mass;
  }
}

/** [n, 3], metres; NaN without a pose. */
function positionsOf(states: readonly Hypothesis[]): Float64Array {
  const positions = new Float64Array(states.length * 3).fill(NaN);
  for (let i = 0; i < states.length; i++) {
    const { pose } = states[i]!.reference;
    if (pose !== undefined) positions.set(pose.position, i * 3);
  }
  return positions;
}

/** Standard deviations beyond which a way is impossible. */
const MOST_SIGMAS = 6;

/** Where a robot is that drove by odometry: on a circle about a point, of radius 0 where its heading was known. */
interface Expected {
  readonly centre: Vector3;
  readonly radiusM: number;
  /** Metres by odometry. */
  readonly drivenM: number;
}

/** from: mapFromBase before the motion. Undefined without odometry or without a pose. */
function expectedAfter(
  from: Pose | undefined,
  headingUnknown: boolean,
  odometry: Pose | undefined,
): Expected | undefined {
  if (from === undefined || odometry === undefined) return undefined;
  const drivenM = lengthOf(odometry);
  // How far the wheels went is known, not in which direction.
  if (headingUnknown) return { centre: from.position, radiusM: drivenM, drivenM };
  return { centre: composePoses(from, odometry).position, radiusM: 0, drivenM };
}

/**
 * Unnormalised weights of a robot at `from` being at each state now; 1 where the motion explains it fully.
 * positions: [n, 3] of the states; out: [n].
 */
function moveWeights(
  from: Reference,
  expected: Expected | undefined,
  states: readonly Hypothesis[],
  positions: Float64Array,
  elapsedS: number,
  { maxSpeedMps, odometryDrift, spacingM }: FilterSettings,
  out: Float64Array,
): void {
  const [x, y, z] = expected?.centre ?? from.pose?.position ?? [NaN, NaN, NaN];
  const spread = Math.max(0.1, spacingM);
  const sigma = expected === undefined ? spread : spread + odometryDrift * expected.drivenM;
  const nearest = expected?.radiusM ?? 0;
  const free = expected?.radiusM ?? maxSpeedMps * elapsedS;
  const farthest = free + MOST_SIGMAS * sigma;
  const limit = farthest * farthest;
  for (let i = 0, p = 0; i < states.length; i++, p += 3) {
    const dx = positions[p]! - x;
    const dy = positions[p + 1]! - y;
    const dz = positions[p + 2]! - z;
    const squared = dx * dx + dy * dy + dz * dz;
    // Thousands of these an image, and nearly all are too far: those cost no root and no exponential.
    if (squared > limit) out[i] = 0;
    else if (squared <= limit) {
      const distance = Math.sqrt(squared);
      out[i] = gaussian(Math.max(0, distance - free, nearest - distance) / sigma);
    } else out[i] = blindWeight(from, states[i]!.reference, elapsedS);
  }
}

/** Where one of the two has no pose: the way is driven again in its direction, at about the speed of then. */
function blindWeight(from: Reference, to: Reference, elapsedS: number): number {
  if (from.placeId === to.placeId) return 1;
  if (from.sessionId !== to.sessionId) return 0;
  // Standing and twice the speed are likely.
  const drivenS = Number(to.stampNs - from.stampNs) / 1e9;
  return gaussian((drivenS - elapsedS) / (BLIND_SPREAD * elapsedS + BLIND_SPREAD_S));
}

function lengthOf({ position: [x, y, z] }: Pose): number {
  return Math.sqrt(x * x + y * y + z * z);
}

/** exp(-s^2 / 2); nothing beyond MOST_SIGMAS. */
function gaussian(sigmas: number): number {
  return sigmas > MOST_SIGMAS ? 0 : Math.exp(-0.5 * sigmas * sigmas);
}
