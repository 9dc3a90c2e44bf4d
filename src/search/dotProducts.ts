/**
 * Inner product in f32 as the SIMD kernels sum it: 16 partial sums (4 vectors of 4 lanes) over full steps of 16, then
 * the vectors are added pairwise, then the lanes. Every step rounds to f32, so that scalar and SIMD agree bit for bit.
 * a, b: [D]; D a multiple of 16 (rows are padded with zeros).
 */
export function scalarDotProduct(
  a: Float32Array,
  aOffset: number,
  b: Float32Array,
  bOffset: number,
  d: number,
): number {
  const sums = new Float32Array(16);
  for (let i = 0; i < d; i += 16)
    for (let lane = 0; lane < 16; lane++) sums[lane]! += Math.fround(a[aOffset + i + lane]! * b[bOffset + i + lane]!);
  const lanes = new Float32Array(4);
  for (let lane = 0; lane < 4; lane++)
    lanes[lane] = Math.fround(sums[lane]! + sums[lane + 4]!) + Math.fround(sums[lane + 8]! + sums[lane + 12]!);
  return Math.fround(Math.fround(lanes[0]! + lanes[1]!) + Math.fround(lanes[2]! + lanes[3]!));
}
