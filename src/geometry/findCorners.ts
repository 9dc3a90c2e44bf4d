import type { GreyImage } from '../core/image.js';

/** A pixel that is darker or brighter than an arc of the circle around it. */
export interface Corner {
  /** Pixels. */
  readonly x: number;
  readonly y: number;
  /** Shi-Tomasi strength: the smaller eigenvalue of the gradients' covariance around it. */
  readonly strength: number;
}

/** The circle of radius 3 around a pixel, clockwise from above: [dx, dy]. */
const CIRCLE: readonly (readonly [number, number])[] = [
  [0, -3],
  [1, -3],
  [2, -2],
  [3, -1],
  [3, 0],
  [3, 1],
  [2, 2],
  [1, 3],
  [0, 3],
  [-1, 3],
  [-2, 2],
  [-3, 1],
  [-3, 0],
  [-3, -1],
  [-2, -2],
  [-1, -3],
];
/** Neighbours on the circle that must all differ. */
const ARC = 9;
/** Half the side of the window of the strength. */
const WINDOW = 3;

/** [2^16]: 1 where a mask of the circle has an arc of set bits; the circle is closed. */
const HAS_ARC = Uint8Array.from({ length: 1 << 16 }, (_, mask) => {
  const twice = mask | (mask << 16);
  let run = twice;
  for (let i = 1; i < ARC; i++) run &= twice >>> i;
  return (run & 0xffff) === 0 ? 0 : 1;
});

/**
 * Corners of a picture: FAST-9 (Rosten and Drummond, ECCV 2006) with the given threshold, of neighbours the one with the
 * most contrast, at least `border` pixels from the edge. In rows from above.
 */
export function findCorners(image: GreyImage, threshold: number, border: number): Corner[] {
  const { width, height, data } = image;
  const offsets = Int32Array.from(CIRCLE, ([dx, dy]) => dy * width + dx);
  const edge = Math.max(border, WINDOW + 1, 3);
  const contrasts = new Uint16Array(width * height);
  const found: number[] = [];
  const [up, right, down, left] = [offsets[0]!, offsets[4]!, offsets[8]!, offsets[12]!];
  for (let y = edge; y < height - edge; y++)
    for (let x = edge; x < width - edge; x++) {
      const at = y * width + x;
      const centre = data[at]!;
      const high = centre + threshold;
      const low = centre - threshold;
      // An arc of nine holds two of the four compass points at least.
      const a = data[at + up]!;
      const b = data[at + right]!;
      const c = data[at + down]!;
      const d = data[at + left]!;
      const brighter = (a > high ? 1 : 0) + (b > high ? 1 : 0) + (c > high ? 1 : 0) + (d > high ? 1 : 0);
      const darker = (a < low ? 1 : 0) + (b < low ? 1 : 0) + (c < low ? 1 : 0) + (d < low ? 1 : 0);
      if (brighter < 2 && darker < 2) continue;
      let mask = 0;
      if (brighter >= 2) for (let i = 0; i < 16; i++) mask |= data[at + offsets[i]!]! > high ? 1 << i : 0;
      if (HAS_ARC[mask] === 0) {
        mask = 0;
        if (darker >= 2) for (let i = 0; i < 16; i++) mask |= data[at + offsets[i]!]! < low ? 1 << i : 0;
        if (HAS_ARC[mask] === 0) continue;
      }
      contrasts[at] = contrastAt(data, offsets, at);
      found.push(at);
    }
  return found
    .filter((at) => isStrongest(contrasts, width, at))
    .map((at) => ({ x: at % width, y: Math.floor(at / width), strength: strengthAt(data, width, at) }));
}

/** Sum of the differences to the circle, 0...4080. */
function contrastAt(data: Uint8Array, offsets: Int32Array, at: number): number {
  const centre = data[at]!;
  let sum = 0;
  for (let i = 0; i < 16; i++) sum += Math.abs(data[at + offsets[i]!]! - centre);
  return sum;
}

function strengthAt(data: Uint8Array, width: number, at: number): number {
  let [xx, xy, yy] = [0, 0, 0];
  for (let dy = -WINDOW; dy <= WINDOW; dy++) {
    const row = at + dy * width;
    for (let i = row - WINDOW; i <= row + WINDOW; i++) {
      const gx = data[i + 1]! - data[i - 1]!;
      const gy = data[i + width]! - data[i - width]!;
      xx += gx * gx;
      xy += gx * gy;
      yy += gy * gy;
    }
  }
  const half = (xx - yy) / 2;
  return (xx + yy) / 2 - Math.sqrt(half * half + xy * xy);
}

/** Of equal neighbours the first counts. */
function isStrongest(contrasts: Uint16Array, width: number, at: number): boolean {
  const own = contrasts[at]!;
  for (let dy = -1; dy <= 1; dy++)
    for (let dx = -1; dx <= 1; dx++) {
      const i = at + dy * width + dx;
      if (contrasts[i]! > own || (contrasts[i] === own && i < at)) return false;
    }
  return true;
}
