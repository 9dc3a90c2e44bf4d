import type { RgbImage } from '../core/image.js';
import { decodeRawImage } from './decodeRawImage.js';
import { imageError } from './imageError.js';

/** Longest header that is looked at: comments included. */
const MAX_HEADER_BYTES = 4096;

/**
 * Pixels of a binary PGM (P5) or PPM (P6) file as 8-bit RGB; maxval 255 or 65535 (big-endian, shifted down).
 * Throws IMAGE_INVALID, IMAGE_TOO_LARGE.
 */
export function decodeNetpbm(data: Uint8Array, where: string): RgbImage {
  const head = Buffer.from(data.subarray(0, MAX_HEADER_BYTES)).toString('latin1');
  const gap = String.raw`(?:\s|#[^\n]*\n)+`;
  const match = new RegExp(`^P([56])${gap}(\\d{1,9})${gap}(\\d{1,9})${gap}(255|65535)\\s`).exec(head);
  if (match === null)
    throw imageError(
      'IMAGE_INVALID',
      'Expected width, height and maxval 255 or 65535 for a PNM image, got none',
      where,
    );
  const [header, kind, width, height, maxval] = match;
  const isWide = maxval === '65535';
  return decodeRawImage(
    {
      kind: 'raw',
      encoding: `${kind === '5' ? 'mono' : 'rgb'}${isWide ? 16 : 8}`,
      width: Number(width),
      height: Number(height),
      step: Number(width) * (kind === '5' ? 1 : 3) * (isWide ? 2 : 1),
      isBigEndian: true,
      data: data.subarray(header.length),
    },
    where,
  );
}
