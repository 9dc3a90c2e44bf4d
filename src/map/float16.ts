const scratch = new DataView(new ArrayBuffer(4));

/** Bits of the IEEE 754 binary16 nearest to a value, ties to even; values beyond +-65504 (after rounding) become infinite. */
export function float16Bits(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (fraction === 0 ? 0 : 0x200);
  const shifted = exponent - 127 + 15;
  if (shifted >= 0x1f) return sign | 0x7c00;
  // Below 2^-14 the result is subnormal: the hidden bit becomes explicit and more bits are cut.
  const cut = shifted > 0 ? 13 : 14 - shifted;
  if (cut > 24) return sign;
  const whole = shifted > 0 ? (shifted << 23) | fraction : fraction | 0x800000;
  const kept = whole >>> cut;
  const rest = whole & ((1 << cut) - 1);
  const half = 1 << (cut - 1);
  // A carry out of the fraction runs into the exponent, which is the right next value.
  return sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0));
}

/** Value of each of the 65,536 binary16 bit patterns. */
function tabulate(): Float32Array {
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >>> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    const magnitude =
      exponent === 0x1f
        ? fraction === 0
          ? Infinity
          : NaN
        : exponent === 0
          ? fraction * 2 ** -24
          : (1024 + fraction) * 2 ** (exponent - 25);
    table[bits] = bits & 0x8000 ? -magnitude : magnitude;
  }
  return table;
}

let valueTable: Float32Array | undefined;

/** [65536] f32: the value of each binary16 bit pattern. Built on first use. */
export function float16Values(): Float32Array {
  return (valueTable ??= tabulate());
}
