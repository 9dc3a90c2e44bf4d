import type { ImageMessage, RgbImage } from '../core/image.js';
import { decodeCompressedImage } from './decodeCompressedImage.js';
import { decodeRawImage } from './decodeRawImage.js';

/**
 * Pixels of an image message as 8-bit RGB; see decodeRawImage and decodeCompressedImage for what is understood.
 * where: origin for error sentences. Rejects with IMAGE_INVALID, IMAGE_ENCODING_UNSUPPORTED or IMAGE_TOO_LARGE.
 */
export async function decodeImage(message: ImageMessage, where = ''): Promise<RgbImage> {
  return message.kind === 'raw' ? decodeRawImage(message, where) : decodeCompressedImage(message, where);
}
