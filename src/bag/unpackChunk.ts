import { isCompression, loadDecompressor } from './decompress.js';
import { checkCrc, type McapChunk } from './mcapRecords.js';

/**
 * The records of a chunk, decompressed and checked. Throws RangeError when the compression is unknown, the size another
 * than the chunk says or beyond MAX_CHUNK_BYTES, or the checksum wrong.
 */
export async function unpackChunk(chunk: McapChunk): Promise<Uint8Array> {
  const { records, compression, uncompressedSize, uncompressedCrc } = chunk;
  if (compression === '') {
    checkCrc(records, uncompressedCrc);
    return records;
  }
  if (!isCompression(compression)) throw new RangeError(`a chunk compressed with '${compression}'`);
  const decompress = await loadDecompressor(compression);
  const unpacked = decompress(records, uncompressedSize);
  checkCrc(unpacked, uncompressedCrc);
  return unpacked;
}
