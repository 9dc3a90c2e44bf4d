import { expect } from 'chai';
import type { GreyImage } from '../../../src/core/image.js';
import { compareViews } from '../../../src/geometry/compareViews.js';
import { findKeyPoints } from '../../../src/geometry/findKeyPoints.js';
import { DESCRIPTOR_WORDS, type KeyPoints } from '../../../src/geometry/KeyPoints.js';
import { matchKeyPoints } from '../../../src/geometry/matchKeyPoints.js';
import { rectangles } from './pictures.js';

function cut({ width, data }: GreyImage, left: number, top: number, columns: number, rows: number): GreyImage {
  const out = new Uint8Array(columns * rows);
  for (let y = 0; y < rows; y++)
    out.set(data.subarray((top + y) * width + left, (top + y) * width + left + columns), y * columns);
  return { width: columns, height: rows, data: out };
}

/** Key points whose descriptors have the given words first. */
function described(words: readonly number[]): KeyPoints {
  const descriptors = new Uint32Array(words.length * DESCRIPTOR_WORDS);
  words.forEach((word, i) => (descriptors[i * DESCRIPTOR_WORDS] = word));
  const zeros = new Float32Array(words.length);
  return { width: 10, height: 10, count: words.length, x: zeros, y: zeros, descriptors };
}

describe('matchKeyPoints', () => {
  it('matches what is nearest both ways and leaves out what has two likenesses', () => {
    const first = described([0b1111, 0xffff0000, 0b1]);
    const second = described([0xfffe0000, 0b0111]);
    expect(matchKeyPoints(first, second)).to.deep.equal([
      { from: 0, to: 1, distance: 1 },
      { from: 1, to: 0, distance: 1 },
    ]);
    expect(matchKeyPoints(described([0b11]), described([0b10, 0b01])), 'either could be it').to.deep.equal([]);
    expect(matchKeyPoints(described([1]), described([]))).to.deep.equal([]);
  });
});

describe('compareViews', () => {
  const wide = rectangles(4, [220, 140]);
  const view = findKeyPoints(cut(wide, 20, 10, 160, 120), 200);

  it('finds most of a picture again that is shifted', () => {
    const shifted = findKeyPoints(cut(wide, 31, 14, 160, 120), 200);
    const { matches, inliers } = compareViews(view, shifted)!;
    expect(matches).to.be.greaterThan(90);
    expect(inliers).to.be.greaterThan(0.8 * matches);
    expect(compareViews(view, shifted)).to.deep.equal(compareViews(view, shifted));
  });

  it('measures the turn of a camera that stays where it is', () => {
    // The picture as a camera with a focal length of its width sees it that is turned right by `yaw`.
    const turned = (yaw: number): GreyImage => {
      const data = new Uint8Array(160 * 120);
      for (let y = 0; y < 120; y++)
        for (let x = 0; x < 160; x++) {
          const [u, v] = [(x - 79.5) / 160, (y - 59.5) / 160];
          const depth = Math.cos(yaw) - u * Math.sin(yaw);
          const column = Math.round(159.5 + (160 * (u * Math.cos(yaw) + Math.sin(yaw))) / depth);
          const row = Math.round(99.5 + (160 * v) / depth);
          data[y * 160 + x] = large.data[row * 320 + column]!;
        }
      return { width: 160, height: 120, data };
    };
    const large = rectangles(4, [320, 200], 500);
    const ahead = findKeyPoints(turned(0), 200);
    for (const degrees of [-10, -4, 6, 12]) {
      const { inliers, view } = compareViews(ahead, findKeyPoints(turned((degrees * Math.PI) / 180), 200), [1, 1])!;
      expect(inliers).to.be.greaterThan(40);
      // What lies ahead of the first lies to the left of the second, that is turned right: negative about y (down).
      const yawDeg = (Math.atan2(view!.rotation[2]!, view!.rotation[8]!) * 180) / Math.PI;
      expect(yawDeg).to.be.closeTo(-degrees, 1);
    }
  });

  it('finds little in common with another picture', () => {
    for (const seed of [5, 6, 7]) {
      const { inliers } = compareViews(view, findKeyPoints(rectangles(seed), 200))!;
      expect(inliers).to.be.lessThan(15);
    }
  });

  it('says nothing of a picture with hardly anything in it', () => {
    const even = { width: 160, height: 120, data: new Uint8Array(160 * 120).fill(30) };
    expect(compareViews(view, findKeyPoints(even, 200))).to.equal(undefined);
    expect(compareViews(findKeyPoints(even, 200), view)).to.equal(undefined);
  });
});
