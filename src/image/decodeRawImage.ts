import type { RawImageMessage, RgbImage } from '../core/image.js';
import { MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE } from '../core/limits.js';
import { imageError } from './imageError.js';

/** Where the samples of one pixel are. Names as in sensor_msgs/image_encodings.hpp. */
interface PixelFormat {
  /** Samples from one pixel to the next. */
  readonly samples: number;
  readonly red: number;
  readonly green: number;
  readonly blue: number;
  readonly bytesPerSample: 1 | 2;
}

const RGB = { red: 0, green: 1, blue: 2 };
const BGR = { red: 2, green: 1, blue: 0 };
const GREY = { red: 0, green: 0, blue: 0 };

const PIXEL_FORMATS: Readonly<Record<string, PixelFormat>> = {
  rgb8: { ...RGB, samples: 3, bytesPerSample: 1 },
  bgr8: { ...BGR, samples: 3, bytesPerSample: 1 },
  rgba8: { ...RGB, samples: 4, bytesPerSample: 1 },
  bgra8: { ...BGR, samples: 4, bytesPerSample: 1 },
  mono8: { ...GREY, samples: 1, bytesPerSample: 1 },
};

export function supportedRawEncodings(): readonly string[] {
  return Object.keys(PIXEL_FORMATS);
}

function copyPixels(format: PixelFormat, message: RawImageMessage, out: Uint8Array): void {
  const { width, height, step, data, isBigEndian } = message;
  const { red, green, blue, bytesPerSample } = format;
  const stride = format.samples * bytesPerSample;
  // 16 -> 8 bits by shift: the high byte, which comes first when big-endian.
  const high = bytesPerSample === 2 && !isBigEndian ? 1 : 0;
  const r = red * bytesPerSample + high;
  const g = green * bytesPerSample + high;
  const b = blue * bytesPerSample + high;
  let to = 0;
  for (let row = 0; row < height; row++) {
    let from = row * step;
    for (let column = 0; column < width; column++, from += stride, to += 3) {
      out[to] = data[from + r]!;
      out[to + 1] = data[from + g]!;
      out[to + 2] = data[from + b]!;
    }
  }
}

/**
 * Pixels of a sensor_msgs/Image as 8-bit RGB: channels reordered, alpha dropped, grey copied to all three, rows unpadded.
 * Throws IMAGE_ENCODING_UNSUPPORTED, IMAGE_TOO_LARGE, or IMAGE_INVALID when size, step and data do not fit together.
 */
export function decodeRawImage(message: RawImageMessage, where = ''): RgbImage {
  const { width, height, step, data, encoding } = message;
  const format = PIXEL_FORMATS[encoding];
  if (format === undefined)
    throw imageError(
      'IMAGE_ENCODING_UNSUPPORTED',
      `Expected one of ${supportedRawEncodings().join(', ')} for the image encoding, got '${encoding}'`,
      where,
    );
  if (width === 0 || height === 0)
    throw imageError('IMAGE_INVALID', `Expected pixels for the image, got ${width}x${height}`, where);
  if (width > MAX_IMAGE_SIDE || height > MAX_IMAGE_SIDE || width * height > MAX_IMAGE_PIXELS)
    throw imageError(
      'IMAGE_TOO_LARGE',
      `Expected at most ${MAX_IMAGE_PIXELS} pixels and ${MAX_IMAGE_SIDE} a side for the image, got ${width}x${height}`,
      where,
    );
  const rowBytes = width * format.samples * format.bytesPerSample;
  if (step < rowBytes)
    throw imageError(
      'IMAGE_INVALID',
      `Expected a step of at least ${rowBytes} bytes for ${width} pixels of ${encoding}, got ${step}`,
      where,
    );
  // The last row may lack its padding: some drivers cut it off.
  const needed = (height - 1) * step + rowBytes;
  if (data.length < needed)
    throw imageError(
      'IMAGE_INVALID',
      `Expected ${height * step} bytes for ${height} rows of step ${step}, got ${data.length}`,
      where,
    );
  const out = new Uint8Array(width * height * 3);
  copyPixels(format, message, out);
  return { width, height, data: out };
}
