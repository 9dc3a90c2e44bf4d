import sharp from 'sharp';
import type { RgbImage } from '../core/image.js';

const JPEG_QUALITY = 75;

/** JPEG of an image, at most widthPx wide, never enlarged, sides in proportion. */
export async function encodeThumbnail(image: RgbImage, widthPx: number): Promise<Uint8Array> {
  const { width, height, data } = image;
  return sharp(data, { raw: { width, height, channels: 3 } })
    .resize({ width: Math.min(widthPx, width) })
    .jpeg({ quality: JPEG_QUALITY })
    .toBuffer();
}
