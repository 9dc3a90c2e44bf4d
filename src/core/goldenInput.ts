/**
 * The seeded input of a model's golden vectors: [length] f32 in [-1, 1), from mulberry32. For a network that takes
 * bytes, `goldenBytes`.
 */
export function goldenInput(seed: number, length: number): Float32Array {
  const next = mulberry32(seed);
  return Float32Array.from({ length }, () => (next() / 4294967296) * 2 - 1);
}

/** [length] u8, uniform, from mulberry32. */
export function goldenBytes(seed: number, length: number): Uint8Array {
  const next = mulberry32(seed);
  return Uint8Array.from({ length }, () => next() >>> 24);
}

/** Tommy Ettinger's mulberry32: u32 values from a u32 seed. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}
