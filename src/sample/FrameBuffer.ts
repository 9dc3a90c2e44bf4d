import type { RgbImage } from '../core/image.js';
import { uniformNumbers } from '../core/mulberry32.js';
import { gaussian, seedOf } from './random.js';

/** Value of a white surface in full light. */
export const FULL_LIGHT = 1024;
const LARGEST = 4 * FULL_LIGHT - 1;
const NOISE_SIZE = 1 << 16;

/** The light that falls on each pixel, with depth, and how the sensor makes bytes of it. */
export class FrameBuffer {
  readonly width: number;
  readonly height: number;
  /** [height][width][3], 0...4 * FULL_LIGHT - 1. */
  readonly light: Uint16Array;
  /** [height][width] metres along the optical axis; Infinity: nothing drawn yet. */
  readonly depth: Float32Array;
  readonly #noise: Int8Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.light = new Uint16Array(width * height * 3);
    this.depth = new Float32Array(width * height);
    const random = uniformNumbers(seedOf(width, height, 3));
    // 32 steps to a standard deviation.
    this.#noise = Int8Array.from({ length: NOISE_SIZE }, () => Math.max(-127, Math.min(127, gaussian(random) * 32)));
  }

  clear(): void {
    this.depth.fill(Infinity);
  }

  /** Draws one pixel if nothing nearer is there. */
  put(pixel: number, depth: number, red: number, green: number, blue: number): void {
    if (!(depth < this.depth[pixel]!)) return;
    this.depth[pixel] = depth;
    const at = pixel * 3;
    this.light[at] = red > LARGEST ? LARGEST : red;
    this.light[at + 1] = green > LARGEST ? LARGEST : green;
    this.light[at + 2] = blue > LARGEST ? LARGEST : blue;
  }

  /** Auto-exposure, shoulder, noise: a fresh picture. noise: standard deviation in grey values; seed: of the noise. */
  expose(noise: number, seed: number): RgbImage {
    const { light } = this;
    let sum = 0;
    let count = 0;
    for (let at = 1; at < light.length; at += 3 * 37) {
      sum += Math.min(light[at]!, FULL_LIGHT * 1.5);
      count++;
    }
    const mean = sum / count / FULL_LIGHT;
    // The square root leaves half of the (logarithmic) brightness change in the picture, as cheap cameras do.
    const gain = Math.max(0.6, Math.min(2.4, Math.sqrt(0.45 / Math.max(0.01, mean))));
    // Tones and noise are added as integers, 32 to a grey value.
    const tone = new Int16Array(LARGEST + 1);
    for (let value = 0; value <= LARGEST; value++) {
      const x = (value / FULL_LIGHT) * gain;
      tone[value] = 32 * 255 * (x < 0.7 ? x : 1 - 0.09 / (x - 0.4)) + 16;
    }
    const data = new Uint8ClampedArray(light.length);
    const noiseOf = this.#noise;
    const strength = Math.round(noise * 8);
    let at = seedOf(seed, 9) & (NOISE_SIZE - 1);
    for (let i = 0; i < data.length; i++) {
      data[i] = (tone[light[i]!]! + ((noiseOf[at]! * strength) >> 3)) >> 5;
      // An odd step that is no divisor of the row keeps the noise from lining up between rows.
      at = (at + 7919) & (NOISE_SIZE - 1);
    }
    return { width: this.width, height: this.height, data: new Uint8Array(data.buffer) };
  }
}
