import { loadDecompressHandlers } from '@mcap/support';
import { messageOf } from '../core/VprError.js';
import { MAX_CHUNK_BYTES } from './bagLimits.js';

export type Decompress = (bytes: Uint8Array, size: number) => Uint8Array;

/**
 * Decompressors by the name that bags give them (lz4, zstd, bz2); loaded once, at the first call. Each answers with exactly
 * `size` bytes or throws RangeError, which it also does when the size is more than a chunk may have.
 */
export async function loadDecompressors(): Promise<ReadonlyMap<string, Decompress>> {
  const handlers = await loadDecompressHandlers();
  const guarded = Object.entries(handlers).map(([name, handler]): [string, Decompress] => [
    name,
    (bytes, size) => {
      if (size > MAX_CHUNK_BYTES)
        throw new RangeError(`${name} data that says it becomes ${size} bytes (at most ${MAX_CHUNK_BYTES} are read)`);
      let out: Uint8Array;
      try {
        out = handler(bytes, BigInt(size));
      } catch (error) {
        throw new RangeError(`${name} data that cannot be decompressed (${messageOf(error)})`, { cause: error });
      }
      if (out.length !== size) throw new RangeError(`${name} data of ${out.length} bytes instead of ${size}`);
      return out;
    },
  ]);
  return new Map(guarded);
}
