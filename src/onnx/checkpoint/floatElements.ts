import { VprError } from '../../core/VprError.js';
import { halfToFloat } from '../graph/halfPrecision.js';
import type { ElementType } from './Checkpoint.js';

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Elements of a floating-point storage, little-endian, as f32. */
export function decodeFloats(bytes: Uint8Array, type: ElementType): Float32Array {
  const view = viewOf(bytes);
  if (type === 'float32') {
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
    return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >>> 2);
  }
  if (type === 'float16')
    return Float32Array.from({ length: bytes.length >>> 1 }, (_, i) => halfToFloat(view.getUint16(i * 2, true)));
  if (type === 'bfloat16') {
    const out = new Float32Array(bytes.length >>> 1);
    const words = new Uint32Array(out.buffer);
    for (let i = 0; i < out.length; i++) words[i] = view.getUint16(i * 2, true) << 16;
    return out;
  }
  if (type === 'float64')
    return Float32Array.from({ length: bytes.length >>> 3 }, (_, i) => view.getFloat64(i * 8, true));
  throw new VprError('CHECKPOINT_SHAPE', `Expected a floating-point tensor, got ${type}`);
}

/** Throws CHECKPOINT_INVALID naming the first value that is not finite. */
export function expectFinite(values: Float32Array, where: string): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    // x - x is 0 for finite numbers and NaN for all others: one comparison in a loop over 10^8 weights.
    if (value - value !== 0)
      throw new VprError('CHECKPOINT_INVALID', `Expected finite weights, got ${value} at element ${i} [${where}]`);
  }
}
