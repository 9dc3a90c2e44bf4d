import { cachedAxisWeights, type AxisWeights, type ResampleKernel } from './axisWeights.js';
import type { InterleavedImage } from './InterleavedImage.js';
import { RowSummer } from './RowSummer.js';

/** From this many input rows an output row on, summing them first with SIMD is faster than shrinking each by itself. */
const LEAST_TAPS_TO_SUM = 3;
/** Rows that lie further apart (a message may claim any step) would need more memory than the sums are worth. */
const LARGEST_BLOCK_BYTES = 64 * 1024 * 1024;

/** Where the samples of a pixel are. */
type PixelLayout = Pick<InterleavedImage, 'samples' | 'red' | 'green' | 'blue'>;

/** One row of samples, times `factor`, to [outputSize, 3] of floats, 0...255 if the row is. */
function shrinkRow(
  columns: AxisWeights,
  source: Uint8Array | Int32Array,
  offset: number,
  { samples, red, green, blue }: PixelLayout,
  factor: number,
  out: Float32Array,
): void {
  const { outputSize, starts, counts, weights, maxTaps } = columns;
  for (let x = 0; x < outputSize; x++) {
    let from = offset + starts[x]! * samples;
    let r = 0;
    let g = 0;
    let b = 0;
    const first = x * maxTaps;
    const end = first + counts[x]!;
    for (let k = first; k < end; k++, from += samples) {
      const weight = weights[k]!;
      r += weight * source[from + red]!;
      g += weight * source[from + green]!;
      b += weight * source[from + blue]!;
    }
    out[x * 3] = r * factor;
    out[x * 3 + 1] = g * factor;
    out[x * 3 + 2] = b * factor;
  }
}

let summer: RowSummer | undefined | null = null;

/**
 * Resamples and hands each finished row to `take`: vertically first, in fixed point with SIMD, where the image shrinks;
 * horizontally first, in floating point, where it does not or there is no SIMD. They agree within 0.01 of a grey level.
 * row: [width, 3] f32 in 0...255 (bicubic overshoots), valid during the call only.
 */
export function resampleRows(
  image: InterleavedImage,
  kernel: ResampleKernel,
  width: number,
  height: number,
  take: (row: Float32Array, y: number) => void,
): void {
  const rows = cachedAxisWeights(kernel, image.height, height);
  if (summer === null) summer = RowSummer.create();
  if (summer === undefined || rows.maxTaps < LEAST_TAPS_TO_SUM || rows.maxTaps * image.step > LARGEST_BLOCK_BYTES) {
    resampleInFloat(image, kernel, width, height, take);
    return;
  }
  const columns = cachedAxisWeights(kernel, image.width, width);
  const row = new Float32Array(width * 3);
  summer.sum(image.data, image.step, image.width * image.samples, rows, (sums, factor, y) => {
    shrinkRow(columns, sums, 0, image, factor, row);
    take(row, y);
  });
}

/** The same without SIMD. Memory: a ring of as many input rows as the vertical kernel covers, whatever the image's height. */
export function resampleInFloat(
  image: InterleavedImage,
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
      shrinkRow(columns, image.data, ready * image.step, image, 1, ring[ready % ring.length]!);
    sum.fill(0);
    for (let k = start; k < end; k++) {
      const weight = rows.weights[y * rows.maxTaps + k - start]!;
      const row = ring[k % ring.length]!;
      for (let i = 0; i < row.length; i++) sum[i] = sum[i]! + weight * row[i]!;
    }
    take(sum, y);
  }
}
