const MAGIC = 0xfd2fb528;

export interface ZstdFrame {
  /** Bytes after decompression, where the frame says it. */
  readonly contentSize: number | undefined;
  /** Memory that decompressing needs to look back. */
  readonly windowBytes: number;
}

/** Reads a Zstandard frame header (RFC 8878, section 3.1.1.1); undefined when the bytes are not such a frame. */
export function parseZstdFrame(bytes: Uint8Array): ZstdFrame | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 6 || view.getUint32(0, true) !== MAGIC) return undefined;
  const descriptor = bytes[4]!;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  let offset = 5;
  let windowBytes = 0;
  if (!isSingleSegment) {
    const window = bytes[offset++]!;
    const base = 2 ** (10 + (window >> 3));
    windowBytes = base + (base / 8) * (window & 7);
  }
  offset += dictionaryBytes;
  if (bytes.length < offset + sizeBytes) return undefined;
  let contentSize: number | undefined;
  if (sizeBytes === 1) contentSize = bytes[offset]!;
  else if (sizeBytes === 2) contentSize = view.getUint16(offset, true) + 256;
  else if (sizeBytes === 4) contentSize = view.getUint32(offset, true);
  else if (sizeBytes === 8) contentSize = Number(view.getBigUint64(offset, true));
  return { contentSize, windowBytes: isSingleSegment ? (contentSize ?? 0) : windowBytes };
}
