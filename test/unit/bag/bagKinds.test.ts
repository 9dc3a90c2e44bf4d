import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { ImageSource, ImageSourceOptions } from '../../../src/bag/ImageSource.js';
import { openImageSource } from '../../../src/bag/openImageSource.js';
import type { StampedImage } from '../../../src/core/StampedImage.js';
import { distanceBetween, yawOf } from '../../../src/core/pose.js';
import { BAGS } from './bagFixtures.js';
import { decodeImage } from '../../../src/image/decodeImage.js';

interface Golden {
  readonly kind: 'raw' | 'compressed';
  readonly width: number;
  readonly height: number;
  readonly rgb: readonly [number, number];
  readonly tolerance: number;
}

const FOLDER = 'test/data/bag';
const { cases: chosen } = JSON.parse(readFileSync(`${FOLDER}/bags.json`, 'utf8')) as { cases: number[] };
const { cases } = JSON.parse(readFileSync('test/data/image/encodings.json', 'utf8')) as { cases: Golden[] };
const blob = new Uint8Array(readFileSync('test/data/image/encodings.bin'));

async function withSource<T>(
  bag: string,
  options: ImageSourceOptions,
  use: (source: ImageSource) => Promise<T>,
): Promise<T> {
  const source = await openImageSource(`${FOLDER}/${bag}`, options);
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}

async function collect(source: ImageSource): Promise<StampedImage[]> {
  const images: StampedImage[] = [];
  for await (const image of source) images.push(image);
  return images;
}

async function expectGolden({ image, stampNs, camera, frameId, name }: StampedImage): Promise<void> {
  const golden = cases[chosen[Number((stampNs - 100_000_000_000n) / 100_000_000n)]!]!;
  expect(image.kind, name).to.equal(golden.kind);
  expect(camera, name).to.equal(golden.kind === 'raw' ? 'front' : 'rear');
  expect(frameId, name).to.equal(`${camera}_optical`);
  const { width, height, data } = await decodeImage(image, name);
  expect([width, height], name).to.deep.equal([golden.width, golden.height]);
  const expected = blob.subarray(golden.rgb[0], golden.rgb[0] + golden.rgb[1]);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) worst = Math.max(worst, Math.abs(expected[i]! - data[i]!));
  expect(worst, name).to.be.at.most(golden.tolerance);
}

describe('bags written by others', () => {
  for (const [bag, kind] of BAGS)
    it(`delivers every encoding and transport of ${bag} with the right pixels`, () =>
      withSource(bag, {}, async (source) => {
        expect(source.summary.kind).to.equal(kind);
        expect(source.summary.images).to.equal(chosen.length);
        const images = await collect(source);
        expect(source.problems.first).to.deep.equal([]);
        expect(images).to.have.length(chosen.length);
        expect(images.map(({ stampNs }) => stampNs)).to.deep.equal(
          chosen.map((_, i) => 100_000_000_000n + BigInt(i) * 100_000_000n),
        );
        for (const image of images) await expectGolden(image);
        const memory = new Set(images.map(({ image }) => image.data.buffer));
        expect(memory.size, 'images with memory of their own').to.equal(images.length);
      }));

  it('can be iterated again', () =>
    withSource('mcap_zstd.mcap', { cameras: ['front'], limit: 4 }, async (source) => {
      const first = await collect(source);
      const again = await collect(source);
      expect(first).to.have.length(4);
      expect(again).to.deep.equal(first);
    }));

  it('reads what is whole of a truncated bag and says where it ends', () =>
    withSource('mcap_truncated.mcap', {}, async (source) => {
      const images = await collect(source);
      expect(images.length).to.be.greaterThan(10).and.lessThan(chosen.length);
      for (const image of images) await expectGolden(image);
      expect([...source.problems.byCode]).to.deep.equal([['BAG_TRUNCATED', 1]]);
      expect(source.problems.first[0]!.message).to.match(
        /^Expected the file to end with a footer, got its end inside a record; read what is whole \[.*, offset \d+ of \d+\]$/,
      );
    }));
});

describe('poses of bags written by others', () => {
  for (const bag of ['mcap_zstd.mcap', 'db3', 'ros1_none.bag'])
    for (const [topic, shift, frames] of [
      ['/odom', 0, undefined],
      ['/pose', 0, undefined],
      ['/amcl_pose', 0, undefined],
      ['/tf', 10, undefined],
      ['/tf', 0, { map: 'odom', base: 'base_link' }],
    ] as const)
      it(`interpolates ${topic} of ${bag} to image stamps${frames ? ` (${frames.base} in ${frames.map})` : ''}`, () =>
        withSource(bag, { poseTopic: topic, ...(frames ? { poseFrames: frames } : {}) }, async (source) => {
          const images = await collect(source);
          expect(source.problems.count).to.equal(0);
          for (const { stampNs, pose, name } of images) {
            const t = Number(stampNs) / 1e9 - 100;
            expect(pose!.position[0], name).to.be.closeTo(t + shift, 1e-6);
            expect(pose!.position[1], name).to.be.closeTo(2 * t, 1e-6);
            expect(yawOf(pose!.orientation), name).to.be.closeTo(0.1 * t, 1e-6);
          }
        }));

  it('follows a chain of static and moving transforms to a sensor', () =>
    withSource('db3', { poseTopic: '/tf', poseFrames: { map: 'map', base: 'camera' } }, async (source) => {
      const pose = (await source.readPoses()).at(103_000_000_000n)!;
      // base_link at (13, 6, .5) turned by 0.3; the camera 0.2 m ahead and 1 m up.
      expect(pose.position[0]).to.be.closeTo(13 + 0.2 * Math.cos(0.3), 1e-9);
      expect(pose.position[1]).to.be.closeTo(6 + 0.2 * Math.sin(0.3), 1e-9);
      expect(pose.position[2]).to.be.closeTo(1.5, 1e-9);
    }));

  it('says which frames there are when no chain leads to the map', () =>
    withSource('db3', { poseTopic: '/tf', poseFrames: { map: 'earth', base: 'base_link' } }, async (source) => {
      let message = '';
      await source.readPoses().catch((error: Error) => (message = error.message));
      expect(message).to.equal(
        'Expected transforms from base_link up to earth, got none that lead there among base_link, camera, map, odom [/tf]',
      );
    }));

  it('turns satellite fixes into metres', () =>
    withSource('mcap_zstd.mcap', { poseTopic: '/fix' }, async (source) => {
      const { poses } = await source.readPoses();
      expect(poses).to.have.length(8);
      // 48 N: a degree of latitude is 111.2 km, of longitude 74.6 km (WGS84); 1.25 s between the fixes.
      const distance = distanceBetween(poses[0]!.pose, poses[1]!.pose);
      expect(distance).to.be.closeTo(Math.hypot(1.25e-5 * 111_194, 2.5e-5 * 74_628), 0.01);
      expect(yawOf(poses[0]!.pose.orientation)).to.be.closeTo(Math.atan2(111_194, 2 * 74_628), 0.05);
    }));
});
