import { solveCholesky } from '../core/solveCholesky.js';

/** One observation for a logistic fit. */
export interface LabelledFeatures {
  /** [F], the first one 1 (bias). */
  readonly features: ArrayLike<number>;
  readonly label: boolean;
  /** Importance; 1 by default. */
  readonly weight?: number;
}

export interface LogisticOptions {
  /** Ridge on standardised weights (not the bias), per observation. */
  readonly ridge?: number;
  readonly iterations?: number;
}

/** Solves A x = b for a symmetric positive definite A [n, n] by Cholesky. */
function solve(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!;
      l[i * n + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / l[j * n + j]!;
    }
  return solveCholesky(l, b);
}

/**
 * Weights w that maximise the likelihood of P(label) = sigmoid(w . features), by iteratively reweighted least squares
 * (Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, sec. 4.4.1) with a small ridge on standardised
 * features. A feature without variance gets weight 0. Deterministic.
 */
export function fitLogistic(
  data: readonly LabelledFeatures[],
  { ridge = 1e-3, iterations = 50 }: LogisticOptions = {},
): Float64Array {
  const n = data[0]?.features.length;
  if (n === undefined) throw new RangeError('Expected at least one observation for a logistic fit, got none');
  const total = data.reduce((sum, { weight = 1 }) => sum + weight, 0);
  const mean = new Float64Array(n);
  const spread = new Float64Array(n);
  for (const { features, weight = 1 } of data) for (let i = 0; i < n; i++) mean[i]! += (weight * features[i]!) / total;
  for (const { features, weight = 1 } of data)
    for (let i = 0; i < n; i++) spread[i]! += (weight * (features[i]! - mean[i]!) ** 2) / total;
  for (let i = 0; i < n; i++) spread[i] = Math.sqrt(spread[i]!);
  // Index 0 is the bias: kept as it is; constant features drop out.
  const standard = (features: ArrayLike<number>, i: number): number =>
    i === 0 ? 1 : spread[i]! < 1e-9 ? 0 : (features[i]! - mean[i]!) / spread[i]!;
  const w = new Float64Array(n);
  const row = new Float64Array(n);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const hessian = new Float64Array(n * n);
    const gradient = new Float64Array(n);
    for (const { features, label, weight = 1 } of data) {
      let z = 0;
      for (let i = 0; i < n; i++) {
        row[i] = standard(features, i);
        z += w[i]! * row[i]!;
      }
      const p = 1 / (1 + Math.exp(-z));
      const curvature = weight * Math.max(1e-9, p * (1 - p));
      for (let i = 0; i < n; i++) {
        gradient[i]! += weight * ((label ? 1 : 0) - p) * row[i]!;
        for (let j = 0; j <= i; j++) hessian[i * n + j]! += curvature * row[i]! * row[j]!;
      }
    }
    for (let i = 0; i < n; i++) {
      const penalty = i === 0 ? 1e-9 : ridge;
      gradient[i]! -= penalty * total * w[i]!;
      hessian[i * n + i]! += penalty * total;
      for (let j = 0; j < i; j++) hessian[j * n + i] = hessian[i * n + j]!;
    }
    const step = solve(hessian, gradient, n);
    const length = Math.hypot(...step);
    // A full Newton step from far away can overshoot into saturation.
    const scale = Math.min(1, 4 / Math.max(length, 1e-12));
    for (let i = 0; i < n; i++) w[i]! += scale * step[i]!;
    if (length < 1e-8) break;
  }
  const weights = new Float64Array(n);
  weights[0] = w[0]!;
  for (let i = 1; i < n; i++) {
    if (spread[i]! < 1e-9) continue;
    weights[i] = w[i]! / spread[i]!;
    weights[0]! -= weights[i]! * mean[i]!;
  }
  return weights;
}
