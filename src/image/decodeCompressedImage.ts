import sharp from 'sharp';
import type { CompressedImageMessage, RgbImage } from '../core/image.js';
import { MAX_IMAGE_PIXELS } from '../core/limits.js';
import { messageOf } from '../core/VprError.js';
import { decodeBmp } from './decodeBmp.js';
import { decodeNetpbm } from './decodeNetpbm.js';
import { imageError } from './imageError.js';

/** File types by their first bytes; -1 stands for any byte. Only these reach the decoder library. */
const SIGNATURES: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['JPEG', [0xff, 0xd8, 0xff]],
  ['PNG', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['WebP', [0x52, 0x49, 0x46, 0x46, -1, -1, -1, -1, 0x57, 0x45, 0x42, 0x50]],
  ['TIFF', [0x49, 0x49, 0x2a, 0x00]],
  ['TIFF', [0x4d, 0x4d, 0x00, 0x2a]],
  ['BMP', [0x42, 0x4d]],
  ['PNM', [0x50, 0x35]],
  ['PNM', [0x50, 0x36]],
];

/** 'JPEG', 'PNG', 'WebP', 'TIFF', 'BMP', 'PNM', or undefined when the first bytes are of none of them. */
export function imageFileType(bytes: Uint8Array): string | undefined {
  return SIGNATURES.find(([, signature]) =>
    signature.every((byte, i) => (byte === -1 ? i < bytes.length : bytes[i] === byte)),
  )?.[0];
}

let decoderIsSetUp = false;

function setUpDecoder(): void {
  if (decoderIsSetUp) return;
  // Every frame is new: a cache of decoded files would only hold memory.
  sharp.cache(false);
  decoderIsSetUp = true;
}

/** TIFF 6.0, section 8: tags of the directory, and the values that matter here. */
const COMPRESSION_TAG = 259;
const PHOTOMETRIC_TAG = 262;
const COMPRESSION_JPEG = 7;
const PHOTOMETRIC_YCBCR = 6;

/** The value of a 16-bit tag in a TIFF's first directory; undefined where it is not there, or where the directory is not. */
function tiffTag(bytes: Uint8Array, tag: number): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLittle = bytes[0] === 0x49;
  const start = view.byteLength < 8 ? Infinity : view.getUint32(4, isLittle);
  if (start + 2 > view.byteLength) return undefined;
  const end = Math.min(view.byteLength, start + 2 + 12 * view.getUint16(start, isLittle));
  for (let at = start + 2; at + 12 <= end; at += 12)
    if (view.getUint16(at, isLittle) === tag) return view.getUint16(at + 8, isLittle);
  return undefined;
}

/** Luma and chroma that are not in a JPEG: the decoder library takes them for red, green and blue, and says so nowhere. */
function isTiffOfYCbCr(bytes: Uint8Array): boolean {
  return tiffTag(bytes, PHOTOMETRIC_TAG) === PHOTOMETRIC_YCBCR && tiffTag(bytes, COMPRESSION_TAG) !== COMPRESSION_JPEG;
}

function expandGrey(grey: Uint8Array): Uint8Array {
  const out = new Uint8Array(grey.length * 3);
  for (let i = 0, to = 0; i < grey.length; i++, to += 3) out[to] = out[to + 1] = out[to + 2] = grey[i]!;
  return out;
}

/**
 * Pixels of a JPEG, PNG, WebP, TIFF, BMP or binary PNM as 8-bit RGB. The bytes say what they are: the message's `format` word is only a hint that
 * writers get wrong. Pixels are taken as stored, as Pillow does and as the networks were trained: EXIF orientation and
 * colour profiles are not applied, alpha is dropped (not blended), the first picture of an animation counts.
 * CMYK, and a TIFF of YCbCr other than JPEG, are refused: their colours would be others than Pillow's.
 * A truncated file is an error; bytes that a decoder can only warn about (stray bytes between JPEG markers) are not.
 * Throws IMAGE_ENCODING_UNSUPPORTED, IMAGE_TOO_LARGE or IMAGE_INVALID.
 */
export async function decodeCompressedImage(message: CompressedImageMessage, where = ''): Promise<RgbImage> {
  const { data, format } = message;
  if (data.length === 0) throw imageError('IMAGE_INVALID', 'Expected an image file, got 0 bytes', where);
  const type = imageFileType(data);
  if (type === undefined) {
    const head = Array.from(data.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    throw imageError(
      'IMAGE_ENCODING_UNSUPPORTED',
      `Expected ${[...new Set(SIGNATURES.map(([name]) => name))].join(', ')} for the image${format === '' ? '' : ` of format '${format}'`}, got bytes that start with ${head}`,
      where,
    );
  }
  if (type === 'BMP') return decodeBmp(data, where);
  if (type === 'PNM') return decodeNetpbm(data, where);
  setUpDecoder();
  const decoder = sharp(data, { failOn: 'error', limitInputPixels: false, ignoreIcc: true, sequentialRead: true });
  try {
    const { width, height, space } = await decoder.metadata();
    const colours = space === 'cmyk' ? 'CMYK' : type === 'TIFF' && isTiffOfYCbCr(data) ? 'YCbCr' : undefined;
    if (colours !== undefined)
      throw imageError(
        'IMAGE_ENCODING_UNSUPPORTED',
        `Expected grey or RGB for the pixels of the ${type} image, got ${colours}`,
        where,
      );
    if (width * height > MAX_IMAGE_PIXELS)
      throw imageError(
        'IMAGE_TOO_LARGE',
        `Expected at most ${MAX_IMAGE_PIXELS} pixels for the ${type} image, got ${width}x${height}`,
        where,
      );
    const { data: pixels, info } = await decoder
      .removeAlpha()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const bytes = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
    return { width: info.width, height: info.height, data: info.channels === 1 ? expandGrey(bytes) : bytes };
  } catch (error) {
    if (error instanceof Error && error.name === 'VprError') throw error;
    const reason = messageOf(error)
      .trim()
      .replace(/\s*\n\s*/g, '; ');
    throw imageError('IMAGE_INVALID', `Expected a whole ${type} image, got ${reason}`, where, error);
  }
}
