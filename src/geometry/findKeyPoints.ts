import type { GreyImage } from '../core/image.js';
import { uniformNumbers } from '../core/mulberry32.js';
import { blurGrey } from './blurGrey.js';
import { findCorners, type Corner } from './findCorners.js';
import { DESCRIPTOR_WORDS, type KeyPoints } from './KeyPoints.js';
import { resizeGrey } from './resizeGrey.js';

/** Scales of the picture: each this much smaller than the one before. */
const LEVEL_SCALE = 1.25;
const LEVELS = 4;
/** Grey levels by which an arc must differ. */
const THRESHOLD = 10;
/** Pixels between a corner and the farthest pixel that its descriptor compares. */
const REACH = 13;
/** The picture in cells of which each gives its strongest corners: else one lamp or one tree takes all. */
const CELLS_X = 8;
const CELLS_Y = 6;

/** Pairs of pixels that the bits compare: [256, 4] dx, dy, dx, dy; normally distributed around the corner (BRIEF, G II). */
const PATTERN = drawPattern();

function drawPattern(): Int8Array {
  const random = uniformNumbers(20101);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const coordinate = (): number => Math.max(-REACH, Math.min(REACH, Math.round((normal() * (2 * REACH + 1)) / 5)));
  return Int8Array.from({ length: DESCRIPTOR_WORDS * 32 * 4 }, coordinate);
}

/**
 * At most `most` key points: FAST corners at four scales, spread over the picture, each with 256 comparisons of smoothed
 * pixels around it (BRIEF: Calonder et al., ECCV 2010). Not turned with the picture: a place is looked up by a network
 * to which a tilted view is another view, and comparisons that stay upright tell more places apart.
 */
export function findKeyPoints(image: GreyImage, most: number): KeyPoints {
  const { width, height } = image;
  const found: Placed[] = [];
  const levels: Level[] = [];
  let scaled = image;
  for (let level = 0; level < LEVELS; level++) {
    if (level > 0) {
      const shrink = LEVEL_SCALE ** level;
      scaled = resizeGrey(scaled, Math.round(width / shrink), Math.round(height / shrink));
    }
    if (Math.min(scaled.width, scaled.height) < 2 * REACH + 3) break;
    const [scaleX, scaleY] = [width / scaled.width, height / scaled.height];
    levels.push({ blurred: blurGrey(scaled), offsets: offsetsFor(scaled.width), scaleX, scaleY });
    for (const corner of findCorners(scaled, THRESHOLD, REACH)) {
      const column = Math.floor((CELLS_X * corner.x) / scaled.width);
      const row = Math.floor((CELLS_Y * corner.y) / scaled.height);
      found.push({ corner, level, cell: column + CELLS_X * row });
    }
  }
  const chosen = spread(found, most);
  const count = chosen.length;
  const x = new Float32Array(count);
  const y = new Float32Array(count);
  const descriptors = new Uint32Array(count * DESCRIPTOR_WORDS);
  chosen.forEach(({ corner, level }, i) => {
    const { blurred, offsets, scaleX, scaleY } = levels[level]!;
    x[i] = (corner.x + 0.5) * scaleX - 0.5;
    y[i] = (corner.y + 0.5) * scaleY - 0.5;
    describe(blurred, corner, offsets, descriptors, i * DESCRIPTOR_WORDS);
  });
  return { width, height, count, x, y, descriptors };
}

interface Placed {
  readonly corner: Corner;
  readonly level: number;
  readonly cell: number;
}

interface Level {
  readonly blurred: GreyImage;
  readonly offsets: Int32Array;
  /** Pixels of the picture in one of this level. */
  readonly scaleX: number;
  readonly scaleY: number;
}

/** The pattern as distances in a picture's memory: [256, 2]. */
function offsetsFor(width: number): Int32Array {
  return Int32Array.from({ length: PATTERN.length / 2 }, (_, i) => PATTERN[2 * i + 1]! * width + PATTERN[2 * i]!);
}

/** The strongest of every cell first, then the second of every cell, and so on; within a round the stronger first. */
function spread(placed: readonly Placed[], most: number): Placed[] {
  const ranks = new Int32Array(CELLS_X * CELLS_Y);
  const rounds: Placed[][] = [];
  for (const item of placed.toSorted((a, b) => b.corner.strength - a.corner.strength))
    (rounds[ranks[item.cell]!++] ??= []).push(item);
  return rounds.flat().slice(0, most);
}

function describe(
  { width, data }: GreyImage,
  { x, y }: Corner,
  offsets: Int32Array,
  out: Uint32Array,
  start: number,
): void {
  const at = y * width + x;
  for (let word = 0, p = 0; word < DESCRIPTOR_WORDS; word++) {
    let bits = 0;
    for (let bit = 0; bit < 32; bit++, p += 2)
      if (data[at + offsets[p]!]! < data[at + offsets[p + 1]!]!) bits |= 1 << bit;
    out[start + word] = bits;
  }
}
