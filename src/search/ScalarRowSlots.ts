import {
  floatToHalf,
  quantizeQuery,
  quantizeRow,
  scalarDotF16,
  scalarDotF32,
  scalarDotInt8,
  type Quantized,
} from '../hamming/scalarSimilarity.js';
import { BATCH_ROWS, paddedDimension, slotBytes, type RowSlots, type RowStorage } from './RowSlots.js';

type Row = Float32Array | Uint16Array | Quantized<Int8Array>;

/** The scalar floor of the float rows; the same similarities as the kernels', bit for bit. */
export class ScalarRowSlots implements RowSlots {
  readonly capacity: number;
  readonly #dimension: number;
  readonly #storage: RowStorage;
  readonly #staging: Float32Array;
  readonly #query: Float32Array;
  readonly #rows: Row[] = [];

  constructor(dimension: number, storage: RowStorage, capacity: number) {
    this.#dimension = dimension;
    this.#storage = storage;
    this.capacity = capacity;
    this.#staging = new Float32Array(BATCH_ROWS * dimension);
    this.#query = new Float32Array(paddedDimension(dimension));
  }

  get bytes(): number {
    return this.#rows.length * slotBytes(this.#dimension, this.#storage);
  }

  staging(): Float32Array {
    return this.#staging;
  }

  write(slots: Uint32Array): void {
    slots.forEach((slot, i) => {
      const row = new Float32Array(this.#query.length);
      row.set(this.#staging.subarray(i * this.#dimension, (i + 1) * this.#dimension));
      this.#rows[slot] =
        this.#storage === 'f32' ? row : this.#storage === 'f16' ? Uint16Array.from(row, floatToHalf) : quantizeRow(row);
    });
  }

  similarities(query: Float32Array, slots: Uint32Array, out: Float32Array): void {
    this.#query.set(query);
    const quantized = quantizeQuery(this.#query);
    slots.forEach((slot, i) => {
      const row = this.#rows[slot]!;
      out[i] =
        row instanceof Float32Array
          ? scalarDotF32(this.#query, row)
          : row instanceof Uint16Array
            ? scalarDotF16(this.#query, row)
            : scalarDotInt8(quantized, row);
    });
  }
}
