import zlib from 'node:zlib';
import Bzip2 from '@foxglove/wasm-bz2';
import * as wasmZstd from '@foxglove/wasm-zstd';
import { messageOf } from '../core/VprError.js';
import { MAX_CHUNK_BYTES } from './bagLimits.js';
import { decodeLz4Frame } from './decodeLz4Frame.js';

export type Decompress = (bytes: Uint8Array, size: number) => Uint8Array;

/** Node has Zstandard of its own from 22.15 on; its types follow the oldest Node that is supported. */
interface NativeZstd {
  zstdDecompressSync?(bytes: Uint8Array, options: { maxOutputLength: number; chunkSize: number }): Buffer;
}

async function loadZstd(): Promise<Decompress> {
  const { zstdDecompressSync } = zlib as NativeZstd;
  if (zstdDecompressSync !== undefined)
    return (bytes, size) =>
      // One byte more, so that a frame that becomes too much ends with another size and not within its limit.
      zstdDecompressSync(bytes, { maxOutputLength: size + 1, chunkSize: Math.max(64, size + 1) });
  await wasmZstd.isLoaded;
  return (bytes, size) => wasmZstd.decompress(bytes, size);
}

async function loadBzip2(): Promise<Decompress> {
  const bzip2 = await Bzip2.init();
  return (bytes, size) => bzip2.decompress(bytes, size);
}

let loaded: Promise<ReadonlyMap<string, Decompress>> | undefined;

/**
 * Decompressors by the name that bags give them (lz4, zstd, bz2); loaded once, at the first call. Each answers with exactly
 * `size` bytes or throws RangeError, which it also does when the size is more than a chunk may have.
 */
export function loadDecompressors(): Promise<ReadonlyMap<string, Decompress>> {
  return (loaded ??= load());
}

async function load(): Promise<ReadonlyMap<string, Decompress>> {
  const [zstd, bz2] = await Promise.all([loadZstd(), loadBzip2()]);
  const guarded = Object.entries({ lz4: decodeLz4Frame, zstd, bz2 }).map(([name, decompress]): [string, Decompress] => [
    name,
    (bytes, size) => {
      if (size > MAX_CHUNK_BYTES)
        throw new RangeError(`${name} data that says it becomes ${size} bytes (at most ${MAX_CHUNK_BYTES} are read)`);
      let out: Uint8Array;
      try {
        out = decompress(bytes, size);
      } catch (error) {
        throw new RangeError(`${name} data that cannot be decompressed (${messageOf(error)})`, { cause: error });
      }
      if (out.length !== size) throw new RangeError(`${name} data of ${out.length} bytes instead of ${size}`);
      return out;
    },
  ]);
  return new Map(guarded);
}
