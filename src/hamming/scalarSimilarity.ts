import { INT8_MAX, INT8_QUERY_MAX } from './similarityKernels.js';

/**
 * The similarity kernels in plain JavaScript, rounding where they round, so that both agree bit for bit: the oracle of
 * the SIMD kernels, and the floor where SIMD is missing. Lengths are multiples of 16.
 */

const lanes = new Float32Array(8);

/** f32 sums of 8 lanes: vectors of 4 first, then (0 + 1) + (2 + 3). */
function sumOfLanes(): number {
  const at = (lane: number): number => Math.fround(lanes[lane]! + lanes[lane + 4]!);
  return Math.fround(Math.fround(at(0) + at(1)) + Math.fround(at(2) + at(3)));
}

/** a, b: [D] f32. */
export function scalarDotF32(a: Float32Array, b: Float32Array): number {
  lanes.fill(0);
  // Storing into a Float32Array rounds the sum; the product is rounded before it is added, as there is no fused step.
  for (let i = 0; i < a.length; i++) lanes[i & 7]! += Math.fround(a[i]! * b[i]!);
  return sumOfLanes();
}

const wordOfFloat = new Uint32Array(1);
const floatOfWord = new Float32Array(wordOfFloat.buffer);

/** A half float's bits to its value; not for infinities and NaN. */
export function halfToFloat(bits: number): number {
  wordOfFloat[0] = ((bits & 0x8000) << 16) | ((bits & 0x7fff) << 13);
  return floatOfWord[0]! * 2 ** 112;
}

/** Bits of the nearest half float, ties to even; |value| < 65504. */
export function floatToHalf(value: number): number {
  floatOfWord[0] = value * 2 ** -112;
  const word = wordOfFloat[0]!;
  return (((word & 0x7fffffff) + 0xfff + ((word >>> 13) & 1)) >>> 13) | ((word >>> 16) & 0x8000);
}

/** query: [D] f32; row: [D] half-float bits. */
export function scalarDotF16(query: Float32Array, row: Uint16Array): number {
  lanes.fill(0);
  for (let i = 0; i < query.length; i++) lanes[i & 7]! += Math.fround(query[i]! * halfToFloat(row[i]!));
  return sumOfLanes();
}

/** Integers with one scale: value = integer * scale. */
export interface Quantized<T> {
  readonly values: T;
  readonly scale: number;
}

/** values: [D] f32; the greatest absolute value becomes `greatest`; to nearest even; zeros have the scale 0. */
function quantize(values: Float32Array, greatest: number, store: (index: number, integer: number) => void): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  const factor = most > 0 ? Math.fround(greatest / most) : 0;
  values.forEach((value, i) => store(i, roundToEven(Math.fround(value * factor))));
  return Math.fround(most / greatest);
}

/** row: [D] f32 to int8. */
export function quantizeRow(row: Float32Array): Quantized<Int8Array> {
  const values = new Int8Array(row.length);
  return { values, scale: quantize(row, INT8_MAX, (i, integer) => (values[i] = integer)) };
}

/** query: [D] f32 to i16 within INT8_QUERY_MAX; its error is 64 times smaller than the rows'. */
export function quantizeQuery(query: Float32Array): Quantized<Int16Array> {
  const values = new Int16Array(query.length);
  return { values, scale: quantize(query, INT8_QUERY_MAX, (i, integer) => (values[i] = integer)) };
}

/** query: [D] i16; row: [D] int8. 8 integer sums, exact; then f32 as the kernel adds its lanes. */
export function scalarDotInt8(query: Quantized<Int16Array>, row: Quantized<Int8Array>): number {
  const sums = new Int32Array(8);
  // Lane of the pairwise products: 2 accumulators of 8 values, each of 4 pairs.
  for (let i = 0; i < row.values.length; i++) sums[(i & 15) >> 1]! += query.values[i]! * row.values[i]!;
  const half = (from: number): number =>
    Math.fround(
      Math.fround(Math.fround(sums[from]!) + Math.fround(sums[from + 1]!)) +
        Math.fround(Math.fround(sums[from + 2]!) + Math.fround(sums[from + 3]!)),
    );
  return Math.fround(Math.fround(half(0) + half(4)) * Math.fround(row.scale * query.scale));
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
}
