/** Dense row-major f32 matrices of a fit: a few loops over arrays, blocked so that rows stay in cache. */

/** a b. a: [m, k], b: [k, n]; returns [m, n]. */
export function product(a: Float32Array, b: Float32Array, m: number, k: number, n: number): Float32Array {
  const out = new Float32Array(m * n);
  const block = 64;
  for (let p0 = 0; p0 < k; p0 += block) {
    const p1 = Math.min(k, p0 + block);
    for (let i = 0; i < m; i++) {
      const row = out.subarray(i * n, (i + 1) * n);
      for (let p = p0; p < p1; p++) {
        const factor = a[i * k + p]!;
        if (factor === 0) continue;
        const from = b.subarray(p * n, (p + 1) * n);
        for (let j = 0; j < n; j++) row[j]! += factor * from[j]!;
      }
    }
  }
  return out;
}

/** a^T b. a: [k, m], b: [k, n]; returns [m, n]. */
export function transposedProduct(a: Float32Array, b: Float32Array, k: number, m: number, n: number): Float32Array {
  const out = new Float32Array(m * n);
  const block = 16;
  for (let p0 = 0; p0 < k; p0 += block) {
    const p1 = Math.min(k, p0 + block);
    for (let i = 0; i < m; i++) {
      const row = out.subarray(i * n, (i + 1) * n);
      for (let p = p0; p < p1; p++) {
        const factor = a[p * m + i]!;
        const from = b.subarray(p * n, (p + 1) * n);
        for (let j = 0; j < n; j++) row[j]! += factor * from[j]!;
      }
    }
  }
  return out;
}

export function transpose(a: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(a.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = a[i * columns + j]!;
  return out;
}

/** Makes the rows orthonormal in place, twice Gram-Schmidt. A row that depends on those before it becomes zero. [rows, n] */
export function orthonormalizeRows(a: Float32Array, rows: number, n: number): void {
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

/** The inverse of a square matrix [n, n], or undefined where it is singular. Gauss-Jordan with row pivoting, in f64. */
function inverse(matrix: Float64Array, n: number): Float64Array | undefined {
  const a = matrix.slice();
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) out[i * n + i] = 1;
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let i = column + 1; i < n; i++) if (Math.abs(a[i * n + column]!) > Math.abs(a[pivot * n + column]!)) pivot = i;
    const value = a[pivot * n + column]!;
    if (Math.abs(value) < 1e-12) return undefined;
    for (const m of [a, out]) {
      const top = m.slice(column * n, (column + 1) * n);
      const chosen = m.slice(pivot * n, (pivot + 1) * n);
      m.set(top, pivot * n);
      for (let k = 0; k < n; k++) m[column * n + k] = chosen[k]! / value;
    }
    const pivotA = a.subarray(column * n, (column + 1) * n);
    const pivotOut = out.subarray(column * n, (column + 1) * n);
    for (let i = 0; i < n; i++) {
      const factor = i === column ? 0 : a[i * n + column]!;
      if (factor === 0) continue;
      const rowA = a.subarray(i * n, (i + 1) * n);
      const rowOut = out.subarray(i * n, (i + 1) * n);
      for (let k = column; k < n; k++) rowA[k]! -= factor * pivotA[k]!;
      for (let k = 0; k < n; k++) rowOut[k]! -= factor * pivotOut[k]!;
    }
  }
  return out;
}

/**
 * The orthogonal matrix nearest to a square one (its polar factor U V^T), by Newton's iteration X <- (X + X^-T) / 2
 * (Higham, 1986). Returns undefined for a singular matrix.
 */
export function nearestRotation(matrix: Float32Array, n: number): Float32Array | undefined {
  let x = Float64Array.from(matrix);
  const scale = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / n);
  if (!(scale > 0)) return undefined;
  x = x.map((value) => value / scale);
  for (let step = 0; step < 30; step++) {
    const inverted = inverse(x, n);
    if (inverted === undefined) return undefined;
    let change = 0;
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        const next = (x[i * n + j]! + inverted[j * n + i]!) / 2;
        change = Math.max(change, Math.abs(next - x[i * n + j]!));
        // The inverse is a matrix of its own, so x may be overwritten as it is read.
        x[i * n + j] = next;
      }
    if (change < 1e-7) break;
  }
  return Float32Array.from(x);
}
