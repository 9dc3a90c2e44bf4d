import type { Matrix, MatrixProduct } from './MatrixProduct.js';

/** Makes the rows orthonormal in place, twice Gram-Schmidt. A row that depends on those before it becomes zero. */
export function orthonormalizeRows({ rows, columns: n, values: a }: Matrix): void {
  for (let i = 0; i < rows; i++) {
    const row = a.subarray(i * n, (i + 1) * n);
    const before = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    for (let pass = 0; pass < 2; pass++)
      for (let j = 0; j < i; j++) {
        const other = a.subarray(j * n, (j + 1) * n);
        let dot = 0;
        for (let k = 0; k < n; k++) dot += row[k]! * other[k]!;
        for (let k = 0; k < n; k++) row[k]! -= dot * other[k]!;
      }
    const after = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    // What is left of a dependent row is rounding, not direction.
    const scale = after > 1e-5 * before && after > 0 ? 1 / after : 0;
    for (let k = 0; k < n; k++) row[k]! *= scale;
  }
}

/** At least the largest singular value: the root of the product of the 1-norm and the maximum norm. */
function singularBound({ rows, columns, values }: Matrix): number {
  const byRow = new Float64Array(rows);
  const byColumn = new Float64Array(columns);
  values.forEach((value, i) => {
    byRow[Math.floor(i / columns)]! += Math.abs(value);
    byColumn[i % columns]! += Math.abs(value);
  });
  return Math.sqrt(byRow.reduce((a, b) => Math.max(a, b), 0) * byColumn.reduce((a, b) => Math.max(a, b), 0));
}

const MAX_STEPS = 80;
const TOLERANCE = 1e-5;

/** Largest distance of an element from the identity's. */
function distanceToIdentity({ columns, values }: Matrix): number {
  return values.reduce((worst, value, i) => Math.max(worst, Math.abs(value - +(i % (columns + 1) === 0))), 0);
}

/**
 * The matrix with orthonormal columns nearest to one that is at least as tall as wide (its polar factor U V^T), by
 * X <- 1.5 X - 0.5 X X^T X (Bjorck and Bowie, 1971): products alone, and what is lost to rounding in one step is mended by the next.
 * Returns undefined where a singular value is zero.
 */
export async function nearestOrthonormal(matrix: Matrix, multiply: MatrixProduct): Promise<Matrix | undefined> {
  const bound = singularBound(matrix);
  if (!(bound > 0)) return undefined;
  let x: Matrix = { ...matrix, values: matrix.values.map((value) => value / bound) };
  for (let step = 0; step < MAX_STEPS; step++) {
    const gram = await multiply('aT b', x, x);
    if (distanceToIdentity(gram) < TOLERANCE) return x;
    const cubed = await multiply('a b', x, gram);
    x = { ...x, values: x.values.map((value, i) => 1.5 * value - 0.5 * cubed.values[i]!) };
  }
  return undefined;
}

/**
 * The symmetric square root of a symmetric positive definite matrix, by the coupled iteration of Newton and Schulz (Higham,
 * Functions of Matrices, 2008, eq. 6.35): with Y = A / c and Z = I, T = (3 I - Z Y) / 2, Y <- Y T, Z <- T Z; Y becomes the root of A / c.
 */
export async function squareRoot(matrix: Matrix, multiply: MatrixProduct): Promise<Matrix> {
  const n = matrix.rows;
  const bound = singularBound(matrix);
  let y: Matrix = { ...matrix, values: matrix.values.map((value) => value / bound) };
  let z: Matrix = { rows: n, columns: n, values: Float32Array.from(y.values, (_, i) => +(i % (n + 1) === 0)) };
  let last = Infinity;
  for (let step = 0; step < MAX_STEPS; step++) {
    const product = await multiply('a b', z, y);
    const distance = distanceToIdentity(product);
    // Near the end rounding is all that is left, and more steps would add to it.
    if (distance < TOLERANCE || (distance < 0.01 && distance >= last)) break;
    last = distance;
    const t: Matrix = {
      ...product,
      values: product.values.map((value, i) => (3 * +(i % (n + 1) === 0) - value) / 2),
    };
    [y, z] = [await multiply('a b', y, t), await multiply('a b', t, z)];
  }
  const scale = Math.sqrt(bound);
  return { ...y, values: y.values.map((value) => value * scale) };
}
