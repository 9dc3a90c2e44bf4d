import { MAX_STRING_BYTES } from './limits.js';
import type { MessageCursor, MessageHeader } from './MessageCursor.js';
import { VprError } from './VprError.js';

const UTF8 = new TextDecoder();

/**
 * Reads the primitives of one CDR-serialised ROS 2 message, in order, without copying sequences.
 * Covers plain CDR and plain CDR 2 of both byte orders (no parameter lists, no delimiters). Every read is bounds-checked and
 * throws MESSAGE_INVALID.
 */
export class CdrCursor implements MessageCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #littleEndian: boolean;
  readonly #where: string;
  /** 8-byte values align to 8 bytes in CDR, to 4 in CDR 2. */
  readonly #wideAlignment: 4 | 8;
  #offset = 4;

  /** bytes: the message with its 4-byte encapsulation header; where: "topic, stamp" for error sentences. */
  constructor(bytes: Uint8Array, where: string) {
    this.#bytes = bytes;
    this.#where = where;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 4)
      throw this.#invalid(`Expected a 4-byte encapsulation header for a CDR message, got ${bytes.length} bytes`);
    // XTypes 1.3, table 60: 0, 1 plain CDR; 6, 7 plain CDR 2; odd is little-endian.
    const kind = bytes[1]!;
    if (bytes[0] !== 0 || !(kind <= 1 || kind === 6 || kind === 7))
      throw this.#invalid(
        `Expected plain CDR (0x0000, 0x0001, 0x0006 or 0x0007) for the encapsulation, got 0x${((bytes[0]! << 8) | kind).toString(16).padStart(4, '0')}`,
      );
    this.#littleEndian = (kind & 1) === 1;
    this.#wideAlignment = kind <= 1 ? 8 : 4;
  }

  uint8(what: string): number {
    this.#need(1, what);
    return this.#bytes[this.#offset++]!;
  }

  uint32(what: string): number {
    this.#align(4);
    this.#need(4, what);
    const value = this.#view.getUint32(this.#offset, this.#littleEndian);
    this.#offset += 4;
    return value;
  }

  int32(what: string): number {
    return this.uint32(what) | 0;
  }

  uint16(what: string): number {
    this.#align(2);
    this.#need(2, what);
    const value = this.#view.getUint16(this.#offset, this.#littleEndian);
    this.#offset += 2;
    return value;
  }

  float64(what: string): number {
    this.#align(this.#wideAlignment);
    this.#need(8, what);
    const value = this.#view.getFloat64(this.#offset, this.#littleEndian);
    this.#offset += 8;
    return value;
  }

  string(what: string): string {
    const length = this.uint32(what);
    if (length > MAX_STRING_BYTES)
      throw this.#invalid(`Expected at most ${MAX_STRING_BYTES} bytes for ${what}, got ${length}`);
    this.#need(length, what);
    const start = this.#offset;
    this.#offset += length;
    // The length counts the terminating zero; some writers send 0 for an empty string.
    const end = length > 0 && this.#bytes[start + length - 1] === 0 ? start + length - 1 : start + length;
    return UTF8.decode(this.#bytes.subarray(start, end));
  }

  /** A view (no copy) of a uint8 sequence. */
  octets(what: string): Uint8Array {
    const length = this.uint32(what);
    this.#need(length, what);
    const view = this.#bytes.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    return view;
  }

  header(): MessageHeader {
    const seconds = this.int32('header.stamp.sec');
    const stampNs = BigInt(seconds) * 1_000_000_000n + BigInt(this.uint32('header.stamp.nanosec'));
    return { stampNs, frameId: this.string('header.frame_id') };
  }

  #align(size: 2 | 4 | 8): void {
    // Alignment counts from the end of the 4-byte encapsulation header.
    this.#offset = 4 + ((this.#offset - 4 + size - 1) & -size);
  }

  #need(count: number, what: string): void {
    if (this.#offset + count > this.#bytes.length)
      throw this.#invalid(
        `Expected ${count} bytes for ${what} at offset ${this.#offset}, got ${Math.max(0, this.#bytes.length - this.#offset)}`,
      );
  }

  #invalid(message: string): VprError {
    return new VprError('MESSAGE_INVALID', this.#where === '' ? message : `${message} [${this.#where}]`);
  }
}
