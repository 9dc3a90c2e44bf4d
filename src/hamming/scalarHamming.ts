import { CODE_BYTES } from '../core/binaryCode.js';

/** 32-bit words of a code. */
export const CODE_WORDS = CODE_BYTES / 4;

/** Set bits of a 32-bit word. Sums of 2, 4 and 8 neighbouring bits in place; the product adds the four byte sums (<= 32). */
export function popcount32(word: number): number {
  let sums = word - ((word >>> 1) & 0x55555555);
  sums = (sums & 0x33333333) + ((sums >>> 2) & 0x33333333);
  sums = (sums + (sums >>> 4)) & 0x0f0f0f0f;
  return Math.imul(sums, 0x01010101) >>> 24;
}

/**
 * Bytes as 32-bit words: a view where the address allows it, else a copy. Word order does not matter to Hamming
 * distances, as long as query and references share it.
 */
export function wordsOf(bytes: Uint8Array): Uint32Array {
  if (bytes.length % 4 !== 0) throw new RangeError(`Expected a multiple of 4 bytes, got ${bytes.length}`);
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}

/**
 * Hamming distances from one query code to n reference codes: the oracle of every kernel, and the floor where
 * WebAssembly SIMD is missing.
 * query: [16] u32; references: [n, 16] u32 row-major; out: [n], bits, 0...512.
 */
export function scalarHammingDistances(query: Uint32Array, references: Uint32Array, n: number, out: Uint16Array): void {
  if (query.length !== CODE_WORDS) throw new RangeError(`Expected ${CODE_WORDS} query words, got ${query.length}`);
  if (references.length < n * CODE_WORDS)
    throw new RangeError(`Expected at least ${n * CODE_WORDS} reference words, got ${references.length}`);
  for (let row = 0; row < n; row++) {
    const base = row * CODE_WORDS;
    let distance = 0;
    for (let word = 0; word < CODE_WORDS; word++) distance += popcount32(query[word]! ^ references[base + word]!);
    out[row] = distance;
  }
}
