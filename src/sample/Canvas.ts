import { packTexel, Texture } from './Texture.js';
import type { Random } from '../core/mulberry32.js';

/** Red, green, blue, 0...255. */
export type Colour = readonly [number, number, number];

export function shade(colour: Colour, factor: number): Colour {
  const scale = (value: number): number => Math.max(0, Math.min(255, Math.round(value * factor)));
  return [scale(colour[0]), scale(colour[1]), scale(colour[2])];
}

export function mixColours(a: Colour, b: Colour, part: number): Colour {
  const mix = (i: 0 | 1 | 2): number => Math.round(a[i] + (b[i] - a[i]) * part);
  return [mix(0), mix(1), mix(2)];
}

/** A surface that textures are painted on: rectangles, noise, holes. Coordinates in texels from the top left. */
export class Canvas {
  readonly width: number;
  readonly height: number;
  readonly #texels: Uint32Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.#texels = new Uint32Array(width * height);
  }

  /** light: what the area gives off by night, 0...254. Parts outside are cut off. */
  fill(x: number, y: number, width: number, height: number, colour: Colour, light = 0): void {
    const texel = packTexel(colour[0], colour[1], colour[2], light);
    const x0 = Math.max(0, Math.round(x));
    const x1 = Math.min(this.width, Math.round(x + width));
    const y0 = Math.max(0, Math.round(y));
    const y1 = Math.min(this.height, Math.round(y + height));
    for (let u = x0; u < x1; u++) if (y1 > y0) this.#texels.fill(texel, u * this.height + y0, u * this.height + y1);
  }

  /** Filled ellipse around (x, y). */
  disc(x: number, y: number, radiusX: number, radiusY: number, colour: Colour, light = 0): void {
    const texel = packTexel(colour[0], colour[1], colour[2], light);
    for (let u = Math.max(0, Math.floor(x - radiusX)); u <= Math.min(this.width - 1, x + radiusX); u++) {
      for (let v = Math.max(0, Math.floor(y - radiusY)); v <= Math.min(this.height - 1, y + radiusY); v++) {
        const dx = (u - x) / radiusX;
        const dy = (v - y) / radiusY;
        if (dx * dx + dy * dy <= 1) this.#texels[u * this.height + v] = texel;
      }
    }
  }

  erase(x: number, y: number, width: number, height: number): void {
    const x1 = Math.min(this.width, Math.round(x + width));
    const y0 = Math.max(0, Math.round(y));
    const y1 = Math.min(this.height, Math.round(y + height));
    for (let u = Math.max(0, Math.round(x)); u < x1; u++)
      if (y1 > y0) this.#texels.fill(0, u * this.height + y0, u * this.height + y1);
  }

  /** Multiplies what is painted by 1 +- grain texel by texel, and by smooth blotches of `blotchTexels`. */
  roughen(random: Random, grain: number, blotch: number, blotchTexels: number): void {
    const columns = Math.ceil(this.width / blotchTexels) + 2;
    const rows = Math.ceil(this.height / blotchTexels) + 2;
    const lattice = Float64Array.from({ length: columns * rows }, () => (random() * 2 - 1) * blotch);
    for (let u = 0; u < this.width; u++) {
      const x = u / blotchTexels;
      const xi = Math.floor(x);
      const xf = x - xi;
      for (let v = 0; v < this.height; v++) {
        const at = u * this.height + v;
        const texel = this.#texels[at]!;
        const noise = random() * 2 - 1;
        if (texel >>> 24 === 0) continue;
        const y = v / blotchTexels;
        const yi = Math.floor(y);
        const yf = y - yi;
        const corner = yi * columns + xi;
        const top = lattice[corner]! * (1 - xf) + lattice[corner + 1]! * xf;
        const bottom = lattice[corner + columns]! * (1 - xf) + lattice[corner + columns + 1]! * xf;
        const factor = 1 + noise * grain + top * (1 - yf) + bottom * yf;
        const red = Math.max(0, Math.min(255, ((texel & 255) * factor) | 0));
        const green = Math.max(0, Math.min(255, (((texel >>> 8) & 255) * factor) | 0));
        const blue = Math.max(0, Math.min(255, (((texel >>> 16) & 255) * factor) | 0));
        this.#texels[at] = packTexel(red, green, blue, (texel >>> 24) - 1);
      }
    }
  }

  toTexture(): Texture {
    return new Texture({ width: this.width, height: this.height, texels: this.#texels });
  }
}
