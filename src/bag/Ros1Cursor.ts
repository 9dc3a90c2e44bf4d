import { MAX_STRING_BYTES } from '../core/limits.js';
import type { MessageCursor, MessageHeader } from '../core/MessageCursor.js';
import { VprError } from '../core/VprError.js';

const UTF8 = new TextDecoder();

/**
 * Reads a ROS 1 message: little-endian, unaligned, lengths in front of strings and sequences, a sequence number in headers.
 * Every read is bounds-checked and throws MESSAGE_INVALID.
 */
export class Ros1Cursor implements MessageCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #where: string;
  #offset = 0;

  constructor(bytes: Uint8Array, where: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#where = where;
  }

  uint8(what: string): number {
    return this.#view.getUint8(this.#take(1, what));
  }

  uint16(what: string): number {
    return this.#view.getUint16(this.#take(2, what), true);
  }

  uint32(what: string): number {
    return this.#view.getUint32(this.#take(4, what), true);
  }

  float64(what: string): number {
    return this.#view.getFloat64(this.#take(8, what), true);
  }

  string(what: string): string {
    const length = this.uint32(what);
    if (length > MAX_STRING_BYTES)
      throw this.#invalid(`Expected at most ${MAX_STRING_BYTES} bytes for ${what}, got ${length}`);
    const start = this.#take(length, what);
    return UTF8.decode(this.#bytes.subarray(start, start + length));
  }

  octets(what: string): Uint8Array {
    const length = this.uint32(what);
    const start = this.#take(length, what);
    return this.#bytes.subarray(start, start + length);
  }

  header(): MessageHeader {
    this.uint32('header.seq');
    const seconds = this.uint32('header.stamp.secs');
    const stampNs = BigInt(seconds) * 1_000_000_000n + BigInt(this.uint32('header.stamp.nsecs'));
    return { stampNs, frameId: this.string('header.frame_id') };
  }

  #take(count: number, what: string): number {
    const start = this.#offset;
    if (start + count > this.#bytes.length)
      throw this.#invalid(`Expected ${count} bytes for ${what} at offset ${start}, got ${this.#bytes.length - start}`);
    this.#offset += count;
    return start;
  }

  #invalid(message: string): VprError {
    return new VprError('MESSAGE_INVALID', `${message} [${this.#where}]`);
  }
}
