import { VprError } from '../../core/VprError.js';
import type { Checkpoint } from '../checkpoint/Checkpoint.js';
import { lazyFloats, type Tensor } from '../graph/Tensor.js';
import type { Weights } from './Weights.js';

/** Keys that networks save and no inference needs. */
const NEVER_NEEDED = /(^|\.)num_batches_tracked$/;

function shown(keys: readonly string[]): string {
  return keys.length <= 5 ? keys.join(', ') : `${keys.slice(0, 5).join(', ')} and ${keys.length - 5} more`;
}

/**
 * Hands out the tensors of a checkpoint by key and keeps account: a key that is missing, of another shape, or left over at
 * the end is an error that names it. Silent partial loading gives a network that runs and recognises nothing.
 */
export class WeightReader implements Weights {
  readonly #checkpoint: Checkpoint;
  readonly #used = new Set<string>();

  constructor(checkpoint: Checkpoint) {
    this.#checkpoint = checkpoint;
  }

  /** Tensors that were taken so far. */
  get usedCount(): number {
    return this.#used.size;
  }

  has(key: string): boolean {
    return this.#checkpoint.tensors.has(key);
  }

  /** The shape of a tensor by which a network tells its variant. Throws CHECKPOINT_KEY_MISSING. */
  shapeOf(key: string): readonly number[] {
    return this.#find(key).shape;
  }

  /** A tensor that must have exactly this shape. Throws CHECKPOINT_KEY_MISSING, CHECKPOINT_SHAPE. */
  take(key: string, shape: readonly number[]): Tensor {
    const tensor = this.#find(key);
    if (tensor.shape.length !== shape.length || tensor.shape.some((size, axis) => size !== shape[axis]))
      throw new VprError(
        'CHECKPOINT_SHAPE',
        `Expected shape [${shape.join(', ')}] for ${key}, got [${tensor.shape.join(', ')}] [${this.#checkpoint.name}]`,
      );
    if (!tensor.elementType.includes('float'))
      throw new VprError(
        'CHECKPOINT_SHAPE',
        `Expected a floating-point tensor for ${key}, got ${tensor.elementType} [${this.#checkpoint.name}]`,
      );
    this.#used.add(key);
    return lazyFloats(shape, () => tensor.readFloats());
  }

  ignore(...keys: readonly string[]): void {
    for (const key of keys) this.#used.add(key);
  }

  ignoreBelow(prefix: string): void {
    for (const key of this.#checkpoint.tensors.keys()) if (key.startsWith(prefix)) this.#used.add(key);
  }

  /** Throws CHECKPOINT_KEY_UNUSED when a tensor was not asked for. */
  finish(): void {
    const unused = [...this.#checkpoint.tensors.keys()].filter(
      (key) => !this.#used.has(key) && !NEVER_NEEDED.test(key),
    );
    if (unused.length > 0)
      throw new VprError(
        'CHECKPOINT_KEY_UNUSED',
        `Expected every tensor to belong to the network, got unused ${shown(unused)} [${this.#checkpoint.name}]`,
      );
  }

  #find(key: string) {
    const tensor = this.#checkpoint.tensors.get(key);
    if (tensor === undefined)
      throw new VprError('CHECKPOINT_KEY_MISSING', `Expected a tensor ${key}, got none [${this.#checkpoint.name}]`);
    return tensor;
  }
}
