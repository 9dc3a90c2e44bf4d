import { expect } from 'chai';
import { uniformNumbers } from '../../../src/core/mulberry32.js';
import { findRelativeView, type FoundView } from '../../../src/geometry/findRelativeView.js';
import { bodyRotation, rotationOf, type RayPairs, type RelativeView } from '../../../src/geometry/RelativeView.js';
import { refineRelativeView } from '../../../src/geometry/refineRelativeView.js';

const OPTIONS = { tolerance: 0.002, samples: 200 };

function unit(x: number, y: number, z: number): Float64Array {
  const length = Math.hypot(x, y, z);
  return Float64Array.of(x / length, y / length, z / length);
}

/** Points before a first camera as it and a second one see them; the last `wrong` pairs are of different points. */
function seenBy(view: RelativeView, count: number, { wrong = 0, noise = 0, plane = false, seed = 3 } = {}): RayPairs {
  const random = uniformNumbers(seed);
  const pairs = new Float64Array(count * 4);
  for (let i = 0; i < count;) {
    const depth = plane ? 8 : 4 + 12 * random();
    const p = [(random() - 0.5) * depth, (random() - 0.5) * 0.7 * depth, depth] as const;
    const q = [0, 3, 6].map(
      (row) =>
        view.rotation[row]! * p[0] +
        view.rotation[row + 1]! * p[1] +
        view.rotation[row + 2]! * p[2] +
        view.direction[row / 3]!,
    ) as [number, number, number];
    if (q[2] < 1) continue;
    const jitter = (): number => (random() - 0.5) * 2 * noise;
    const seen = i < count - wrong ? [q[0] / q[2], q[1] / q[2]] : [random() - 0.5, (random() - 0.5) * 0.7];
    pairs.set([p[0] / p[2] + jitter(), p[1] / p[2] + jitter(), seen[0]! + jitter(), seen[1]! + jitter()], i * 4);
    i++;
  }
  return pairs;
}

/** Degrees between two rotations. */
function turnBetween(a: Float64Array, b: Float64Array): number {
  const trace = a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  return (Math.acos(Math.min(1, (trace - 1) / 2)) * 180) / Math.PI;
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

const TRUTH: RelativeView = { rotation: rotationOf(0.03, -0.2, 0.02), direction: unit(0.9, 0.05, 0.3) };

function find(pairs: RayPairs, seed = 1): FoundView | undefined {
  return findRelativeView(pairs, { ...OPTIONS, random: uniformNumbers(seed) });
}

describe('findRelativeView', () => {
  it('finds a known view exactly, its direction the right way round', () => {
    for (const direction of [TRUTH.direction, unit(-0.4, 0, -0.9), unit(0, 0, 1), unit(0.1, -1, 0)]) {
      const truth = { ...TRUTH, direction };
      const { view, inliers } = find(seenBy(truth, 60))!;
      expect(turnBetween(view.rotation, truth.rotation)).to.be.lessThan(0.01);
      expect(dot(view.direction, direction)).to.be.greaterThan(0.9999);
      expect(inliers).to.have.length(60);
    }
  });

  it('finds it among a third of wrong pairs and noise, and tells which are wrong', () => {
    const pairs = seenBy(TRUTH, 90, { wrong: 30, noise: 0.0008 });
    const { view, inliers } = find(pairs)!;
    expect(turnBetween(view.rotation, TRUTH.rotation)).to.be.lessThan(0.7);
    expect(dot(view.direction, TRUTH.direction)).to.be.greaterThan(0.98);
    expect(inliers.filter((pair) => pair < 60).length).to.be.greaterThan(50);
    // A wrong pair near its epipolar line by chance cannot be told.
    expect(inliers.filter((pair) => pair >= 60).length).to.be.lessThan(6);
  });

  it('finds the turn where the camera has not moved', () => {
    const still = { rotation: TRUTH.rotation, direction: new Float64Array(3) };
    const { view, inliers } = find(seenBy(still, 50))!;
    expect(turnBetween(view.rotation, TRUTH.rotation)).to.be.lessThan(0.2);
    expect(inliers.length).to.be.greaterThan(45);
  });

  it('counts the points of a plane', () => {
    const { inliers } = find(seenBy(TRUTH, 50, { plane: true }))!;
    expect(inliers).to.have.length(50);
  });

  it('is the same for the same seed', () => {
    const pairs = seenBy(TRUTH, 60, { wrong: 30, noise: 0.001 });
    expect(find(pairs, 9)).to.deep.equal(find(pairs, 9));
  });

  it('has no answer for too few pairs, and none that is not a number for pairs that are all one', () => {
    expect(find(seenBy(TRUTH, 4))).to.equal(undefined);
    expect(find(new Float64Array(0))).to.equal(undefined);
    const same = find(new Float64Array(4 * 20).fill(0.1));
    for (const value of [...(same?.view.rotation ?? []), ...(same?.view.direction ?? [])])
      expect(Number.isFinite(value)).to.equal(true);
  });

  it('agrees with few of pairs that have nothing to do with each other', () => {
    const inliers = find(seenBy(TRUTH, 60, { wrong: 60 }))?.inliers.length ?? 0;
    expect(inliers).to.be.lessThan(15);
  });
});

describe('refineRelativeView', () => {
  it('lowers the error of a first guess to nothing', () => {
    const pairs = seenBy(TRUTH, 30);
    const guess = { rotation: rotationOf(0, 0, 0), direction: unit(1, 0, 0) };
    const all = Array.from({ length: 30 }, (_, i) => i);
    const view = refineRelativeView(pairs, all, guess, { steps: 30, tolerance: Infinity })!;
    expect(turnBetween(view.rotation, TRUTH.rotation)).to.be.lessThan(1e-3);
    expect(Math.abs(dot(view.direction, TRUTH.direction))).to.be.greaterThan(0.999999);
  });
});

describe('bodyRotation', () => {
  it('turns left about the vertical where the optical frame turns about its downward axis the other way', () => {
    // Optical: y is down, so a turn to the left is negative about y.
    const left = bodyRotation({ rotation: rotationOf(0, -0.3, 0) });
    expect(turnBetween(left, rotationOf(0, 0, 0.3))).to.be.lessThan(1e-5);
    const rolled = bodyRotation({ rotation: rotationOf(0, 0, 0.2) });
    expect(turnBetween(rolled, rotationOf(0.2, 0, 0))).to.be.lessThan(1e-5);
  });
});
