/** Most rows that can be ranked at once: the index shares 53 bits with a 32-bit similarity. */
export const MAX_RANKED = 2 ** 21;

const floatBits = new Float32Array(1);
const wordBits = new Uint32Array(floatBits.buffer);

/**
 * Indices of the k greatest similarities, greatest first, ties by the lower index; NaN counts as -Infinity.
 * similarity: [n], n <= 2^21. One native sort of integers in f64: order-preserving bits of the float, then the index.
 */
export function rankBySimilarity(similarity: Float32Array, n: number, k: number): Uint32Array {
  if (n > MAX_RANKED) throw new RangeError(`Expected at most ${MAX_RANKED} rows to rank, got ${n}`);
  const keys = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const value = similarity[i]!;
    // + 0 turns -0 into +0: they are one similarity.
    floatBits[0] = value === value ? value + 0 : -Infinity;
    const bits = wordBits[0]!;
    // Negative floats descend as their bits ascend; flipping the others' 31 low bits makes all of them descend.
    keys[i] = (bits >>> 31 === 1 ? bits : ~bits & 0x7fffffff) * MAX_RANKED + i;
  }
  keys.sort();
  const order = new Uint32Array(Math.min(k, n));
  for (let i = 0; i < order.length; i++) order[i] = keys[i]! % MAX_RANKED;
  return order;
}
