import type { Tensor } from '../graph/Tensor.js';

/** Where a network under construction gets its tensors, by the keys of its state dict. */
export interface Weights {
  has(key: string): boolean;
  /** The shape of a tensor by which a network tells its variant. */
  shapeOf(key: string): readonly number[];
  /** A float tensor that must have exactly this shape. */
  take(key: string, shape: readonly number[]): Tensor;
  /** Accepts keys that the network saves and its forward pass does not use. */
  ignore(...keys: readonly string[]): void;
  /** Accepts all keys below a prefix that the forward pass does not use. */
  ignoreBelow(prefix: string): void;
  /** Called when the network is complete. */
  finish(): void;
}
