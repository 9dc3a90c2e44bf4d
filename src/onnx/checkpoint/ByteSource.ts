import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { messageOf, VprError } from '../../core/VprError.js';

/** Random access to a file that may be larger than memory. Offsets and lengths are checked before anything is allocated. */
export class ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #read: (offset: number, target: Uint8Array) => void;
  readonly #close: () => void;

  private constructor(
    name: string,
    size: number,
    read: (offset: number, target: Uint8Array) => void,
    close: () => void,
  ) {
    this.name = name;
    this.size = size;
    this.#read = read;
    this.#close = close;
  }

  /** Throws FILE_UNREADABLE. */
  static open(file: string): ByteSource {
    const unreadable = (error: unknown): VprError =>
      new VprError('FILE_UNREADABLE', `Expected a readable checkpoint, got: ${messageOf(error)} [${file}]`, {
        cause: error,
      });
    let descriptor: number;
    try {
      // Before it is opened: opening a pipe waits for somebody who writes.
      if (!statSync(file).isFile())
        throw new VprError('FILE_UNREADABLE', `Expected a checkpoint file, got a folder or a device [${file}]`);
      descriptor = openSync(file, 'r');
    } catch (error) {
      throw error instanceof VprError ? error : unreadable(error);
    }
    const readSome = (target: Uint8Array, from: number, at: number): number => {
      try {
        return readSync(descriptor, target, from, target.length - from, at);
      } catch (error) {
        throw unreadable(error);
      }
    };
    const read = (offset: number, target: Uint8Array): void => {
      for (let done = 0; done < target.length;) {
        const count = readSome(target, done, offset + done);
        if (count === 0)
          throw new VprError('FILE_UNREADABLE', `Expected more bytes, got the end of the file [${file}]`);
        done += count;
      }
    };
    return new ByteSource(file, fstatSync(descriptor).size, read, () => closeSync(descriptor));
  }

  static of(bytes: Uint8Array, name = 'bytes'): ByteSource {
    return new ByteSource(
      name,
      bytes.length,
      (offset, target) => target.set(bytes.subarray(offset, offset + target.length)),
      () => undefined,
    );
  }

  /** Bytes offset...offset+length-1. Throws CHECKPOINT_INVALID when they are not all in the file. */
  read(offset: number, length: number, what: string): Uint8Array {
    if (
      !Number.isSafeInteger(offset) ||
      !Number.isSafeInteger(length) ||
      offset < 0 ||
      length < 0 ||
      offset + length > this.size
    )
      throw new VprError(
        'CHECKPOINT_INVALID',
        `Expected ${length} bytes for ${what} at ${offset}, got a file of ${this.size} bytes [${this.name}]`,
      );
    const target = new Uint8Array(length);
    this.#read(offset, target);
    return target;
  }

  close(): void {
    this.#close();
  }
}
