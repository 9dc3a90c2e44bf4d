import { expect } from 'chai';
import type { Pose } from '../../../src/core/pose.js';
import type { Reference } from '../../../src/core/reference.js';
import { PlaceFilter, type FilterSettings } from '../../../src/recognizer/PlaceFilter.js';

const SETTINGS: FilterSettings = { kidnapProbability: 0.01, maxSpeedMps: 1.5, odometryDrift: 0.05, spacingM: 2 };

function at(x: number): Pose {
  return { position: [x, 0, 0], orientation: [0, 0, 0, 1] };
}

/** References every 2 m and 1 s along x. */
function reference(index: number): Reference {
  const referenceId = index + 1;
  const stampNs = BigInt(index) * 1_000_000_000n;
  return { referenceId, placeId: referenceId, sessionId: 1, label: '', camera: 'c', stampNs, pose: at(2 * index) };
}

const sight = (index: number, logLikelihoodRatio: number) => ({ reference: reference(index), logLikelihoodRatio });
const ahead = { elapsedS: 1, odometry: at(2) };

describe('PlaceFilter', () => {
  it('gives probabilities that are at most 1 together', () => {
    const filter = new PlaceFilter();
    for (let i = 0; i < 20; i++) {
      const { hypotheses, outside } = filter.update([sight(i, 3), sight(i + 40, 1)], 100, ahead, SETTINGS);
      const sum = hypotheses.reduce((total, { mass }) => total + mass, outside);
      expect(sum).to.be.within(0, 1 + 1e-9);
      expect(hypotheses.every(({ mass }) => mass >= 0)).to.equal(true);
    }
  });

  it('believes a sequence that fits the motion more than a single likeness', () => {
    const filter = new PlaceFilter();
    let mass = 0;
    for (let i = 0; i < 6; i++) {
      // Reference 60 looks a little better once; the drive goes along 10, 11, 12, ...
      const { hypotheses } = filter.update([sight(60, i === 5 ? 3 : -1), sight(10 + i, 2.5)], 100, ahead, SETTINGS);
      mass = hypotheses[1]!.mass;
      if (i === 5) expect(mass).to.be.greaterThan(hypotheses[0]!.mass);
    }
    expect(mass).to.be.greaterThan(0.5);
  });

  it('wins the belief back after a kidnapping', () => {
    const filter = new PlaceFilter();
    for (let i = 0; i < 10; i++) filter.update([sight(10 + i, 4)], 100, ahead, SETTINGS);
    let mass = 0;
    for (let i = 0; i < 10; i++) mass = filter.update([sight(70 + i, 4)], 100, ahead, SETTINGS).hypotheses[0]!.mass;
    expect(mass).to.be.greaterThan(0.9);
  });

  it('believes to be outside where nothing looks right', () => {
    const filter = new PlaceFilter();
    let outside = 0;
    for (let i = 0; i < 10; i++) outside = filter.update([sight((i * 37) % 100, -2)], 100, ahead, SETTINGS).outside;
    expect(outside).to.be.greaterThan(0.8);
  });

  it('counts images of one view in quick succession as little evidence', () => {
    const slow = new PlaceFilter();
    const fast = new PlaceFilter();
    let [afterSlow, afterFast] = [0, 0];
    for (let i = 0; i < 3; i++) {
      afterSlow = slow.update([sight(10, 1.5)], 1000, { elapsedS: 1 }, SETTINGS).hypotheses[0]!.mass;
      afterFast = fast.update([sight(10, 1.5)], 1000, { elapsedS: 0.01 }, SETTINGS).hypotheses[0]!.mass;
    }
    expect(afterFast).to.be.lessThan(afterSlow / 2);
  });

  it('follows references by time where the map has no poses', () => {
    const filter = new PlaceFilter();
    const blind = (index: number, ratio: number) => {
      const { pose: _pose, ...rest } = reference(index);
      expect(_pose).not.to.equal(undefined);
      return { reference: rest, logLikelihoodRatio: ratio };
    };
    for (let i = 0; i < 5; i++) filter.update([blind(10 + i, 3)], 100, { elapsedS: 1 }, SETTINGS);
    const { hypotheses } = filter.update([blind(15, 1), blind(80, 1)], 100, { elapsedS: 1 }, SETTINGS);
    expect(hypotheses[0]!.mass).to.be.greaterThan(10 * hypotheses[1]!.mass);
  });

  it('goes on telling a way that fitted for long from one that has just begun, and forgets one that ended', () => {
    const filter = new PlaceFilter();
    const scores: number[] = [];
    for (let i = 0; i < 12; i++) {
      const { hypotheses } = filter.update([sight(10 + i, 2), sight((i * 37) % 90, 2)], 100, ahead, SETTINGS);
      scores.push(hypotheses[0]!.score);
      if (i > 3) expect(hypotheses[0]!.score).to.be.greaterThan(2 * hypotheses[1]!.score);
    }
    expect(scores[11]).to.be.greaterThan(scores[3]!);
    // The same places, seen from a robot that has left: the score is gone after about as many images as it took.
    let { hypotheses } = filter.update([sight(22, -2)], 100, ahead, SETTINGS);
    for (let i = 0; i < 8; i++) ({ hypotheses } = filter.update([sight(23 + i, -2)], 100, ahead, SETTINGS));
    expect(hypotheses[0]!.score).to.be.lessThan(1);
  });

  it('without poses expects the way to be driven in its direction, at about its speed', () => {
    const score = (step: number): number => {
      const filter = new PlaceFilter();
      let last = 0;
      for (let i = 0; i < 8; i++) {
        const { pose, ...rest } = reference(50 + step * i);
        expect(pose).not.to.equal(undefined);
        const seen = filter.update([{ reference: rest, logLikelihoodRatio: 1.5 }], 200, { elapsedS: 1 }, SETTINGS);
        last = seen.hypotheses[0]!.score;
      }
      return last;
    };
    expect(score(1)).to.be.greaterThan(score(2));
    expect(score(2)).to.be.greaterThan(score(4));
    expect(score(1)).to.be.greaterThan(score(-1));
  });

  it('costs a fraction of a millisecond an image with 50 sightings, whatever the size of the map', () => {
    const filter = new PlaceFilter();
    const times: number[] = [];
    for (let i = 0; i < 200; i++) {
      const sightings = Array.from({ length: 50 }, (_, k) => sight(i + k * 3, 3 - k * 0.1));
      const start = performance.now();
      filter.update(sightings, 10_000, ahead, SETTINGS);
      times.push(performance.now() - start);
    }
    // The fastest tenth: what the code costs, not what the machine's other work does.
    expect(times.sort((a, b) => a - b)[20]).to.be.lessThan(1);
  });
});
