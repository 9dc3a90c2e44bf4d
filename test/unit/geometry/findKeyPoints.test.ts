import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { GreyImage } from '../../../src/core/image.js';
import { blurGrey } from '../../../src/geometry/blurGrey.js';
import { findCorners } from '../../../src/geometry/findCorners.js';
import { findKeyPoints } from '../../../src/geometry/findKeyPoints.js';
import { resizeGrey } from '../../../src/geometry/resizeGrey.js';
import { rectangles } from './pictures.js';

interface Goldens {
  readonly width: number;
  readonly height: number;
  readonly threshold: number;
  readonly border: number;
  readonly picture: string;
  readonly blurred: string;
  readonly corners: readonly (readonly [number, number, number])[];
}

const GOLDENS = JSON.parse(readFileSync('test/data/geometry/goldens.json', 'utf8')) as Goldens;
const { width, height } = GOLDENS;
const PICTURE: GreyImage = { width, height, data: Uint8Array.from(Buffer.from(GOLDENS.picture, 'base64')) };

function flat(size: number, grey = 90): GreyImage {
  return { width: size, height: size, data: new Uint8Array(size * size).fill(grey) };
}

describe('findCorners', () => {
  it('finds the corners that OpenCV finds, each with the strength that NumPy computes', () => {
    const corners = findCorners(PICTURE, GOLDENS.threshold, GOLDENS.border);
    expect(corners.map(({ x, y }) => [x, y])).to.deep.equal(GOLDENS.corners.map(([x, y]) => [x, y]));
    corners.forEach(({ strength }, i) => {
      const golden = GOLDENS.corners[i]![2];
      expect(strength).to.be.closeTo(golden, 1e-5 * golden + 0.01);
    });
  });

  it('finds nothing in an even picture and in one that is all border', () => {
    expect(findCorners(flat(64), 10, 4)).to.deep.equal([]);
    expect(findCorners(flat(8), 10, 4)).to.deep.equal([]);
  });
});

describe('blurGrey', () => {
  it('is the mean of 5 x 5 pixels as OpenCV has it, and leaves the border alone', () => {
    const { data } = blurGrey(PICTURE);
    const golden = Buffer.from(GOLDENS.blurred, 'base64');
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const isBorder = x < 2 || y < 2 || x >= width - 2 || y >= height - 2;
        const at = y * width + x;
        expect(data[at], `${x}, ${y}`).to.equal(isBorder ? PICTURE.data[at] : golden[at]);
      }
  });
});

describe('resizeGrey', () => {
  it('keeps a picture of the same size and the mean of an even one', () => {
    expect(resizeGrey(PICTURE, width, height).data).to.deep.equal(PICTURE.data);
    expect(new Set(resizeGrey(flat(40, 133), 31, 17).data)).to.deep.equal(new Set([133]));
  });

  it('interpolates between pixel centres', () => {
    const ramp = { width: 4, height: 1, data: Uint8Array.of(0, 80, 160, 240) };
    expect([...resizeGrey(ramp, 2, 1).data]).to.deep.equal([40, 200]);
    expect([...resizeGrey({ width: 1, height: 1, data: Uint8Array.of(7) }, 2, 2).data]).to.deep.equal([7, 7, 7, 7]);
  });
});

describe('findKeyPoints', () => {
  it('finds the same points twice, no more than asked for, inside the picture', () => {
    const points = findKeyPoints(rectangles(1), 150);
    expect(points).to.deep.equal(findKeyPoints(rectangles(1), 150));
    expect(points.count).to.equal(150);
    for (let i = 0; i < points.count; i++) {
      expect(points.x[i]).to.be.within(10, 150);
      expect(points.y[i]).to.be.within(10, 110);
    }
  });

  it('spreads them over the picture', () => {
    const picture = rectangles(2);
    // A patch of strong contrast in the upper left must not take all.
    for (let y = 0; y < 40; y++)
      for (let x = 0; x < 40; x++) picture.data[y * 160 + x] = ((x >> 2) + (y >> 2)) % 2 === 0 ? 0 : 255;
    const { x, y, count } = findKeyPoints(picture, 60);
    const outside = Array.from({ length: count }, (_, i) => x[i]! > 44 || y[i]! > 44).filter((is) => is).length;
    expect(outside).to.be.greaterThan(40);
  });

  it('has none in an even picture or a tiny one', () => {
    expect(findKeyPoints(flat(100), 100).count).to.equal(0);
    expect(findKeyPoints(flat(3), 100).count).to.equal(0);
  });
});
