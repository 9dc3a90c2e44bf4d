/** A descriptor's norm may differ from 1 by the rounding of its storage, not by more. */
const NORM_TOLERANCE = 0.02;

export function normOf(descriptor: Float32Array): number {
  return Math.sqrt(descriptor.reduce((sum, value) => sum + value * value, 0));
}

/** Whether a stored descriptor is L2-normalised; one with a value that is no number is not. */
export function isUnitNorm(descriptor: Float32Array): boolean {
  return Math.abs(normOf(descriptor) - 1) <= NORM_TOLERANCE;
}
