/** How float rows are held: f32 as they came; f16 half the bytes; int8 with one scale a row a quarter. */
export type RowStorage = 'f32' | 'f16' | 'int8';

/** Float rows in numbered slots, and their dot products with a query. */
export interface RowSlots {
  /** Slots there can be; memory is taken as they are first used. */
  readonly capacity: number;
  /** Bytes of the slots written so far. */
  readonly bytes: number;
  /** Room for `BATCH_ROWS` rows [n, D] f32 on their way into slots; valid until the next `write`. */
  staging(): Float32Array;
  /** Stores row i of the staging room in slots[i]. */
  write(slots: Uint32Array): void;
  /** query: [D] f32; out[i]: dot product with slots[i]; at most BATCH_ROWS slots. */
  similarities(query: Float32Array, slots: Uint32Array, out: Float32Array): void;
}

/** Rows fetched and compared at a time. */
export const BATCH_ROWS = 128;

/** Values of a row with its padding. */
export function paddedDimension(dimension: number): number {
  return Math.ceil(dimension / 16) * 16;
}

/** Bytes of a slot. */
export function slotBytes(dimension: number, storage: RowStorage): number {
  const values = paddedDimension(dimension);
  return storage === 'f32' ? values * 4 : storage === 'f16' ? values * 2 : values + 16;
}
