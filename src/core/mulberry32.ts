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

/** A source of uniform numbers in [0, 1): the same seed gives the same sequence on every machine. */
export type Random = () => number;

/** Mulberry32 as numbers in [0, 1). seed: any integer. */
export function uniformNumbers(seed: number): Random {
  const next = mulberry32(seed);
  return () => next() / 4294967296;
}
