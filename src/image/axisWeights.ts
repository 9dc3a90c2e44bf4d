/** How a resampling kernel weighs its neighbours. */
export type ResampleKernel = 'bilinear-aa' | 'bilinear' | 'bicubic-aa';

/** For each output position along one axis: which input positions it sums, and with which weights. */
export interface AxisWeights {
  readonly inputSize: number;
  readonly outputSize: number;
  /** [outputSize] first input position. */
  readonly starts: Int32Array;
  /** [outputSize] number of input positions, 1...maxTaps. */
  readonly counts: Int32Array;
  /** [outputSize, maxTaps]; the first `counts` of each row sum to 1. */
  readonly weights: Float64Array;
  /** The weights times 2^22, rounded half away from zero: Pillow's fixed point for 8-bit images. */
  readonly fixedWeights: Int32Array;
  readonly maxTaps: number;
}

/** Fraction bits of Pillow's fixed point: 32 bits less 8 of the pixel and 2 of headroom for overshoot. */
export const FIXED_POINT_BITS = 22;

function triangle(x: number): number {
  const distance = Math.abs(x);
  return distance < 1 ? 1 - distance : 0;
}

/** Keys' cubic with a = -0.5, as Pillow and PyTorch's antialiased bicubic use (PyTorch's plain bicubic has -0.75). */
function cubic(x: number): number {
  const a = -0.5;
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return (((d - 5) * d + 8) * d - 4) * a;
  return 0;
}

/**
 * Weights of one axis; pixel centres are at half-integers. The `-aa` kernels widen by inputSize / outputSize when shrinking
 * (Pillow's rule, which torchvision's antialias=True follows); `bilinear` always mixes the two nearest.
 * Sizes: 1 or more.
 */
export function axisWeights(kernel: ResampleKernel, inputSize: number, outputSize: number): AxisWeights {
  const scale = inputSize / outputSize;
  const stretch = kernel === 'bilinear' ? 1 : Math.max(1, scale);
  const filter = kernel === 'bicubic-aa' ? cubic : triangle;
  const support = (kernel === 'bicubic-aa' ? 2 : 1) * stretch;
  const rows: { start: number; values: number[] }[] = [];
  for (let i = 0; i < outputSize; i++) {
    const centre = clampCentre(kernel, (i + 0.5) * scale, inputSize);
    let start = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(inputSize, Math.trunc(centre + support + 0.5));
    let values: number[] = [];
    for (let x = start; x < end; x++) values.push(filter((x - centre + 0.5) / stretch));
    const sum = values.reduce((a, b) => a + b, 0);
    values = values.map((value) => value / sum);
    while (values.length > 1 && values.at(-1) === 0) values.pop();
    while (values.length > 1 && values[0] === 0) {
      values.shift();
      start++;
    }
    rows.push({ start, values });
  }
  const maxTaps = rows.reduce((most, row) => Math.max(most, row.values.length), 0);
  const weights = new Float64Array(outputSize * maxTaps);
  rows.forEach((row, i) => weights.set(row.values, i * maxTaps));
  return {
    inputSize,
    outputSize,
    starts: Int32Array.from(rows, (row) => row.start),
    counts: Int32Array.from(rows, (row) => row.values.length),
    weights,
    fixedWeights: Int32Array.from(weights, (w) => Math.trunc(w * 2 ** FIXED_POINT_BITS + (w < 0 ? -0.5 : 0.5))),
    maxTaps,
  };
}

/** Without antialiasing the border pixel repeats; with it the kernel is cut off and renormalised, which is the same here. */
function clampCentre(kernel: ResampleKernel, centre: number, inputSize: number): number {
  return kernel === 'bilinear' ? Math.min(Math.max(centre, 0.5), inputSize - 0.5) : centre;
}

/** Weights are the same for every image of a camera; a few cameras and models fit. */
const MAX_CACHED_AXES = 32;
const cachedAxes = new Map<string, AxisWeights>();

/** axisWeights, kept for the next image of the same size. */
export function cachedAxisWeights(kernel: ResampleKernel, inputSize: number, outputSize: number): AxisWeights {
  const key = `${kernel} ${inputSize} ${outputSize}`;
  let weights = cachedAxes.get(key);
  if (weights === undefined) {
    weights = axisWeights(kernel, inputSize, outputSize);
    if (cachedAxes.size >= MAX_CACHED_AXES) cachedAxes.delete(cachedAxes.keys().next().value!);
    cachedAxes.set(key, weights);
  }
  return weights;
}
