import type { FileHandle } from 'node:fs/promises';

/** Read at once for a few bytes: records may be as short as nine. */
const WINDOW_BYTES = 4096;

/** Random reads of one file. Every answer is whole: a read beyond the end throws RangeError. */
export class FileBytes {
  readonly #handle: FileHandle;
  readonly size: number;
  #window: Uint8Array = new Uint8Array();
  #windowOffset = 0;

  constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.size = size;
  }

  /** Up to 4096 bytes, as a view that the next call may share: one read of the file for many short records in a row. */
  async peek(offset: number, length: number): Promise<Uint8Array> {
    const start = offset - this.#windowOffset;
    if (start >= 0 && start + length <= this.#window.length) return this.#window.subarray(start, start + length);
    this.#window = await this.read(offset, Math.max(length, Math.min(WINDOW_BYTES, this.size - offset)));
    this.#windowOffset = offset;
    return this.#window.subarray(0, length);
  }

  /** Bytes in memory of their own. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.size))
      throw new RangeError(`Expected ${length} bytes at offset ${offset}, got a file of ${this.size}`);
    const bytes = Buffer.allocUnsafeSlow(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.#handle.read(bytes, done, length - done, offset + done);
      if (bytesRead === 0) throw new RangeError(`Expected ${length} bytes at offset ${offset}, got ${done}`);
      done += bytesRead;
    }
    return bytes;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
