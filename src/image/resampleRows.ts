import type { RgbImage } from '../core/image.js';
import { cachedAxisWeights, type AxisWeights, type ResampleKernel } from './axisWeights.js';

/** One row [W, 3] of bytes to [outputSize, 3] of floats, still 0...255. */
function shrinkRow(columns: AxisWeights, source: Uint8Array, offset: number, out: Float32Array): void {
  const { outputSize, starts, counts, weights, maxTaps } = columns;
  for (let x = 0; x < outputSize; x++) {
    let from = offset + starts[x]! * 3;
    let red = 0;
    let green = 0;
    let blue = 0;
    const first = x * maxTaps;
    const end = first + counts[x]!;
    for (let k = first; k < end; k++, from += 3) {
      const weight = weights[k]!;
      red += weight * source[from]!;
      green += weight * source[from + 1]!;
      blue += weight * source[from + 2]!;
    }
    out[x * 3] = red;
    out[x * 3 + 1] = green;
    out[x * 3 + 2] = blue;
  }
}

/**
 * Resamples in floating point, horizontally then vertically, and hands each finished row to `take`.
 * row: [width, 3] f32 in 0...255 (bicubic overshoots), valid during the call only.
 * Memory: a ring of as many input rows as the vertical kernel covers, whatever the image's height.
 */
export function resampleRows(
  image: RgbImage,
  kernel: ResampleKernel,
  width: number,
  height: number,
  take: (row: Float32Array, y: number) => void,
): void {
  const columns = cachedAxisWeights(kernel, image.width, width);
  const rows = cachedAxisWeights(kernel, image.height, height);
  const ring = Array.from({ length: rows.maxTaps }, () => new Float32Array(width * 3));
  const sum = new Float32Array(width * 3);
  let ready = 0;
  for (let y = 0; y < height; y++) {
    const start = rows.starts[y]!;
    const end = start + rows.counts[y]!;
    for (ready = Math.max(ready, start); ready < end; ready++)
      shrinkRow(columns, image.data, ready * image.width * 3, ring[ready % ring.length]!);
    sum.fill(0);
    for (let k = start; k < end; k++) {
      const weight = rows.weights[y * rows.maxTaps + k - start]!;
      const row = ring[k % ring.length]!;
      for (let i = 0; i < row.length; i++) sum[i] = sum[i]! + weight * row[i]!;
    }
    take(sum, y);
  }
}
