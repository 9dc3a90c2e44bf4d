import { compileKernel } from '../simd/decodeKernel.js';
import type { AxisWeights } from './axisWeights.js';
import { rowSumsCode } from './rowSumsCode.js';

const PAGE_BYTES = 65536;
const VECTOR_BYTES = 16;
/** Input rows are copied in blocks of about this size, which stay in the L2 cache while they are summed. */
const BLOCK_BYTES = 256 * 1024;
const I16_MAX = 32767;
const I32_MAX = 2 ** 31 - 1;
const BYTE_MAX = 255;

type RowSums = (rows: number, stride: number, pairs: number, weights: number, sums: number, vectors: number) => void;

/** Weights of an axis as 16-bit integers, in pairs; see assembly/rowSums.ts. */
interface PairedWeights {
  /** [outputSize, 2 * pairs] */
  readonly values: Int16Array;
  /** Pairs of an output row with the most taps. */
  readonly pairs: number;
  /** [outputSize]: 1 / sum of a row's values, so that a flat image stays what it is. */
  readonly factors: Float64Array;
}

function pairWeights({ outputSize, counts, weights, maxTaps }: AxisWeights): PairedWeights {
  const pairs = (maxTaps + 1) >> 1;
  let largest = 0;
  let largestSum = 0;
  for (let y = 0; y < outputSize; y++) {
    const row = weights.subarray(y * maxTaps, y * maxTaps + counts[y]!).map(Math.abs);
    largest = Math.max(largest, ...row);
    largestSum = Math.max(
      largestSum,
      row.reduce((a, b) => a + b, 0),
    );
  }
  // As fine as 16 bits allow, with sums of bytes still below 2^31; half a unit is left for the rounding of each weight.
  const scale = Math.min((I16_MAX - 1) / largest, (I32_MAX / BYTE_MAX - maxTaps) / largestSum);
  const values = new Int16Array(outputSize * pairs * 2);
  const factors = new Float64Array(outputSize);
  for (let y = 0; y < outputSize; y++) {
    let sum = 0;
    for (let k = 0; k < counts[y]!; k++) {
      const value = Math.round(weights[y * maxTaps + k]! * scale);
      values[y * pairs * 2 + k] = value;
      sum += value;
    }
    factors[y] = 1 / sum;
  }
  return { values, pairs, factors };
}

const paired = new WeakMap<AxisWeights, PairedWeights>();

function cachedPairs(axis: AxisWeights): PairedWeights {
  let weights = paired.get(axis);
  if (weights === undefined) paired.set(axis, (weights = pairWeights(axis)));
  return weights;
}

/**
 * Vertical resampling of rows of bytes with WebAssembly SIMD: about one instruction for two products. The weights have 15
 * bits relative to the largest, so that a sum is off by less than 0.01 of a grey level.
 */
export class RowSummer {
  readonly #memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
  readonly #rowSums: RowSums;

  private constructor() {
    const module = compileKernel(rowSumsCode, { shared: false });
    this.#rowSums = new WebAssembly.Instance(module, { env: { memory: this.#memory } }).exports['rowSums'] as RowSums;
  }

  /** Undefined where the engine has no SIMD. */
  static create(): RowSummer | undefined {
    return typeof WebAssembly === 'object' && WebAssembly.validate(rowSumsCode.bytes) ? new RowSummer() : undefined;
  }

  /**
   * Sums input rows into each output row and hands it to `take`, in order.
   * data: rows of `rowBytes` bytes, `step` apart; sums: [rowBytes] i32, times `factor` in 0...255 (bicubic overshoots), valid
   * during the call only.
   */
  sum(
    data: Uint8Array,
    step: number,
    rowBytes: number,
    axis: AxisWeights,
    take: (sums: Int32Array, factor: number, y: number) => void,
  ): void {
    const { values, pairs, factors } = cachedPairs(axis);
    const { starts, counts, outputSize } = axis;
    const vectors = Math.ceil(rowBytes / VECTOR_BYTES);
    const sumsAt = Math.ceil(values.byteLength / VECTOR_BYTES) * VECTOR_BYTES;
    const rowsAt = sumsAt + vectors * VECTOR_BYTES * Int32Array.BYTES_PER_ELEMENT;
    // At the border, rows with fewer taps read on into rows of weight 0; every row reads up to a vector beyond its end.
    const blockRows = Math.max(2 * pairs, Math.ceil(BLOCK_BYTES / step));
    this.#reserve(rowsAt + (blockRows + 2 * pairs) * step + VECTOR_BYTES);
    const { buffer } = this.#memory;
    new Int16Array(buffer, 0, values.length).set(values);
    const block = new Uint8Array(buffer, rowsAt);
    const sums = new Int32Array(buffer, sumsAt, rowBytes);
    let [from, to] = [0, 0];
    for (let y = 0; y < outputSize; y++) {
      const start = starts[y]!;
      if (start + counts[y]! > to) {
        from = start;
        to = Math.min(axis.inputSize, from + blockRows);
        block.set(data.subarray(from * step, Math.min((to - 1) * step + rowBytes, data.length)));
      }
      this.#rowSums(rowsAt + (start - from) * step, step, pairs, y * pairs * 4, sumsAt, vectors);
      take(sums, factors[y]!, y);
    }
  }

  #reserve(bytes: number): void {
    const missing = Math.ceil((bytes - this.#memory.buffer.byteLength) / PAGE_BYTES);
    if (missing > 0) this.#memory.grow(missing);
  }
}
