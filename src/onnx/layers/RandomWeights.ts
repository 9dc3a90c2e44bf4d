import { mulberry32 } from '../../core/mulberry32.js';
import { elementCount, lazyFloats, type Tensor } from '../graph/Tensor.js';
import type { Weights } from './Weights.js';

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

const EMBEDDINGS = new Set(['cls_token', 'pos_embed', 'mask_token', 'queries', 'centroids', 'dust_bin', 'vocabulary']);

/** [low, width] of the uniform distribution of a tensor: scales at which activations neither vanish nor overflow. */
function valueRange(key: string, shape: readonly number[]): readonly [number, number] {
  const last = key.split('.').at(-1)!;
  if (last === 'running_var') return [0.5, 1];
  if (last === 'running_mean') return [-0.2, 0.4];
  if (last === 'gamma') return [0.1, 0.4];
  if (last === 'p') return [2.5, 1];
  if (EMBEDDINGS.has(last)) return [-0.5, 1];
  if (last === 'weight' || last === 'in_proj_weight') {
    if (shape.length === 1) return [0.6, 0.8];
    const bound = Math.sqrt(3 / elementCount(shape.slice(1)));
    return [-bound, 2 * bound];
  }
  return [-0.1, 0.2];
}

/** Weights by formula: FNV-1a of the key seeds mulberry32. test/data/onnx/formula_weights.py makes the same ones, bit for bit. */
export function randomWeight(key: string, shape: readonly number[]): Float32Array {
  const [low, width] = valueRange(key, shape);
  const next = mulberry32(fnv1a(key));
  const values = new Float32Array(elementCount(shape));
  for (let i = 0; i < values.length; i++) values[i] = low + width * (next() / 4294967296);
  return values;
}

/**
 * Random weights for any network, without a checkpoint: for what does not depend on the values, as parameters, operations and
 * time. `variant`: keys and shapes by which the network tells its variant; every other key is there if the network takes it.
 */
export class RandomWeights implements Weights {
  readonly #variant: Readonly<Record<string, readonly number[]>>;
  readonly #taken = new Map<string, number>();

  constructor(variant: Readonly<Record<string, readonly number[]>>) {
    this.#variant = variant;
  }

  /** Elements of all tensors that were taken, each counted once. */
  get parameters(): number {
    return [...this.#taken.values()].reduce((sum, count) => sum + count, 0);
  }

  has(key: string): boolean {
    return key in this.#variant;
  }

  /** Throws RangeError for a key that the variant does not state. */
  shapeOf(key: string): readonly number[] {
    const shape = this.#variant[key];
    if (shape === undefined) throw new RangeError(`Expected the shape of ${key} in the variant, got none`);
    return shape;
  }

  take(key: string, shape: readonly number[]): Tensor {
    this.#taken.set(key, elementCount(shape));
    return lazyFloats(shape, () => randomWeight(key, shape));
  }

  ignore(): void {
    // Nothing can be left over.
  }

  ignoreBelow(): void {
    // Nothing can be left over.
  }

  finish(): void {
    // Nothing can be left over.
  }
}
