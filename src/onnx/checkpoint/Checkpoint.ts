/** Element types of checkpoint tensors, by their PyTorch names. */
export type ElementType =
  'float32' | 'float16' | 'bfloat16' | 'float64' | 'int64' | 'int32' | 'int16' | 'int8' | 'uint8' | 'bool';

export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  float64: 8,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** A tensor of a checkpoint; its elements stay in the file until they are asked for. */
export interface CheckpointTensor {
  readonly elementType: ElementType;
  readonly shape: readonly number[];
  /**
   * All elements, row-major, as f32 (floating-point tensors only). Throws CHECKPOINT_INVALID on NaN or infinity, which no
   * trained network has.
   */
  readFloats(): Float32Array;
}

/** The tensors of one file, by key. Keys are as the network's state_dict has them: `module.` and wrappers are taken off. */
export interface Checkpoint {
  readonly name: string;
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  close(): void;
}
