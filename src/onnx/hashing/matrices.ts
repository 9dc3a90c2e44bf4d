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

const POLAR_STEPS = 80;
const POLAR_TOLERANCE = 1e-5;

/**
 * The orthogonal matrix nearest to a square one (its polar factor U V^T), by X <- 1.5 X - 0.5 X X^T X (Bjorck and Bowie, 1971): products
 * alone, and what is lost to rounding in one step is mended by the next. Returns undefined where a singular value is zero.
 */
export async function nearestRotation(matrix: Matrix, multiply: MatrixProduct): Promise<Matrix | undefined> {
  const n = matrix.rows;
  const bound = singularBound(matrix);
  if (!(bound > 0)) return undefined;
  let x: Matrix = { ...matrix, values: matrix.values.map((value) => value / bound) };
  for (let step = 0; step < POLAR_STEPS; step++) {
    const gram = await multiply('aT b', x, x);
    const error = gram.values.reduce((worst, value, i) => Math.max(worst, Math.abs(value - +(i % (n + 1) === 0))), 0);
    if (error < POLAR_TOLERANCE) return x;
    const cubed = await multiply('a b', x, gram);
    x = { ...x, values: x.values.map((value, i) => 1.5 * value - 0.5 * cubed.values[i]!) };
  }
  return undefined;
}
