import { CODE_BITS } from '../../core/binaryCode.js';
import { centre, fitProjection, MIN_DESCRIPTORS, normals, principalSubspace } from './fitProjection.js';
import { nearestOrthonormal, squareRoot } from './matrices.js';
import type { Matrix, MatrixProduct } from './MatrixProduct.js';

/** References below which a map says too little of the place it shows. */
export const LEAST_REFERENCES = 16;
/** The spread of so many references is assumed to be the same in every direction, beside what the map's own say. */
const PRIOR_REFERENCES = 30;
/** Directions of largest variance that have a spread of their own; the others share one. */
const DIRECTIONS = 256;

/** bit i = projection[i] . (descriptor - mean) >= 0. */
export interface MapProjection {
  /** [512, D] row-major. */
  readonly projection: Float32Array;
  /** [D] */
  readonly mean: Float32Array;
  /** Of the iterative quantization, where it was used (FittedProjection). */
  readonly quantizationError?: readonly [number, number];
}

export interface MapFitOptions {
  readonly seed?: number;
  /** Of the iterative quantization, for maps of at least 4,096 references. */
  readonly iterations?: number;
  readonly onProgress?: (iteration: number, iterations: number) => void;
}

/**
 * The 512-bit code of one map, fitted to its descriptors [n, D]. One building, street or light differs from another mostly by
 * what all of its own images have in common; the model's code spends its bits on that too.
 *
 * From 4,096 descriptors on: iterative quantization (fitProjection). Below, they do not determine 512 directions:
 * bits = signs of Q C^(1/4) (x - mean), with C the covariance, mixed with that of 30 references of equal spread, and Q
 * 512 seeded orthonormal directions. The root gives directions in which the map's images differ more weight in the angle
 * that the bits measure, without leaving the others out.
 * Throws ARGUMENT_INVALID for fewer than 16.
 */
export async function fitMapProjection(
  descriptors: Float32Array,
  dimension: number,
  multiply: MatrixProduct,
  options: MapFitOptions = {},
): Promise<MapProjection> {
  if (descriptors.length / dimension >= MIN_DESCRIPTORS)
    return fitProjection(descriptors, dimension, multiply, options);
  const { seed = 1 } = options;
  const { x, mean } = centre(descriptors, dimension, LEAST_REFERENCES);
  const { basis, root, rest } = await rootOfCovariance(x, seed, multiply);
  const directions = await spreadDirections(dimension, seed + 1, multiply);
  // Q C^(1/4) with C^(1/4) = rest I + basis^T (root - rest I) basis.
  const beyond: Matrix = {
    ...root,
    values: root.values.map((value, i) => value - (i % (root.rows + 1) === 0 ? rest : 0)),
  };
  const along = await multiply('a b', await multiply('a b', await multiply('a bT', directions, basis), beyond), basis);
  return { projection: along.values.map((value, i) => value + rest * directions.values[i]!), mean };
}

/** The fourth root of the covariance of x [n, D]: [k, k] in a basis [k, D] of the directions of largest variance, `rest` in all others. */
async function rootOfCovariance(
  x: Matrix,
  seed: number,
  multiply: MatrixProduct,
): Promise<{ readonly basis: Matrix; readonly root: Matrix; readonly rest: number }> {
  const { rows: n, columns: dimension, values } = x;
  const total = values.reduce((sum, value) => sum + value * value, 0) / n;
  const k = Math.min(DIRECTIONS, n - 1, dimension);
  const basis = await principalSubspace(x, k, seed, multiply);
  const projected = await multiply('a bT', x, basis);
  const gram = await multiply('aT b', projected, projected);
  let inside = 0;
  for (let i = 0; i < k; i++) inside += gram.values[i * (k + 1)]! / n;
  // Descriptors that are all the same have no spread: any prior will do.
  const prior = (PRIOR_REFERENCES * (total / dimension || 1)) / (n + PRIOR_REFERENCES);
  const outside = dimension > k ? (n * Math.max(0, total - inside)) / ((dimension - k) * (n + PRIOR_REFERENCES)) : 0;
  const mixed: Matrix = {
    ...gram,
    values: gram.values.map((value, i) => value / (n + PRIOR_REFERENCES) + (i % (k + 1) === 0 ? prior : 0)),
  };
  const root = await squareRoot(await squareRoot(mixed, multiply), multiply);
  return { basis, root, rest: (outside + prior) ** 0.25 };
}

/** [512, D]: orthonormal rows, or where D is below 512 orthonormal columns. */
async function spreadDirections(dimension: number, seed: number, multiply: MatrixProduct): Promise<Matrix> {
  const wide = dimension > CODE_BITS;
  const [rows, columns] = wide ? [dimension, CODE_BITS] : [CODE_BITS, dimension];
  const random = normals(rows, columns, seed);
  // Random matrices have no singular value of zero; if one had, it would do as it is.
  const { values } = (await nearestOrthonormal(random, multiply)) ?? random;
  if (!wide) return { rows, columns, values };
  const turned = Float32Array.from(values, (_, i) => values[(i % dimension) * CODE_BITS + Math.floor(i / dimension)]!);
  return { rows: CODE_BITS, columns: dimension, values: turned };
}
