import { createHash } from 'node:crypto';
import { expect } from 'chai';
import type { RgbImage } from '../../../src/core/image.js';
import { distanceBetween } from '../../../src/core/pose.js';
import { buildTown, type TownAndRoute } from '../../../src/sample/buildTown.js';
import { uniformNumbers } from '../../../src/core/mulberry32.js';
import { seedOf } from '../../../src/sample/random.js';
import { Route } from '../../../src/sample/Route.js';
import { SAMPLE_CONDITIONS, type SampleConditionName } from '../../../src/sample/SampleCondition.js';
import { SampleRenderer } from '../../../src/sample/SampleRenderer.js';
import { SampleTraverse, type TraverseOptions } from '../../../src/sample/SampleTraverse.js';
import { cosine, sine } from '../../../src/sample/trigonometry.js';

const CAMERA = { width: 80, height: 60, halfWidthTangent: 0.7 };

function sha256(image: RgbImage): string {
  return createHash('sha256').update(image.data).digest('hex').slice(0, 16);
}

/** Mean absolute difference of grey values. */
function difference(a: RgbImage, b: RgbImage): number {
  let sum = 0;
  a.data.forEach((value, i) => (sum += Math.abs(value - b.data[i]!)));
  return sum / a.data.length;
}

function drive(world: TownAndRoute, options: Partial<TraverseOptions> = {}): SampleTraverse {
  return new SampleTraverse(world, {
    seed: 1,
    condition: SAMPLE_CONDITIONS.day,
    frames: 40,
    camera: CAMERA,
    ...options,
  });
}

describe('sample world', () => {
  const world = buildTown({ seed: 0, routeM: 300, aliasedM: 24 });

  it('draws the numbers of Mulberry32', () => {
    // From the public-domain reference, seed 12345.
    const random = uniformNumbers(12345);
    expect([random(), random()].map((value) => Math.round(value * 4294967296))).to.deep.equal([4207900869, 1317490944]);
  });

  it('has sine and cosine that agree with the engine and need none of its own', () => {
    for (let angle = -900; angle < 900; angle += 0.377) {
      expect(sine(angle)).to.be.closeTo(Math.sin(angle), 1e-10);
      expect(cosine(angle)).to.be.closeTo(Math.cos(angle), 1e-10);
    }
  });

  it('renders the same bytes from a town that is built anew, and others for another seed', () => {
    const image = drive(world).frames[7]!.render('front');
    const again = drive(buildTown({ seed: 0, routeM: 300, aliasedM: 24 })).frames[7]!.render('front');
    expect(sha256(again)).to.equal(sha256(image));
    const other = drive(buildTown({ seed: 1, routeM: 300, aliasedM: 24 })).frames[7]!.render('front');
    expect(difference(image, other)).to.be.greaterThan(10);
  });

  it('keeps its looks from release to release: maps and models were fitted on them', () => {
    expect(sha256(drive(world).frames[7]!.render('front'))).to.equal('183c1ba3d80e9e9d');
  });

  it('renders a frame alike whatever was rendered before', () => {
    const inOrder = drive(world);
    inOrder.frames.slice(0, 5).forEach((frame) => frame.render('rear'));
    expect(sha256(inOrder.frames[5]!.render('front'))).to.equal(sha256(drive(world).frames[5]!.render('front')));
  });

  it('looks different in every condition, from the rear, and with people in the street', () => {
    const images = Object.keys(SAMPLE_CONDITIONS).map((name) =>
      drive(world, { condition: SAMPLE_CONDITIONS[name as SampleConditionName] }).frames[3]!.render('front'),
    );
    images.push(drive(world).frames[3]!.render('rear'));
    for (let i = 0; i < images.length; i++)
      for (let j = 0; j < i; j++) expect(difference(images[i]!, images[j]!)).to.be.greaterThan(4);
    const changed = drive(world, { crowd: 0 }).frames.filter(
      (frame, i) => sha256(frame.render('front')) !== sha256(drive(world).frames[i]!.render('front')),
    );
    expect(changed.length).to.be.greaterThan(20);
  });

  it('puts the images at the asked spacing and the lane at the asked offset', () => {
    const { frames } = drive(world, { spacingM: 3, leftM: 0 });
    for (let i = 1; i < 10; i++) expect(distanceBetween(frames[i - 1]!.truth, frames[i]!.truth)).to.be.closeTo(3, 0.2);
    const left = drive(world, { spacingM: 3, leftM: 2 }).frames;
    expect(distanceBetween(frames[4]!.truth, left[4]!.truth)).to.be.closeTo(2, 1e-9);
  });

  it('drifts in odometry, slowly, from the identity', () => {
    const { frames } = drive(world, { frames: 120 });
    expect(frames[0]!.odometry.position).to.deep.equal([0, 0, 0]);
    const driven = (i: number): number => distanceBetween(frames[i - 1]!.odometry, frames[i]!.odometry);
    for (let i = 1; i < 120; i++) expect(driven(i)).to.be.within(1.2, 3);
    const straight = distanceBetween(frames[0]!.truth, frames[119]!.truth);
    const believed = distanceBetween(frames[0]!.odometry, frames[119]!.odometry);
    expect(Math.abs(straight - believed)).to.be.within(0.2, 60);
  });

  it('has two stretches that look alike, more than any other two places', () => {
    const renderer = new SampleRenderer(world.town, SAMPLE_CONDITIONS.overcast, CAMERA);
    const look = (distanceM: number): RgbImage => {
      const { x, y, heading } = world.route.at(distanceM);
      // Sideways: the walls of the stretch and nothing else.
      return renderer.render({ x, y, heading: heading + Math.PI / 2, heightM: 1.5, pitch: 0 });
    };
    const [[first], [second]] = world.aliased!;
    const alike = difference(look(first + 10), look(second + 10));
    const others = [40, 130, 180, 230].map((away) => difference(look(first + 10), look(second + away)));
    expect(alike).to.be.lessThan(Math.min(...others) / 2);
    expect(second - first).to.be.greaterThan(50);
  });

  it('leaves the aliased stretch out when it is asked to', () => {
    expect(buildTown({ seed: 0, routeM: 300, aliasedM: 0 }).aliased).to.equal(undefined);
  });

  it('tours towns of any length without entering a building', () => {
    for (const [seed, routeM] of [
      [5, 200],
      [6, 700],
      [7, 2500],
    ] as const) {
      const { town, route } = buildTown({ seed, routeM, aliasedM: 24 });
      expect(route.lengthM).to.be.at.least(routeM);
      for (let at = 0; at < route.lengthM; at += 1)
        for (const left of [-2, 0, 2]) {
          const { x, y } = route.at(at, left);
          expect(town.buildingAt[Math.floor(y) * town.widthM + Math.floor(x)], `seed ${seed} at ${at}`).to.equal(0);
        }
    }
  });

  it('goes round: the end of the tour is its start, without a jump on the way', () => {
    const route = new Route([
      [0, 0],
      [60, 0],
      [60, 50],
      [0, 50],
    ]);
    expect(route.lengthM).to.be.closeTo(2 * (60 + 50) - 8 * 5 + 2 * Math.PI * 5, 1e-9);
    let before = route.at(0);
    for (let at = 0.25; at < route.lengthM * 2; at += 0.25) {
      const point = route.at(at);
      expect(Math.hypot(point.x - before.x, point.y - before.y), `at ${at}`).to.be.closeTo(0.25, 0.01);
      before = point;
    }
    expect(route.at(route.lengthM).x).to.be.closeTo(route.at(0).x, 1e-9);
    expect(
      () =>
        new Route([
          [0, 0],
          [50, 0],
          [20, 0],
          [20, 40],
        ]),
    ).to.throw(RangeError);
  });

  it('makes seeds that differ in each part', () => {
    const seeds = new Set([seedOf(1, 2), seedOf(2, 1), seedOf(1, 2, 0), seedOf(1), seedOf(0, 1, 2)]);
    expect(seeds.size).to.equal(5);
  });
});
