import { crc32 } from 'node:zlib';

/**
 * The records of the mcap format (mcap.dev/spec) that reading messages needs, parsed one at a time.
 * @mcap/core parses whole files and gives up at the first bad byte; a robot's bag that lost power must be read up to there.
 */
export const OPCODE = {
  header: 0x01,
  footer: 0x02,
  schema: 0x03,
  channel: 0x04,
  message: 0x05,
  chunk: 0x06,
  messageIndex: 0x07,
  attachment: 0x09,
  metadata: 0x0c,
  dataEnd: 0x0f,
} as const;

/** Opcode and length in front of each record. */
export const RECORD_PREFIX_BYTES = 9;
/** Fields of a chunk record before its compression name. */
export const CHUNK_FIXED_BYTES = 32;

/** Fields of a message record before its data. */
export const MESSAGE_FIXED_BYTES = 22;

const UTF8 = new TextDecoder();

export interface McapSchema {
  readonly id: number;
  readonly name: string;
  readonly encoding: string;
}

export interface McapChannel {
  readonly id: number;
  readonly schemaId: number;
  readonly topic: string;
  readonly messageEncoding: string;
}

export interface McapMessage {
  readonly channelId: number;
  readonly logTimeNs: bigint;
  /** A view of the chunk. */
  readonly data: Uint8Array;
}

export interface McapChunk {
  readonly uncompressedSize: number;
  readonly uncompressedCrc: number;
  readonly compression: string;
  readonly records: Uint8Array;
}

class RecordCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  offset = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  #take(count: number): number {
    const start = this.offset;
    if (start + count > this.#bytes.length)
      throw new RangeError(`a ${this.#what} record of ${this.#bytes.length} bytes that needs ${start + count}`);
    this.offset += count;
    return start;
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  uint64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** A 64-bit length or size; above 2^53 it is as good as infinite. */
  size(): number {
    return Number(this.uint64());
  }

  bytes(count: number): Uint8Array {
    const start = this.#take(count);
    return this.#bytes.subarray(start, start + count);
  }

  string(): string {
    return UTF8.decode(this.bytes(this.uint32()));
  }
}

export function parseSchema(content: Uint8Array): McapSchema {
  const cursor = new RecordCursor(content, 'Schema');
  return { id: cursor.uint16(), name: cursor.string(), encoding: cursor.string() };
}

export function parseChannel(content: Uint8Array): McapChannel {
  const cursor = new RecordCursor(content, 'Channel');
  return { id: cursor.uint16(), schemaId: cursor.uint16(), topic: cursor.string(), messageEncoding: cursor.string() };
}

export function parseMessage(content: Uint8Array): McapMessage {
  const cursor = new RecordCursor(content, 'Message');
  const channelId = cursor.uint16();
  cursor.uint32();
  const logTimeNs = cursor.uint64();
  cursor.uint64();
  return { channelId, logTimeNs, data: content.subarray(cursor.offset) };
}

export function parseChunk(content: Uint8Array): McapChunk {
  const cursor = new RecordCursor(content, 'Chunk');
  cursor.uint64();
  cursor.uint64();
  const uncompressedSize = cursor.size();
  const uncompressedCrc = cursor.uint32();
  const compression = cursor.string();
  return { uncompressedSize, uncompressedCrc, compression, records: cursor.bytes(cursor.size()) };
}

/** Throws RangeError when the checksum that the writer stored (0: none) is another than the bytes'. */
export function checkCrc(bytes: Uint8Array, expected: number): void {
  if (expected === 0) return;
  const actual = crc32(bytes);
  if (actual !== expected)
    throw new RangeError(
      `a chunk with checksum ${actual.toString(16).padStart(8, '0')} instead of ${expected.toString(16).padStart(8, '0')}`,
    );
}

/** Walks the records inside a chunk. Throws RangeError at a record that is longer than what is left. */
export function* recordsIn(bytes: Uint8Array): Generator<{ opcode: number; content: Uint8Array }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  while (offset < bytes.length) {
    if (offset + RECORD_PREFIX_BYTES > bytes.length) throw new RangeError('a chunk that ends inside a record');
    const opcode = bytes[offset]!;
    const length = Number(view.getBigUint64(offset + 1, true));
    const start = offset + RECORD_PREFIX_BYTES;
    if (start + length > bytes.length)
      throw new RangeError(`a record of ${length} bytes in a chunk that has ${bytes.length - start} left`);
    yield { opcode, content: bytes.subarray(start, start + length) };
    offset = start + length;
  }
}
