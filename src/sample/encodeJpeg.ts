import sharp from 'sharp';
import type { RgbImage } from '../core/image.js';

/** JPEG bytes of a picture, 4:2:0. quality: 1...100. */
export async function encodeJpeg(image: RgbImage, quality = 90): Promise<Uint8Array> {
  const raw = { width: image.width, height: image.height, channels: 3 } as const;
  return sharp(image.data, { raw }).jpeg({ quality }).toBuffer();
}
