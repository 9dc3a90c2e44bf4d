import { mulberry32 } from './mulberry32.js';

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
