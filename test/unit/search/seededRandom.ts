/** Mulberry32: a seeded stream of numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

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
