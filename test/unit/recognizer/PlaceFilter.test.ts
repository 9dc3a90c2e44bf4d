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
      const { sightings, outside } = filter.update([sight(i, 3), sight(i + 40, 1)], 100, ahead, SETTINGS);
      const sum = sightings.reduce((total, mass) => total + mass, outside);
      expect(sum).to.be.within(0, 1 + 1e-9);
      expect(sightings.every((mass) => mass >= 0)).to.equal(true);
    }
  });

  it('believes a sequence that fits the motion more than a single likeness', () => {
    const filter = new PlaceFilter();
    let mass = 0;
    for (let i = 0; i < 6; i++) {
      // Reference 60 looks a little better once; the drive goes along 10, 11, 12, ...
      const { sightings } = filter.update([sight(60, i === 5 ? 3 : -1), sight(10 + i, 2.5)], 100, ahead, SETTINGS);
      mass = sightings[1]!;
      if (i === 5) expect(sightings[1]).to.be.greaterThan(sightings[0]!);
    }
    expect(mass).to.be.greaterThan(0.5);
  });

  it('wins the belief back after a kidnapping', () => {
    const filter = new PlaceFilter();
    for (let i = 0; i < 10; i++) filter.update([sight(10 + i, 4)], 100, ahead, SETTINGS);
    let mass = 0;
    for (let i = 0; i < 10; i++) mass = filter.update([sight(70 + i, 4)], 100, ahead, SETTINGS).sightings[0]!;
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
      afterSlow = slow.update([sight(10, 1.5)], 1000, { elapsedS: 1 }, SETTINGS).sightings[0]!;
      afterFast = fast.update([sight(10, 1.5)], 1000, { elapsedS: 0.01 }, SETTINGS).sightings[0]!;
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
    const { sightings } = filter.update([blind(15, 1), blind(80, 1)], 100, { elapsedS: 1 }, SETTINGS);
    expect(sightings[0]).to.be.greaterThan(10 * sightings[1]!);
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
