import { FULL_LIGHT, type FrameBuffer } from './FrameBuffer.js';
import { uniformNumbers } from '../core/mulberry32.js';
import { between, seedOf } from './random.js';
import type { Pinhole } from './Pinhole.js';
import type { SampleCondition } from './SampleCondition.js';
import type { ShadowMap } from './ShadowMap.js';
import { GROUND_PER_M, type Town } from './Town.js';

const GROUND_COLOURS = [
  [92, 104, 62],
  [88, 88, 92],
  [150, 146, 140],
  [176, 174, 170],
  [226, 226, 220],
  [62, 62, 66],
  [52, 50, 48],
  [128, 116, 106],
] as const;
const SKYLINE_STEPS = 1024;
const NOISE = 256;
const CLOUD_ROWS = 96;
const GROUND_REACH_M = 300;
const SKY_DEPTH = 1e6;

/** Sky, far hills and haze of one condition, and the colour of the ground. */
export class Backdrop {
  readonly town: Town;
  /** Ground light by kind: [kind][lit ? 1 : 0][rgb], of FULL_LIGHT. */
  readonly groundLight: readonly (readonly [readonly number[], readonly number[]])[];
  /** [256][256] brightness factors of the ground at 16 to the metre, and again at 1 to the metre. */
  readonly grain: Float32Array;
  /** Tangents of the elevation of far roofs and hills, around the compass. */
  readonly #skyline: Float32Array;
  readonly #clouds: Float32Array;
  readonly #condition: SampleCondition;
  readonly #horizon: readonly number[];

  constructor(town: Town, condition: SampleCondition) {
    this.town = town;
    this.#condition = condition;
    this.#horizon = condition.skyHorizon.map((value) => (value * FULL_LIGHT) / 255);
    const flat = condition.sunTangent / Math.sqrt(1 + condition.sunTangent * condition.sunTangent);
    this.groundLight = GROUND_COLOURS.map((colour) => {
      const dark = colour.map((value, i) => {
        const white = value + (222 - value) * condition.snow;
        return (white / 255) * condition.ambient[i]! * FULL_LIGHT;
      });
      const lit = dark.map((value, i) => value * (1 + (flat * 1.1 * condition.sun[i]!) / condition.ambient[i]!));
      return [dark, lit] as const;
    });
    const random = uniformNumbers(seedOf(town.seed, 21));
    this.grain = Float32Array.from({ length: NOISE * NOISE }, () => 0.86 + 0.28 * random());
    this.#skyline = skyline(town.seed);
    this.#clouds = clouds(seedOf(town.seed, 22, Math.round(condition.sunAzimuth * 1000)));
  }

  /** What haze leaves of the light from `depth` metres, and what it adds. */
  haze(depth: number): { keep: number; red: number; green: number; blue: number } {
    const part = depth / this.#condition.hazeM;
    const keep = 1 / (1 + 0.5 * part + 1.5 * part * part);
    const [red, green, blue] = this.#horizon;
    return { keep, red: red! * (1 - keep), green: green! * (1 - keep), blue: blue! * (1 - keep) };
  }

  /** Light of the sky in a direction: east and north at depth 1, up the tangent over the ray. */
  sky(east: number, north: number, up: number, out: Float64Array): void {
    const turn = compass(east, north);
    const { skyTop, skyHorizon, clouds: cover, lamps, leaves } = this.#condition;
    const spot = (turn * (SKYLINE_STEPS / 4)) | 0;
    if (up < this.#skyline[spot]!) {
      const { keep, red, green, blue } = this.haze(170 + this.#skyline[(spot * 7) & (SKYLINE_STEPS - 1)]! * 500);
      const dim = (1 - 0.6 * lamps) * keep * (FULL_LIGHT / 255) * 0.5;
      out[0] = leaves[0] * dim + red;
      out[1] = leaves[1] * dim + green;
      out[2] = leaves[2] * dim + blue;
      return;
    }
    const rise = Math.min(1, up * 1.4);
    const cloud = this.#clouds[Math.min(CLOUD_ROWS - 1, (up * 80) | 0) * NOISE + (((turn * NOISE) / 4) | 0)]!;
    const white = Math.max(0, cloud + cover - 0.75) * 0.9;
    const bright = (FULL_LIGHT / 255) * (1 - lamps * 0.35);
    for (let i = 0; i < 3; i++) {
      const clear = skyHorizon[i]! + (skyTop[i]! - skyHorizon[i]!) * rise;
      const grey = (skyHorizon[0] + skyHorizon[1] + skyHorizon[2]) / 3;
      out[i] = (clear + (grey + 24 * cloud - clear) * Math.min(0.85, white)) * bright;
    }
  }
}

/** Direction as 0...4, growing counter-clockwise from east: no arc tangent needed. */
function compass(east: number, north: number): number {
  const part = north / (Math.abs(east) + Math.abs(north));
  const turn = east >= 0 ? (part + 4) % 4 : 2 - part;
  return turn >= 4 ? 0 : turn;
}

function skyline(seed: number): Float32Array {
  const random = uniformNumbers(seedOf(seed, 23));
  const tangents = new Float32Array(SKYLINE_STEPS);
  const knots = Array.from({ length: 33 }, () => between(random, 0.02, 0.14));
  knots[32] = knots[0]!;
  for (let i = 0; i < SKYLINE_STEPS; i++) {
    const at = (i / SKYLINE_STEPS) * 32;
    const low = Math.floor(at);
    tangents[i] = knots[low]! + (knots[low + 1]! - knots[low]!) * (at - low);
  }
  for (let tower = 0; tower < 26; tower++) {
    const start = Math.floor(random() * SKYLINE_STEPS);
    const width = Math.floor(between(random, 3, 16));
    const height = between(random, 0.12, 0.42);
    for (let i = 0; i < width; i++) {
      const at = (start + i) % SKYLINE_STEPS;
      tangents[at] = Math.max(tangents[at]!, height);
    }
  }
  return tangents;
}

/** Two octaves of value noise, [CLOUD_ROWS][256], 0...1. */
function clouds(seed: number): Float32Array {
  const random = uniformNumbers(seed);
  const values = new Float32Array(CLOUD_ROWS * NOISE);
  for (const [size, weight] of [
    [32, 0.65],
    [8, 0.35],
  ] as const) {
    const across = NOISE / size;
    const down = Math.ceil(CLOUD_ROWS / (size / 2)) + 1;
    const lattice = Array.from({ length: across * (down + 1) }, random);
    for (let row = 0; row < CLOUD_ROWS; row++) {
      const y = row / (size / 2);
      const yi = Math.floor(y);
      for (let column = 0; column < NOISE; column++) {
        const x = column / size;
        const xi = Math.floor(x);
        const corner = (dx: number, dy: number): number => lattice[(yi + dy) * across + ((xi + dx) % across)]!;
        const top = corner(0, 0) * (1 - x + xi) + corner(1, 0) * (x - xi);
        const bottom = corner(0, 1) * (1 - x + xi) + corner(1, 1) * (x - xi);
        values[row * NOISE + column]! += weight * (top * (1 - y + yi) + bottom * (y - yi));
      }
    }
  }
  return values;
}

/** Fills every pixel that has nothing on it yet. */
export function drawGroundAndSky(frame: FrameBuffer, view: Pinhole, backdrop: Backdrop, shadows: ShadowMap): void {
  const { width, height } = frame;
  const sky = new Float64Array(3);
  for (let row = 0; row < height; row++) {
    const below = row + 0.5 - view.horizon;
    const depth = below > 0 ? (view.heightM * view.focal) / below : Infinity;
    if (depth < GROUND_REACH_M) {
      drawGroundRow(frame, view, row, depth, backdrop, shadows);
      continue;
    }
    const rise = Math.max(0, -below / view.focal);
    for (let column = 0; column < width; column++) {
      const pixel = row * width + column;
      if (frame.depth[pixel]! !== Infinity) continue;
      const east = view.rayEast[column]!;
      const north = view.rayNorth[column]!;
      backdrop.sky(east, north, rise / Math.sqrt(east * east + north * north), sky);
      frame.put(pixel, SKY_DEPTH, sky[0]!, sky[1]!, sky[2]!);
    }
  }
}

// One row of the ground lies at one depth: haze and the strength of the grain are worked out once.
function drawGroundRow(
  frame: FrameBuffer,
  view: Pinhole,
  row: number,
  depth: number,
  backdrop: Backdrop,
  shadows: ShadowMap,
): void {
  const { town, grain, groundLight } = backdrop;
  const { ground, widthM, heightM } = town;
  const columns = widthM * GROUND_PER_M;
  const { keep, red, green, blue } = backdrop.haze(depth);
  const near = Math.min(1, 9 / depth);
  const shaded = depth < 90;
  for (let column = 0, pixel = row * frame.width; column < frame.width; column++, pixel++) {
    if (frame.depth[pixel]! !== Infinity) continue;
    const x = view.x + view.rayEast[column]! * depth;
    const y = view.y + view.rayNorth[column]! * depth;
    let kind = 0;
    if (x >= 0 && y >= 0 && x < widthM && y < heightM)
      kind = ground[((y * GROUND_PER_M) | 0) * columns + ((x * GROUND_PER_M) | 0)]!;
    const light = groundLight[kind]![shaded && shadows.heightAt(x, y) > 0 ? 0 : 1];
    const fine = grain[(((y * 16) & (NOISE - 1)) << 8) | ((x * 16) & (NOISE - 1))]!;
    const coarse = grain[(((y * 0.7) & (NOISE - 1)) << 8) | ((x * 0.7) & (NOISE - 1))]!;
    const factor = (1 + (fine - 1) * near) * coarse * keep;
    frame.put(pixel, depth, light[0]! * factor + red, light[1]! * factor + green, light[2]! * factor + blue);
  }
}
