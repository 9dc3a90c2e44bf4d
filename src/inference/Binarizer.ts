import { readFileSync } from 'node:fs';
import path from 'node:path';
import { binarize, CODE_BITS, type BinaryCode } from '../core/binaryCode.js';
import type { Descriptor } from '../core/descriptor.js';
import { VprError } from '../core/VprError.js';
import type { ModelManifest } from './ModelManifest.js';

/** [n] f32 little-endian. Throws MODEL_INVALID on another size or a value that is not finite. */
function readFloats(file: string, length: number): Float32Array {
  const bytes = readFileSync(file);
  if (bytes.length !== length * 4)
    throw new VprError(
      'MODEL_INVALID',
      `Expected ${length} f32 values (${length * 4} bytes), got ${bytes.length} bytes [${file}]`,
    );
  const values = new Float32Array(length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < length; i++) values[i] = view.getFloat32(i * 4, true);
  if (!values.every(Number.isFinite))
    throw new VprError('MODEL_INVALID', `Expected finite projection values, got NaN or infinity [${file}]`);
  return values;
}

/** Codes of a model without a hash branch: bit i = projection[i] . (descriptor - mean) >= 0. */
export class ProjectionBinarizer {
  readonly #projection: Float32Array;
  /** projection . mean, [512] */
  readonly #offset: Float32Array;
  readonly #dimension: number;
  readonly #values = new Float32Array(CODE_BITS);

  /** projection: [512, D] row-major; mean: [D] or none for zero. */
  constructor(projection: Float32Array, dimension: number, mean?: Float32Array) {
    if (projection.length !== CODE_BITS * dimension)
      throw new RangeError(`Expected ${CODE_BITS} x ${dimension} projection values, got ${projection.length}`);
    this.#projection = projection;
    this.#dimension = dimension;
    this.#offset = new Float32Array(CODE_BITS);
    if (mean !== undefined) for (let i = 0; i < CODE_BITS; i++) this.#offset[i] = this.#row(i, mean);
  }

  static load(folder: string, manifest: ModelManifest): ProjectionBinarizer | undefined {
    if (manifest.binarizer.kind === 'hash') return undefined;
    const { file, mean } = manifest.binarizer;
    const dimension = manifest.descriptorDimension;
    return new ProjectionBinarizer(
      readFloats(path.join(folder, file), CODE_BITS * dimension),
      dimension,
      mean === undefined ? undefined : readFloats(path.join(folder, mean), dimension),
    );
  }

  #row(row: number, vector: Float32Array): number {
    const start = row * this.#dimension;
    let sum = 0;
    for (let d = 0; d < this.#dimension; d++) sum += this.#projection[start + d]! * vector[d]!;
    return sum;
  }

  /** descriptor: [D]; returns 64 bytes. */
  encode(descriptor: Descriptor): BinaryCode {
    for (let i = 0; i < CODE_BITS; i++) this.#values[i] = this.#row(i, descriptor) - this.#offset[i]!;
    return binarize(this.#values);
  }
}
