import { once } from './lazyTensors.js';
import { floats, lazyFloats, readFloats, type Tensor } from './Tensor.js';

/** Symmetric, so that the zero point is 0 and needs no correction sums; -128 is not used. */
const LEVELS = 127;

/**
 * Per-channel int8 weights of a linear layer. weight: [out, in] f32; returns values [in, out] int8, as DynamicQuantizeMatMul
 * takes them, and scales [out]: weight[o, i] is about values[i, o] * scales[o].
 */
export function quantizeRows(weight: Tensor): { readonly values: Tensor; readonly scales: Tensor } {
  const [out, inner] = weight.shape as [number, number];
  const scales = once(() => {
    const from = readFloats(weight);
    return Float32Array.from({ length: out }, (_, o) => {
      let largest = 0;
      for (let i = o * inner; i < (o + 1) * inner; i++) largest = Math.max(largest, Math.abs(from[i]!));
      return largest === 0 ? 1 : largest / LEVELS;
    });
  });
  const values = (): Uint8Array => {
    const from = readFloats(weight);
    const factor = scales();
    const to = new Int8Array(out * inner);
    for (let o = 0; o < out; o++) {
      const inverse = 1 / factor[o]!;
      for (let i = 0; i < inner; i++) to[i * out + o] = Math.round(from[o * inner + i]! * inverse);
    }
    return new Uint8Array(to.buffer);
  };
  return {
    values: { dataType: 'int8', shape: [inner, out], read: values },
    scales: lazyFloats([out], scales),
  };
}

/** The zero points of quantizeRows. */
export function zeroPoints(count: number): Tensor {
  const { shape } = floats(new Float32Array(count));
  return { dataType: 'int8', shape, read: () => new Uint8Array(count) };
}
