import type { RawImageMessage, RgbImage } from '../core/image.js';
import { MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE } from '../core/limits.js';
import { demosaic } from './demosaic.js';
import { imageError } from './imageError.js';
import { BAYER_PATTERNS, PIXEL_FORMATS, RAW_ENCODINGS, YUV_LAYOUTS, type PixelFormat } from './pixelFormats.js';
import { yuvToRgb } from './yuvToRgb.js';

function copyPixels(format: PixelFormat, message: RawImageMessage, out: Uint8Array): void {
  const { width, height, step, data, isBigEndian } = message;
  const { red, green, blue, samples, bytesPerSample } = format;
  const stride = samples * bytesPerSample;
  if (stride === 3 && red === 0) {
    for (let row = 0; row < height; row++) out.set(data.subarray(row * step, row * step + width * 3), row * width * 3);
    return;
  }
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

/** The samples of a one-channel image as [height, width] u8, the high byte of 16-bit ones. */
function packSamples(message: RawImageMessage, bytesPerSample: 1 | 2): Uint8Array {
  const { width, height, step, data, isBigEndian } = message;
  const high = bytesPerSample === 2 && !isBigEndian ? 1 : 0;
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
  readonly convert: (out: Uint8Array) => void;
}

function conversionOf(message: RawImageMessage): Conversion | undefined {
  const { encoding, width, height, step, data } = message;
  const format = PIXEL_FORMATS[encoding];
  if (format !== undefined)
    return {
      rowBytes: width * format.samples * format.bytesPerSample,
      rows: height,
      smallestSide: 1,
      convert: (out) => copyPixels(format, message, out),
    };
  const bayer = /^bayer_([rgb]{4})(8|16)$/.exec(encoding);
  const pattern = bayer?.[1];
  if (pattern !== undefined && BAYER_PATTERNS.includes(pattern)) {
    const bytesPerSample = bayer?.[2] === '16' ? 2 : 1;
    return {
      rowBytes: width * bytesPerSample,
      rows: height,
      smallestSide: 3,
      convert: (out) => demosaic(packSamples(message, bytesPerSample), width, height, pattern, out),
    };
  }
  const layout = YUV_LAYOUTS[encoding];
  if (layout === undefined) return undefined;
  const convert = (out: Uint8Array): void =>
    yuvToRgb(data, width, height, step, layout, new Uint8ClampedArray(out.buffer));
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
 * Pixels of a sensor_msgs/Image as 8-bit RGB: channels reordered, alpha dropped, grey copied to all three, rows unpadded,
 * 16 bits shifted down to 8, Bayer mosaics interpolated bilinearly, YUV by BT.601. Encodings: RAW_ENCODINGS.
 * Throws IMAGE_ENCODING_UNSUPPORTED, IMAGE_TOO_LARGE, or IMAGE_INVALID when size, step and data do not fit together.
 */
export function decodeRawImage(message: RawImageMessage, where = ''): RgbImage {
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
  const out = new Uint8Array(width * height * 3);
  convert(out);
  return { width, height, data: out };
}
