import type { RgbImage } from '../core/image.js';

/** Pixels of 8-bit samples where they lie: a decoded picture, or the bytes of a sensor_msgs/Image as they came. */
export interface InterleavedImage {
  readonly width: number;
  readonly height: number;
  /** Bytes from one row to the next. */
  readonly step: number;
  /** Bytes from one pixel to the next. */
  readonly samples: number;
  /** The byte of each colour within a pixel; grey: all the same. */
  readonly red: number;
  readonly green: number;
  readonly blue: number;
  /** At least (height - 1) * step + width * samples bytes. */
  readonly data: Uint8Array;
}

/** The same pixels, described; nothing is copied. */
export function interleavedOf(image: RgbImage): InterleavedImage {
  return { ...image, step: image.width * 3, samples: 3, red: 0, green: 1, blue: 2 };
}

/** The pixels as packed RGB: the same memory where they are that already, else a copy. */
export function rgbOf(image: InterleavedImage): RgbImage {
  const { width, height, step, samples, red, green, blue, data } = image;
  const isRgb = samples === 3 && red === 0 && green === 1 && blue === 2;
  if (isRgb && step === width * 3) return { width, height, data: data.subarray(0, height * step) };
  const out = new Uint8Array(width * height * 3);
  let to = 0;
  for (let row = 0; row < height; row++) {
    let from = row * step;
    if (isRgb) {
      out.set(data.subarray(from, from + width * 3), to);
      to += width * 3;
      continue;
    }
    for (let column = 0; column < width; column++, from += samples, to += 3) {
      out[to] = data[from + red]!;
      out[to + 1] = data[from + green]!;
      out[to + 2] = data[from + blue]!;
    }
  }
  return { width, height, data: out };
}
