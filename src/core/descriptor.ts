import { VprError } from './VprError.js';

/** A float descriptor: [D] f32, L2-normalised. Similarity of two is their dot product, in [-1, 1]. */
export type Descriptor = Float32Array;

/** Inner product of two vectors of one length, accumulated in f64. */
export function dotProduct(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`Expected vectors of one length, got ${a.length} and ${b.length}`);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Scales values to L2 norm 1 in place. Throws MODEL_OUTPUT_INVALID when the norm is zero or not finite. */
export function l2Normalize(values: Float32Array): Descriptor {
  const norm = Math.sqrt(dotProduct(values, values));
  if (!Number.isFinite(norm) || norm === 0)
    throw new VprError('MODEL_OUTPUT_INVALID', `Expected a finite, non-zero descriptor norm, got ${norm}`);
  for (let i = 0; i < values.length; i++) values[i] = values[i]! / norm;
  return values;
}
