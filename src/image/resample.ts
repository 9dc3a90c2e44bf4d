import type { RgbImage } from '../core/image.js';
import { axisWeights, FIXED_POINT_BITS, type AxisWeights, type ResampleKernel } from './axisWeights.js';

/** Weights are the same for every image of a camera; a few cameras and models fit. */
const MAX_CACHED_AXES = 32;
const cachedAxes = new Map<string, AxisWeights>();

function axis(kernel: ResampleKernel, inputSize: number, outputSize: number): AxisWeights {
  const key = `${kernel} ${inputSize} ${outputSize}`;
  let weights = cachedAxes.get(key);
  if (weights === undefined) {
    weights = axisWeights(kernel, inputSize, outputSize);
    if (cachedAxes.size >= MAX_CACHED_AXES) cachedAxes.delete(cachedAxes.keys().next().value!);
    cachedAxes.set(key, weights);
  }
  return weights;
}

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
  const columns = axis(kernel, image.width, width);
  const rows = axis(kernel, image.height, height);
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

/**
 * Resamples bytes as Pillow's Image.resize does: fixed-point weights, rounded to 8 bits after the horizontal and again
 * after the vertical pass, a pass being left out where that side keeps its size. Returns [height, width, 3] u8.
 */
export function resampleLikePillow(
  image: RgbImage,
  kernel: 'bilinear-aa' | 'bicubic-aa',
  width: number,
  height: number,
): Uint8Array {
  const half = 1 << (FIXED_POINT_BITS - 1);
  let source = image.data;
  if (width !== image.width) {
    const { starts, counts, fixedWeights, maxTaps } = axis(kernel, image.width, width);
    // A clamped array clips to 0...255, which is what is needed after the shift.
    const out = new Uint8ClampedArray(width * image.height * 3);
    let to = 0;
    for (let y = 0; y < image.height; y++)
      for (let x = 0; x < width; x++, to += 3) {
        let from = (y * image.width + starts[x]!) * 3;
        let red = half;
        let green = half;
        let blue = half;
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
    source = new Uint8Array(out.buffer);
  }
  if (height !== image.height) {
    const { starts, counts, fixedWeights, maxTaps } = axis(kernel, image.height, height);
    const rowLength = width * 3;
    const out = new Uint8ClampedArray(rowLength * height);
    const sum = new Int32Array(rowLength);
    for (let y = 0; y < height; y++) {
      sum.fill(half);
      for (let k = 0; k < counts[y]!; k++) {
        const weight = fixedWeights[y * maxTaps + k]!;
        const from = (starts[y]! + k) * rowLength;
        for (let i = 0; i < rowLength; i++) sum[i] = sum[i]! + Math.imul(weight, source[from + i]!);
      }
      for (let i = 0; i < rowLength; i++) out[y * rowLength + i] = sum[i]! >> FIXED_POINT_BITS;
    }
    source = new Uint8Array(out.buffer);
  }
  return source;
}
