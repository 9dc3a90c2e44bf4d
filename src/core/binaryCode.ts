import { VprError } from './VprError.js';

/** Bits of a binary code. */
export const CODE_BITS = 512;
/** Bytes of a packed binary code. */
export const CODE_BYTES = CODE_BITS / 8;

/** A packed binary code: bit i is dimension i, MSB first in each byte (NumPy `packbits`); 64 bytes. */
export type BinaryCode = Uint8Array;

/**
 * Packs the signs of real values into bits: bit = value >= 0, so +0 and -0 are 1 (as the straight-through estimator of
 * the official SelaVPR++ code does).
 * values: [n], n a multiple of 8; out: [n / 8] bytes. Throws MODEL_OUTPUT_INVALID on NaN: a NaN has no sign.
 */
export function binarize(values: Float32Array, out: BinaryCode = new Uint8Array(values.length >>> 3)): BinaryCode {
  if (values.length % 8 !== 0) throw new RangeError(`Expected a multiple of 8 values to binarize, got ${values.length}`);
  if (out.length !== values.length >>> 3)
    throw new RangeError(`Expected ${values.length >>> 3} bytes for the binary code, got ${out.length}`);
  for (let byte = 0; byte < out.length; byte++) {
    let packed = 0;
    for (let bit = 0; bit < 8; bit++) {
      const value = values[byte * 8 + bit]!;
      if (Number.isNaN(value))
        throw new VprError('MODEL_OUTPUT_INVALID', `Expected a number for hash value ${byte * 8 + bit}, got NaN`);
      packed = (packed << 1) | (value >= 0 ? 1 : 0);
    }
    out[byte] = packed;
  }
  return out;
}
