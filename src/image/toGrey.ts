import type { GreyImage, RgbImage } from '../core/image.js';
import { interleavedOf } from './InterleavedImage.js';
import { resampleRows } from './resampleRows.js';

/** Brightness (ITU-R BT.601) of an image, at most `widthPx` wide, never enlarged, sides in proportion. */
export function toGrey(image: RgbImage, widthPx: number): GreyImage {
  const width = Math.min(widthPx, image.width);
  const height = Math.max(1, Math.round((image.height * width) / image.width));
  const data = new Uint8Array(width * height);
  resampleRows(interleavedOf(image), 'bilinear-aa', width, height, (row, y) => {
    for (let x = 0, from = 0, to = y * width; x < width; x++, from += 3, to++)
      data[to] = 0.299 * row[from]! + 0.587 * row[from + 1]! + 0.114 * row[from + 2]! + 0.5;
  });
  return { width, height, data };
}
