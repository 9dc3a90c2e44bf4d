/** [n] bytes. */
export function randomBytes(n: number, random: () => number): Uint8Array {
  const bytes = new Uint8Array(n);
  for (let i = 0; i < n; i++) bytes[i] = random() * 256;
  return bytes;
}

/** [n, d] f32 rows of norm 1. */
export function randomDescriptors(n: number, d: number, random: () => number): Float32Array {
  const rows = new Float32Array(n * d);
  for (let row = 0; row < n; row++) {
    let squares = 0;
    for (let i = 0; i < d; i++) {
      const value = random() + random() + random() - 1.5;
      rows[row * d + i] = value;
      squares += value * value;
    }
    for (let i = 0; i < d; i++) rows[row * d + i]! /= Math.sqrt(squares);
  }
  return rows;
}
