import { CODE_BITS } from '../../core/binaryCode.js';
import { mulberry32 } from '../../core/mulberry32.js';
import { VprError } from '../../core/VprError.js';
import { nearestOrthonormal, orthonormalizeRows } from './matrices.js';
import type { Matrix, MatrixProduct } from './MatrixProduct.js';

/** Fewer descriptors than this do not determine 512 directions. */
export const MIN_DESCRIPTORS = 4096;

export interface FittedProjection {
  /** [512, D]: bit i = projection[i] . (descriptor - mean) >= 0. */
  readonly projection: Float32Array;
  /** [D] */
  readonly mean: Float32Array;
  /** Mean squared distance of the rotated values to their signs, before the first and after the last iteration. */
  readonly quantizationError: readonly [number, number];
}

export interface FitOptions {
  readonly seed?: number;
  readonly iterations?: number;
  readonly bits?: number;
  readonly minDescriptors?: number;
  readonly onProgress?: (iteration: number, iterations: number) => void;
}

/** Standard normal values from a seed (Box and Muller). */
export function normals(rows: number, columns: number, seed: number): Matrix {
  const next = mulberry32(seed);
  const uniform = (): number => (next() + 0.5) / 4294967296;
  const values = Float32Array.from(
    { length: rows * columns },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
  return { rows, columns, values };
}

/**
 * An orthonormal basis of the subspace of largest variance, [k, D], by three subspace iterations; rows beyond the rank are zero.
 * x: [n, D], centred.
 */
export async function principalSubspace(x: Matrix, k: number, seed: number, multiply: MatrixProduct): Promise<Matrix> {
  let basis = normals(k, x.columns, seed);
  orthonormalizeRows(basis);
  for (let iteration = 0; iteration < 3; iteration++) {
    basis = await multiply('aT b', await multiply('a bT', x, basis), x);
    orthonormalizeRows(basis);
  }
  return basis;
}

/** Descriptors [n, D] without their mean. Throws ARGUMENT_INVALID for fewer than `least`. */
export function centre(
  descriptors: Float32Array,
  dimension: number,
  least: number,
): { readonly x: Matrix; readonly mean: Float32Array } {
  const n = descriptors.length / dimension;
  if (!Number.isInteger(n))
    throw new RangeError(`Expected rows of ${dimension} values, got ${descriptors.length} values`);
  if (n < least) throw new VprError('ARGUMENT_INVALID', `Expected at least ${least} descriptors for a fit, got ${n}`);
  const mean = new Float32Array(dimension);
  for (let i = 0; i < descriptors.length; i++) mean[i % dimension]! += descriptors[i]! / n;
  const values = descriptors.map((value, i) => value - mean[i % dimension]!);
  return { x: { rows: n, columns: dimension, values }, mean };
}

/**
 * Iterative quantization (Gong and Lazebnik, CVPR 2011): the rotation of the principal subspace in which values lie nearest
 * to their signs. descriptors: [n, D] row-major. Where D is below 512, the bits beyond D are seeded random directions.
 * Throws ARGUMENT_INVALID for too few descriptors.
 */
export async function fitProjection(
  descriptors: Float32Array,
  dimension: number,
  multiply: MatrixProduct,
  options: FitOptions = {},
): Promise<FittedProjection> {
  const { seed = 1, iterations = 20, bits = CODE_BITS, minDescriptors = MIN_DESCRIPTORS } = options;
  const { x, mean } = centre(descriptors, dimension, minDescriptors);
  const learned = Math.min(bits, dimension);
  const basis = await principalSubspace(x, learned, seed, multiply);
  const projected = await multiply('a bT', x, basis); // [n, k]
  let rotation = normals(learned, learned, seed + 1);
  orthonormalizeRows(rotation);
  // Signs are +-1; values are of another scale, which the error must not count.
  const { values } = projected;
  const scale = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length) || 1;
  const errors: number[] = [];
  for (let iteration = 0; iteration <= iterations; iteration++) {
    const rotated = await multiply('a b', projected, rotation);
    errors.push(rotated.values.reduce((sum, value) => sum + (Math.abs(value / scale) - 1) ** 2, 0) / values.length);
    options.onProgress?.(iteration, iterations);
    if (iteration === iterations) break;
    const signs = { ...rotated, values: rotated.values.map((value) => (value >= 0 ? 1 : -1)) };
    const next = await nearestOrthonormal(await multiply('aT b', projected, signs), multiply);
    if (next === undefined) break;
    rotation = next;
  }
  const projection = new Float32Array(bits * dimension);
  projection.set((await multiply('aT b', rotation, basis)).values);
  if (bits > learned) projection.set(normals(bits - learned, dimension, seed + 2).values, learned * dimension);
  return { projection, mean, quantizationError: [errors[0]!, errors.at(-1)!] };
}
