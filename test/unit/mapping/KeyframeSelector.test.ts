import { expect } from 'chai';
import { quaternionFromYaw } from '../../../src/core/pose.js';
import { KeyframeSelector, type KeyframeCandidate } from '../../../src/mapping/KeyframeSelector.js';

const SECOND = 1_000_000_000n;

function posed(x: number, yaw = 0, camera = 'front'): KeyframeCandidate {
  return { camera, stampNs: 0n, pose: { position: [x, 0, 0], orientation: quaternionFromYaw(yaw) } };
}

function timed(stampNs: bigint, descriptor?: Float32Array): KeyframeCandidate {
  return { camera: 'front', stampNs, ...(descriptor === undefined ? {} : { descriptor }) };
}

/** Indices of the images that become key frames. */
function chosen(selector: KeyframeSelector, images: readonly KeyframeCandidate[]): number[] {
  return images.flatMap((image, i) => {
    if (!selector.isKeyframe(image)) return [];
    selector.accept(image);
    return [i];
  });
}

describe('KeyframeSelector', () => {
  it('takes the first image of each camera', () => {
    const selector = new KeyframeSelector({ distanceM: 10, angleRad: 1, intervalS: 10 });
    expect(chosen(selector, [posed(0), posed(0), posed(0, 0, 'rear'), posed(0, 0, 'rear')])).to.deep.equal([0, 2]);
  });

  it('takes an image after the distance, measured from the last key frame and not along the way', () => {
    const selector = new KeyframeSelector({ distanceM: 1, angleRad: 0, intervalS: 0 });
    expect(
      chosen(
        selector,
        [0, 0.6, -0.6, 0.9, 1, 1.5, 2.1].map((x) => posed(x)),
      ),
    ).to.deep.equal([0, 4, 6]);
  });

  it('takes an image after the angle, the short way round', () => {
    const selector = new KeyframeSelector({ distanceM: 0, angleRad: 0.5, intervalS: 0 });
    expect(
      chosen(
        selector,
        [3.1, -3.1, -2.7, -2.6].map((yaw) => posed(0, yaw)),
      ),
    ).to.deep.equal([0, 3]);
  });

  it('takes every image with a pose when neither distance nor angle counts', () => {
    const selector = new KeyframeSelector({ distanceM: 0, angleRad: 0, intervalS: 100 });
    expect(chosen(selector, [posed(0), posed(0), posed(0)])).to.deep.equal([0, 1, 2]);
  });

  it('does not count time for a robot with poses that stands still', () => {
    const selector = new KeyframeSelector({ distanceM: 1, angleRad: 0.5, intervalS: 1 });
    const later = { ...posed(0), stampNs: 100n * SECOND };
    expect(chosen(selector, [posed(0), later])).to.deep.equal([0]);
  });

  it('takes an image without pose after the interval, and when stamps go back', () => {
    const selector = new KeyframeSelector({ distanceM: 1, angleRad: 1, intervalS: 2 });
    const stamps = [0n, SECOND, 2n * SECOND, 3n * SECOND, 5n * SECOND, SECOND];
    expect(
      chosen(
        selector,
        stamps.map((stamp) => timed(stamp)),
      ),
    ).to.deep.equal([0, 2, 4, 5]);
  });

  it('leaves out an image without pose that looks like the last key frame', () => {
    const selector = new KeyframeSelector({ distanceM: 1, angleRad: 1, intervalS: 1, maxSimilarity: 0.9 });
    const a = Float32Array.of(1, 0);
    const b = Float32Array.of(0, 1);
    const images = [timed(0n, a), timed(SECOND, a), timed(2n * SECOND, b), timed(3n * SECOND, b)];
    expect(chosen(selector, images)).to.deep.equal([0, 2]);
  });

  it('refuses negative options', () => {
    expect(() => new KeyframeSelector({ distanceM: -1, angleRad: 0, intervalS: 0 })).to.throw(RangeError, 'distanceM');
    expect(() => new KeyframeSelector({ distanceM: 1, angleRad: 0, intervalS: NaN })).to.throw(RangeError, 'intervalS');
  });
});
