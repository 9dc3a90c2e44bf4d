import type { FileHandle } from 'node:fs/promises';

/** Random reads of one file. Every answer is its own memory and is whole: a read beyond the end throws RangeError. */
export class FileBytes {
  readonly #handle: FileHandle;
  readonly size: number;

  constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.size = size;
  }

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
