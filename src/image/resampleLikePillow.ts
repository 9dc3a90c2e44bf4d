import type { RgbImage } from '../core/image.js';
import { cachedAxisWeights, FIXED_POINT_BITS, type AxisWeights } from './axisWeights.js';

const HALF = 1 << (FIXED_POINT_BITS - 1);

function resampleColumns(image: RgbImage, columns: AxisWeights): RgbImage {
  const { starts, counts, fixedWeights, maxTaps, outputSize: width } = columns;
  const source = image.data;
  // A clamped array clips to 0...255, which is what is needed after the shift.
  const out = new Uint8ClampedArray(width * image.height * 3);
  let to = 0;
  for (let y = 0; y < image.height; y++)
    for (let x = 0; x < width; x++, to += 3) {
      let from = (y * image.width + starts[x]!) * 3;
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      const end = x * maxTaps + counts[x]!;
      for (let k = x * maxTaps; k < end; k++, from += 3) {
        const weight = fixedWeights[k]!;
        red = (red + Math.imul(weight, source[from]!)) | 0;
        green = (green + Math.imul(weight, source[from + 1]!)) | 0;
        blue = (blue + Math.imul(weight, source[from + 2]!)) | 0;
      }
      out[to] = red >> FIXED_POINT_BITS;
      out[to + 1] = green >> FIXED_POINT_BITS;
      out[to + 2] = blue >> FIXED_POINT_BITS;
    }
  return { width, height: image.height, data: new Uint8Array(out.buffer) };
}

function resampleRows(image: RgbImage, rows: AxisWeights): RgbImage {
  const { starts, counts, fixedWeights, maxTaps, outputSize: height } = rows;
  const source = image.data;
  const rowLength = image.width * 3;
  const out = new Uint8ClampedArray(rowLength * height);
  const sum = new Int32Array(rowLength);
  for (let y = 0; y < height; y++) {
    sum.fill(HALF);
    for (let k = 0; k < counts[y]!; k++) {
      const weight = fixedWeights[y * maxTaps + k]!;
      const from = (starts[y]! + k) * rowLength;
      for (let i = 0; i < rowLength; i++) sum[i] = sum[i]! + Math.imul(weight, source[from + i]!);
    }
    for (let i = 0; i < rowLength; i++) out[y * rowLength + i] = sum[i]! >> FIXED_POINT_BITS;
  }
  return { width: image.width, height, data: new Uint8Array(out.buffer) };
}

/**
 * Resamples bytes as Pillow's Image.resize does, bit for bit: fixed-point weights, rounded to 8 bits after each of the two
 * passes, a pass being left out where that side keeps its size. Returns [height, width, 3] u8, which is `image.data` itself
 * when both sides keep their size.
 */
export function resampleLikePillow(
  image: RgbImage,
  kernel: 'bilinear-aa' | 'bicubic-aa',
  width: number,
  height: number,
): Uint8Array {
  const lostRows = image.height - height;
  // Rounding between the passes makes their order matter. Pillow 13 goes vertically first when that saves work; releases
  // before it always went horizontally first, which for such sizes differs by a level here and there.
  const verticalFirst = lostRows > 0 && lostRows > (image.width - width) * 2;
  const columns = (source: RgbImage): RgbImage =>
    width === source.width ? source : resampleColumns(source, cachedAxisWeights(kernel, source.width, width));
  const rows = (source: RgbImage): RgbImage =>
    height === source.height ? source : resampleRows(source, cachedAxisWeights(kernel, source.height, height));
  return (verticalFirst ? columns(rows(image)) : rows(columns(image))).data;
}
