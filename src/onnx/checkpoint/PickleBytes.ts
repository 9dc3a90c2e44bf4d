import { VprError } from '../../core/VprError.js';

/** The bytes of a pickle, taken from front to back; one that is not there is CHECKPOINT_INVALID. Numbers are little-endian. */
export class PickleBytes {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #where: string;
  #at: number;

  constructor(bytes: Uint8Array, where: string, start: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#where = where;
    this.#at = start;
  }

  /** Offset of the next byte. */
  get at(): number {
    return this.#at;
  }

  /** Of what was expected at the next byte. */
  invalid(expected: string, got: string): VprError {
    return new VprError('CHECKPOINT_INVALID', `Expected ${expected}, got ${got} [${this.#where}, offset ${this.#at}]`);
  }

  take(length: number): Uint8Array {
    if (length < 0 || length > this.#bytes.length - this.#at)
      throw this.invalid(`${length} more bytes of pickle`, `${this.#bytes.length - this.#at}`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  u8(): number {
    return this.take(1)[0]!;
  }

  u16(): number {
    this.take(2);
    return this.#view.getUint16(this.#at - 2, true);
  }

  u32(): number {
    this.take(4);
    return this.#view.getUint32(this.#at - 4, true);
  }

  i32(): number {
    this.take(4);
    return this.#view.getInt32(this.#at - 4, true);
  }

  u64(): number {
    this.take(8);
    const value = Number(this.#view.getBigUint64(this.#at - 8, true));
    if (!Number.isSafeInteger(value)) throw this.invalid('a length below 2^53', String(value));
    return value;
  }

  /** Big-endian, as pickles have it. */
  f64(): number {
    this.take(8);
    return this.#view.getFloat64(this.#at - 8, false);
  }

  /** Up to the next line feed, which is taken too. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.invalid('a line', 'the end of the pickle');
    const text = this.text(end - this.#at);
    this.#at++;
    return text;
  }

  text(length: number): string {
    return new TextDecoder().decode(this.take(length));
  }
}
