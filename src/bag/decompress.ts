import zlib from 'node:zlib';
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
  const { decompress, isLoaded } = await import('@foxglove/wasm-zstd');
  await isLoaded;
  return decompress;
}

async function loadBzip2(): Promise<Decompress> {
  const { default: Bzip2 } = await import('@foxglove/wasm-bz2');
  const bzip2 = await Bzip2.init();
  return (bytes, size) => bzip2.decompress(bytes, size);
}

/** By the names that bags give them. Each is loaded when a bag needs it: compiling one takes as long as decompressing some megabytes. */
const LOADERS = { lz4: () => Promise.resolve(decodeLz4Frame), zstd: loadZstd, bz2: loadBzip2 };

export type Compression = keyof typeof LOADERS;

export function isCompression(name: string): name is Compression {
  return Object.hasOwn(LOADERS, name);
}

const loaded = new Map<Compression, Promise<Decompress>>();

/**
 * A decompressor, loaded once, at the first call. It answers with exactly `size` bytes or throws RangeError, which it also
 * does when the size is more than a chunk may have.
 */
export function loadDecompressor(name: Compression): Promise<Decompress> {
  let decompressor = loaded.get(name);
  if (decompressor === undefined) loaded.set(name, (decompressor = load(name)));
  return decompressor;
}

async function load(name: Compression): Promise<Decompress> {
  const decompress = await LOADERS[name]();
  return (bytes, size) => {
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
  };
}
