import { CODE_BITS } from '../../core/binaryCode.js';
import { mulberry32 } from '../../core/mulberry32.js';
import { VprError } from '../../core/VprError.js';
import { nearestRotation, orthonormalizeRows, product, transpose, transposedProduct } from './matrices.js';

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
function normals(count: number, seed: number): Float32Array {
  const next = mulberry32(seed);
  const uniform = (): number => (next() + 0.5) / 4294967296;
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

/** An orthonormal basis of the subspace of largest variance, [k, D], by three subspace iterations. */
function principalSubspace(x: Float32Array, n: number, dimension: number, k: number, seed: number): Float32Array {
  let basis = normals(k * dimension, seed);
  orthonormalizeRows(basis, k, dimension);
  for (let iteration = 0; iteration < 3; iteration++) {
    const projected = product(x, transpose(basis, k, dimension), n, dimension, k);
    basis = transposedProduct(projected, x, n, k, dimension);
    orthonormalizeRows(basis, k, dimension);
  }
  return basis;
}

/**
 * Iterative quantization (Gong and Lazebnik, CVPR 2011): the rotation of the principal subspace in which values lie nearest
 * to their signs. descriptors: [n, D] row-major. Where D is below 512, the bits beyond D are seeded random directions.
 * Throws ARGUMENT_INVALID for too few descriptors.
 */
export function fitProjection(
  descriptors: Float32Array,
  dimension: number,
  options: FitOptions = {},
): FittedProjection {
  const { seed = 1, iterations = 20, bits = CODE_BITS, minDescriptors = MIN_DESCRIPTORS } = options;
  const n = descriptors.length / dimension;
  if (!Number.isInteger(n))
    throw new RangeError(`Expected rows of ${dimension} values, got ${descriptors.length} values`);
  if (n < minDescriptors)
    throw new VprError('ARGUMENT_INVALID', `Expected at least ${minDescriptors} descriptors for a fit, got ${n}`);
  const mean = new Float32Array(dimension);
  for (let i = 0; i < descriptors.length; i++) mean[i % dimension]! += descriptors[i]! / n;
  const x = descriptors.map((value, i) => value - mean[i % dimension]!);
  const learned = Math.min(bits, dimension);
  const basis = principalSubspace(x, n, dimension, learned, seed);
  const values = product(x, transpose(basis, learned, dimension), n, dimension, learned); // [n, k]
  let rotation = normals(learned * learned, seed + 1);
  orthonormalizeRows(rotation, learned, learned);
  // Signs are +-1; values are of another scale, which the error must not count.
  const scale = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length) || 1;
  const errors: number[] = [];
  for (let iteration = 0; iteration <= iterations; iteration++) {
    const rotated = product(values, rotation, n, learned, learned);
    errors.push(rotated.reduce((sum, value) => sum + (Math.abs(value / scale) - 1) ** 2, 0) / rotated.length);
    options.onProgress?.(iteration, iterations);
    if (iteration === iterations) break;
    const signs = rotated.map((value) => (value >= 0 ? 1 : -1));
    const next = nearestRotation(transposedProduct(values, signs, n, learned, learned), learned);
    if (next === undefined) break;
    rotation = next;
  }
  const projection = new Float32Array(bits * dimension);
  projection.set(product(transpose(rotation, learned, learned), basis, learned, learned, dimension));
  if (bits > learned) projection.set(normals((bits - learned) * dimension, seed + 2), learned * dimension);
  return { projection, mean, quantizationError: [errors[0]!, errors.at(-1)!] };
}
