import type { GreyImage } from '../core/image.js';

/** Mean of the 5 x 5 pixels around each; the border of 2 pixels keeps what it has. */
export function blurGrey(image: GreyImage): GreyImage {
  const { width, height, data } = image;
  const out = Uint8Array.from(data);
  const columns = new Uint16Array(width);
  if (width < 5 || height < 5) return { width, height, data: out };
  for (let y = 0; y < 4; y++) for (let x = 0; x < width; x++) columns[x]! += data[y * width + x]!;
  for (let y = 2; y < height - 2; y++) {
    const entering = (y + 2) * width;
    const leaving = (y - 3) * width;
    for (let x = 0; x < width; x++) {
      columns[x]! += data[entering + x]!;
      if (y > 2) columns[x]! -= data[leaving + x]!;
    }
    let sum = columns[0]! + columns[1]! + columns[2]! + columns[3]!;
    for (let x = 2; x < width - 2; x++) {
      sum += columns[x + 2]!;
      // sum / 25, rounded: sums are below 6376, where the product is exact.
      out[y * width + x] = ((sum + 12) * 5243) >>> 17;
      sum -= columns[x - 2]!;
    }
  }
  return { width, height, data: out };
}
