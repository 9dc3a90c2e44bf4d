import { closeSync, openSync, writeSync } from 'node:fs';

/** Element types that are written: NumPy's names for them. */
export type NpyType = '<f4' | '|u1' | '<u4';

/**
 * A NumPy .npy file (format 1.0) of [rows, columns], C order, written row by row.
 * The number of rows is given at `close`, so that rows may be left out on the way.
 */
export class NpyFile {
  readonly #descriptor: number;
  readonly #type: NpyType;
  readonly #columns: number;
  #rows = 0;

  constructor(file: string, type: NpyType, columns: number) {
    this.#type = type;
    this.#columns = columns;
    this.#descriptor = openSync(file, 'w');
    writeSync(this.#descriptor, this.#header());
  }

  /** row: [columns] of the file's type, little-endian. */
  append(row: Float32Array | Uint8Array | Uint32Array): void {
    if (row.length !== this.#columns) throw new RangeError(`Expected ${this.#columns} values a row, got ${row.length}`);
    writeSync(this.#descriptor, new Uint8Array(row.buffer, row.byteOffset, row.byteLength));
    this.#rows++;
  }

  close(): void {
    writeSync(this.#descriptor, this.#header(), 0, undefined, 0);
    closeSync(this.#descriptor);
  }

  /** 128 bytes whatever the number of rows. */
  #header(): Buffer {
    const text = `{'descr': '${this.#type}', 'fortran_order': False, 'shape': (${this.#rows}, ${this.#columns}), }`;
    const header = Buffer.alloc(128, ' ');
    header.write('\x93NUMPY\x01\x00', 0, 'latin1');
    header.writeUInt16LE(118, 8);
    header.write(text, 10, 'latin1');
    header.write('\n', 127, 'latin1');
    return header;
  }
}
