import type { RawImageMessage, RgbImage } from '../core/image.js';
import { MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE } from '../core/limits.js';
import { demosaic } from './demosaic.js';
import { imageError } from './imageError.js';
import { interleavedOf, rgbOf, type InterleavedImage } from './InterleavedImage.js';
import { BAYER_PATTERNS, PIXEL_FORMATS, RAW_ENCODINGS, YUV_LAYOUTS, type PixelFormat } from './pixelFormats.js';
import { yuvToRgb } from './yuvToRgb.js';

/** 16 -> 8 bits by shift: the high byte of each sample, which comes first when big-endian. */
function highByte(bytesPerSample: 1 | 2, { isBigEndian }: RawImageMessage): number {
  return bytesPerSample === 2 && !isBigEndian ? 1 : 0;
}

/** The message's own bytes; of 16-bit samples, the high ones. */
function viewPixels(format: PixelFormat, message: RawImageMessage): InterleavedImage {
  const { width, height, step, data } = message;
  const { samples, bytesPerSample } = format;
  const at = (sample: number): number => sample * bytesPerSample + highByte(bytesPerSample, message);
  const [red, green, blue] = [at(format.red), at(format.green), at(format.blue)];
  return { width, height, step, samples: samples * bytesPerSample, red, green, blue, data };
}

/** The samples of a one-channel image as [height, width] u8, the high byte of 16-bit ones. */
function packSamples(message: RawImageMessage, bytesPerSample: 1 | 2): Uint8Array {
  const { width, height, step, data } = message;
  const high = highByte(bytesPerSample, message);
  const packed = new Uint8Array(width * height);
  let to = 0;
  for (let row = 0; row < height; row++) {
    let from = row * step + high;
    for (let column = 0; column < width; column++, from += bytesPerSample) packed[to++] = data[from]!;
  }
  return packed;
}

/** What an encoding needs, and how it is turned to RGB. */
interface Conversion {
  readonly rowBytes: number;
  /** Rows of `step` bytes. */
  readonly rows: number;
  readonly smallestSide: number;
  readonly convert: () => InterleavedImage;
}

function conversionOf(message: RawImageMessage): Conversion | undefined {
  const { encoding, width, height, step, data } = message;
  const filled = (fill: (out: Uint8Array<ArrayBuffer>) => void): InterleavedImage => {
    const out = new Uint8Array(width * height * 3);
    fill(out);
    return interleavedOf({ width, height, data: out });
  };
  const format = PIXEL_FORMATS.get(encoding);
  if (format !== undefined)
    return {
      rowBytes: width * format.samples * format.bytesPerSample,
      rows: height,
      smallestSide: 1,
      convert: () => viewPixels(format, message),
    };
  const bayer = /^bayer_([rgb]{4})(8|16)$/.exec(encoding);
  const pattern = bayer?.[1];
  if (pattern !== undefined && BAYER_PATTERNS.includes(pattern)) {
    const bytesPerSample = bayer?.[2] === '16' ? 2 : 1;
    return {
      rowBytes: width * bytesPerSample,
      rows: height,
      smallestSide: 3,
      convert: () => filled((out) => demosaic(packSamples(message, bytesPerSample), width, height, pattern, out)),
    };
  }
  const layout = YUV_LAYOUTS.get(encoding);
  if (layout === undefined) return undefined;
  const convert = (): InterleavedImage =>
    filled((out) => yuvToRgb(data, width, height, step, layout, new Uint8ClampedArray(out.buffer)));
  // An odd last column still has a whole pair of chroma bytes.
  if (layout.kind === 'packed') return { rowBytes: Math.ceil(width / 2) * 4, rows: height, smallestSide: 1, convert };
  const chromaWidth = Math.ceil(width / layout.subsampling) * 2;
  const chromaRows = Math.ceil(height / layout.subsampling);
  // Rows of nv24's chroma are twice as wide as its luma's: they fill two steps each.
  return layout.subsampling === 2
    ? { rowBytes: Math.max(width, chromaWidth), rows: height + chromaRows, smallestSide: 1, convert }
    : { rowBytes: width, rows: height + 2 * chromaRows, smallestSide: 1, convert };
}

/**
 * Pixels of a sensor_msgs/Image. Interleaved samples are not copied: the result is a view into the message, 16-bit samples
 * shifted down to 8. Bayer mosaics are interpolated bilinearly, YUV converted by BT.601. Encodings: RAW_ENCODINGS.
 * Throws IMAGE_ENCODING_UNSUPPORTED, IMAGE_TOO_LARGE, or IMAGE_INVALID when size, step and data do not fit together.
 */
export function viewRawImage(message: RawImageMessage, where = ''): InterleavedImage {
  const { width, height, step, data, encoding } = message;
  const conversion = conversionOf(message);
  if (conversion === undefined)
    throw imageError(
      'IMAGE_ENCODING_UNSUPPORTED',
      `Expected one of ${RAW_ENCODINGS.join(', ')} for the image encoding, got '${encoding}'`,
      where,
    );
  const { rowBytes, rows, smallestSide, convert } = conversion;
  if (width < smallestSide || height < smallestSide)
    throw imageError(
      'IMAGE_INVALID',
      `Expected at least ${smallestSide}x${smallestSide} pixels for an image of ${encoding}, got ${width}x${height}`,
      where,
    );
  if (width > MAX_IMAGE_SIDE || height > MAX_IMAGE_SIDE || width * height > MAX_IMAGE_PIXELS)
    throw imageError(
      'IMAGE_TOO_LARGE',
      `Expected at most ${MAX_IMAGE_PIXELS} pixels and ${MAX_IMAGE_SIDE} a side for the image, got ${width}x${height}`,
      where,
    );
  if (step < rowBytes)
    throw imageError(
      'IMAGE_INVALID',
      `Expected a step of at least ${rowBytes} bytes for ${width} pixels of ${encoding}, got ${step}`,
      where,
    );
  // The last row may lack its padding: some drivers cut it off.
  const needed = (rows - 1) * step + rowBytes;
  if (data.length < needed)
    throw imageError(
      'IMAGE_INVALID',
      `Expected ${rows * step} bytes for ${rows} rows of step ${step}, got ${data.length}`,
      where,
    );
  return convert();
}

/** The same as packed RGB in memory of its own, whatever the message's encoding. Throws as viewRawImage. */
export function decodeRawImage(message: RawImageMessage, where = ''): RgbImage {
  const image = rgbOf(viewRawImage(message, where));
  return image.data.buffer === message.data.buffer ? { ...image, data: image.data.slice() } : image;
}
