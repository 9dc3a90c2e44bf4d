import { loadDecompressHandlers } from '@mcap/support';
import { messageOf } from '../core/VprError.js';

type Decompress = (bytes: Uint8Array, size: number) => Uint8Array;

/** Decompressors by the name that mcap gives them; loaded once, at the first call. */
export async function loadDecompressors(): Promise<ReadonlyMap<string, Decompress>> {
  const handlers = await loadDecompressHandlers();
  return new Map(
    (['lz4', 'zstd'] as const).map((name) => {
      const handler = handlers[name];
      if (handler === undefined) throw new RangeError(`@mcap/support has no ${name} decompressor`);
      return [
        name,
        (bytes: Uint8Array, size: number): Uint8Array => {
          let out: Uint8Array;
          try {
            out = handler(bytes, BigInt(size));
          } catch (error) {
            throw new RangeError(`${name} data that cannot be decompressed (${messageOf(error)})`, { cause: error });
          }
          if (out.length !== size) throw new RangeError(`${name} data of ${out.length} bytes instead of ${size}`);
          return out;
        },
      ];
    }),
  );
}
