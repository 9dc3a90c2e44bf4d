import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { readNpyHeader } from '../core/npy.js';
import { VprError } from '../core/VprError.js';
import type { DescriptorStore } from '../search/PlaceSearch.js';

const HEAD_BYTES = 65536;

/** Rows of an [N, D] f32 .npy file as a descriptor store, read when asked for; reference id = row number + 1. */
export class NpyRows implements DescriptorStore {
  readonly dimension: number;
  readonly rows: number;
  readonly #file: number;
  readonly #dataOffset: number;

  constructor(path: string) {
    this.#file = openNpy(path);
    try {
      const head = new Uint8Array(HEAD_BYTES);
      const read = readSync(this.#file, head, 0, HEAD_BYTES, 0);
      const { shape, type, dataOffset } = readNpyHeader(head.subarray(0, read), path, statSync(path).size);
      if (shape.length !== 2 || type !== '<f4' || shape[1] === 0)
        throw new VprError(
          'ARGUMENT_INVALID',
          `Expected descriptors [N, D] of <f4, got [${shape.join(', ')}] of ${type} [${path}]`,
        );
      this.rows = shape[0]!;
      this.dimension = shape[1]!;
      this.#dataOffset = dataOffset;
    } catch (error) {
      closeSync(this.#file);
      throw error;
    }
  }

  readDescriptors(ids: Uint32Array, out: Float32Array): void {
    const rowBytes = this.dimension * 4;
    const bytes = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
    // Runs of neighbouring rows are one read.
    for (let i = 0; i < ids.length;) {
      let run = 1;
      while (i + run < ids.length && ids[i + run] === ids[i]! + run) run++;
      readSync(this.#file, bytes, i * rowBytes, run * rowBytes, this.#dataOffset + (ids[i]! - 1) * rowBytes);
      i += run;
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}

function openNpy(path: string): number {
  try {
    if (statSync(path).isFile()) return openSync(path, 'r');
  } catch (cause) {
    throw new VprError('FILE_MISSING', `Expected a .npy file, got none that can be read [${path}]`, { cause });
  }
  throw new VprError('FILE_MISSING', `Expected a .npy file, got a folder or a device [${path}]`);
}
