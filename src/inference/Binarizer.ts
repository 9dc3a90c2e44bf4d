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
    if (mean !== undefined) this.#project(mean, this.#offset);
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

  /** out[i] = projection[i] . vector, summed in f64. Four rows at once: one sum alone waits for its own last addition. */
  #project(vector: Float32Array, out: Float32Array): void {
    const matrix = this.#projection;
    const d = this.#dimension;
    for (let row = 0; row < CODE_BITS; row += 4) {
      const a = row * d;
      const b = a + d;
      const c = b + d;
      const e = c + d;
      let [sumA, sumB, sumC, sumE] = [0, 0, 0, 0];
      for (let k = 0; k < d; k++) {
        const value = vector[k]!;
        sumA += matrix[a + k]! * value;
        sumB += matrix[b + k]! * value;
        sumC += matrix[c + k]! * value;
        sumE += matrix[e + k]! * value;
      }
      out[row] = sumA;
      out[row + 1] = sumB;
      out[row + 2] = sumC;
      out[row + 3] = sumE;
    }
  }

  /** descriptor: [D]; returns 64 bytes. */
  encode(descriptor: Descriptor): BinaryCode {
    this.#project(descriptor, this.#values);
    for (let i = 0; i < CODE_BITS; i++) this.#values[i]! -= this.#offset[i]!;
    return binarize(this.#values);
  }
}
