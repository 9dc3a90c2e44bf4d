import type { ImageMessage, RgbImage } from '../core/image.js';
import { decodeCompressedImage } from './decodeCompressedImage.js';
import { decodeRawImage, viewRawImage } from './decodeRawImage.js';
import { interleavedOf, type InterleavedImage } from './InterleavedImage.js';

/**
 * Pixels of an image message as 8-bit RGB; see decodeRawImage and decodeCompressedImage for what is understood.
 * where: origin for error sentences. Rejects with IMAGE_INVALID, IMAGE_ENCODING_UNSUPPORTED or IMAGE_TOO_LARGE.
 */
export async function decodeImage(message: ImageMessage, where = ''): Promise<RgbImage> {
  return message.kind === 'raw' ? decodeRawImage(message, where) : decodeCompressedImage(message, where);
}

/** The same without a copy where the message already holds 8-bit pixels: a view, good as long as the message's bytes are. */
export async function viewImage(message: ImageMessage, where = ''): Promise<InterleavedImage> {
  return message.kind === 'raw'
    ? viewRawImage(message, where)
    : interleavedOf(await decodeCompressedImage(message, where));
}
