import { areNeighbours, type Neighbourhood } from './Candidate.js';
import type { Belief } from './PlaceFilter.js';

/** The place that the filter speaks for. */
export interface ChosenHypothesis {
  /** Index of the sighting. */
  readonly sighting: number;
  /** P(robot in its neighbourhood), 0...1. */
  readonly mass: number;
  /** Score of the best way into the neighbourhood, and of the best way to anywhere else. */
  readonly score: number;
  readonly rivalScore: number;
}

/**
 * The neighbourhood to which the best way leads, and in it the sighting at which the robot most probably is. belief: after
 * an update with `sightings` sightings, at least 1.
 */
export function chooseHypothesis(belief: Belief, sightings: number, neighbourhood: Neighbourhood): ChosenHypothesis {
  const { hypotheses } = belief;
  let centre = 0;
  for (let i = 1; i < sightings; i++) {
    const [a, b] = [hypotheses[i]!, hypotheses[centre]!];
    if (a.score > b.score || (a.score === b.score && a.mass > b.mass)) centre = i;
  }
  const isNear = (from: number, i: number): boolean =>
    areNeighbours(hypotheses[from]!.reference, hypotheses[i]!.reference, neighbourhood);
  let sighting = centre;
  for (let i = 0; i < sightings; i++)
    if (hypotheses[i]!.mass > hypotheses[sighting]!.mass && isNear(centre, i)) sighting = i;
  let [mass, score, rivalScore] = [0, 0, 0];
  for (let i = 0; i < hypotheses.length; i++)
    if (isNear(sighting, i)) {
      if (i < sightings) mass += hypotheses[i]!.mass;
      score = Math.max(score, hypotheses[i]!.score);
    } else rivalScore = Math.max(rivalScore, hypotheses[i]!.score);
  return { sighting, mass, score, rivalScore };
}
