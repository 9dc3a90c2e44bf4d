import { expect } from 'chai';
import { angleBetween, distanceBetween, quaternionFromYaw, type Pose } from '../../../src/core/pose.js';
import { PlaceGrouper, type GroupingOptions } from '../../../src/mapping/PlaceGrouper.js';
import { uniformNumbers } from '../../../src/core/mulberry32.js';

function grouper(options: Partial<GroupingOptions> = {}): PlaceGrouper {
  let next = 1;
  return new PlaceGrouper({ distanceM: 2, angleRad: 0.8, images: 1, ...options }, () => next++);
}

function at(x: number, y = 0, yaw = 0, z = 0): { camera: string; stampNs: bigint; pose: Pose } {
  return { camera: 'front', stampNs: 0n, pose: { position: [x, y, z], orientation: quaternionFromYaw(yaw) } };
}

describe('PlaceGrouper', () => {
  it('puts poses within distance and angle of a place into it', () => {
    const groups = grouper();
    const images = [at(0), at(1.9), at(2.1), at(0.5, 0, 3), at(0.2), at(-1.5, -1), at(0, 0, 0, 3)];
    expect(images.map((image) => groups.placeFor(image))).to.deep.equal([1, 1, 2, 3, 1, 1, 4]);
  });

  it('takes the nearest of several places', () => {
    const groups = grouper();
    groups.addPlace(7, at(0).pose);
    groups.addPlace(9, at(3).pose);
    expect(groups.placeFor(at(1.4))).to.equal(7);
    expect(groups.placeFor(at(1.6))).to.equal(9);
  });

  it('finds what a search through all places finds', () => {
    const random = uniformNumbers(5);
    const groups = grouper({ distanceM: 1.5 });
    const places = Array.from({ length: 300 }, (_, i) => {
      const { pose } = at(random() * 40 - 20, random() * 40 - 20, random() * 6 - 3, random() * 4 - 2);
      groups.addPlace(i + 1, pose);
      return pose;
    });
    let found = 0;
    for (let i = 0; i < 500; i++) {
      const { pose } = at(random() * 40 - 20, random() * 40 - 20, random() * 6 - 3, random() * 4 - 2);
      const near = places
        .map((place, index) => ({
          placeId: index + 1,
          distance: distanceBetween(place, pose),
          angle: angleBetween(place, pose),
        }))
        .filter(({ distance, angle }) => distance <= 1.5 && angle <= 0.8)
        .sort((a, b) => a.distance - b.distance);
      expect(groups.placeAt(pose)).to.equal(near[0]?.placeId);
      found += near.length > 0 ? 1 : 0;
    }
    expect(found).to.be.greaterThan(20);
  });

  it('makes each reference its own place at distance 0', () => {
    const groups = grouper({ distanceM: 0 });
    expect([at(0), at(0), at(0)].map((image) => groups.placeFor(image))).to.deep.equal([1, 2, 3]);
  });

  it('groups images without pose by their order', () => {
    const groups = grouper({ images: 3 });
    const places = Array.from({ length: 7 }, (_, i) =>
      groups.placeFor({ camera: 'c', stampNs: BigInt(i) * 10n ** 9n }),
    );
    expect(places).to.deep.equal([1, 1, 1, 2, 2, 2, 3]);
  });

  it('puts images that several cameras took at one moment into one place', () => {
    const groups = grouper();
    const images = (
      [
        ['left', 0],
        ['right', 10],
        ['left', 1000],
        ['right', 1020],
        ['right', 2000],
        ['left', 4000],
      ] as const
    ).map(([camera, ms]) => ({ camera, stampNs: BigInt(ms) * 1_000_000n }));
    expect(images.map((image) => groups.placeFor(image))).to.deep.equal([1, 1, 2, 2, 3, 4]);
  });
});
