import { VprError } from '../../core/VprError.js';
import type { ByteSource } from './ByteSource.js';

export interface ZipEntry {
  readonly name: string;
  /** Where the entry's own bytes begin in the file. */
  readonly offsetBytes: number;
  readonly bytes: number;
}

const END_SIGNATURE = 0x06054b50;
const END64_LOCATOR_SIGNATURE = 0x07064b50;
const END64_SIGNATURE = 0x06064b50;
const DIRECTORY_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 65_535;
/** A large network has some 1,600 tensors; a directory beyond this is no checkpoint. */
const MAX_DIRECTORY_BYTES = 64 * 1024 * 1024;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * The entries of a zip archive whose entries are stored, not compressed, as torch.save writes them. A compressed entry is
 * refused, so no archive can unfold to more than its own size; so are entries that overlap.
 */
export class ZipArchive {
  readonly source: ByteSource;
  readonly entries = new Map<string, ZipEntry>();

  /** Throws CHECKPOINT_INVALID. */
  constructor(source: ByteSource) {
    this.source = source;
    const { offset, bytes, count } = this.#findDirectory();
    if (bytes > MAX_DIRECTORY_BYTES) throw this.#invalid(`a directory of at most ${MAX_DIRECTORY_BYTES} bytes`, bytes);
    const directory = source.read(offset, bytes, 'the zip directory');
    let at = 0;
    for (let i = 0; i < count; i++) at = this.#readEntry(directory, at);
    const sorted = [...this.entries.values()].sort((a, b) => a.offsetBytes - b.offsetBytes);
    for (let i = 1; i < sorted.length; i++)
      if (sorted[i]!.offsetBytes < sorted[i - 1]!.offsetBytes + sorted[i - 1]!.bytes)
        throw this.#invalid(`entries that do not overlap`, `${sorted[i - 1]!.name} and ${sorted[i]!.name}`);
  }

  read(entry: ZipEntry): Uint8Array {
    return this.source.read(entry.offsetBytes, entry.bytes, `zip entry ${entry.name}`);
  }

  #invalid(expected: string, got: string | number): VprError {
    return new VprError('CHECKPOINT_INVALID', `Expected ${expected}, got ${got} [${this.source.name}]`);
  }

  #findDirectory(): { offset: number; bytes: number; count: number } {
    const { source } = this;
    const tailBytes = Math.min(source.size, END_BYTES + MAX_COMMENT_BYTES);
    const tailStart = source.size - tailBytes;
    const tail = source.read(tailStart, tailBytes, 'the end of the zip archive');
    const view = viewOf(tail);
    let at = tailBytes - END_BYTES;
    while (at >= 0 && view.getUint32(at, true) !== END_SIGNATURE) at--;
    if (at < 0) throw this.#invalid('a complete zip archive', 'one without its directory (truncated?)');
    const count = view.getUint16(at + 10, true);
    const bytes = view.getUint32(at + 12, true);
    const offset = view.getUint32(at + 16, true);
    if (count !== 0xffff && bytes !== 0xffffffff && offset !== 0xffffffff) return { offset, bytes, count };
    const locator = viewOf(source.read(tailStart + at - 20, 20, 'the zip64 locator'));
    if (locator.getUint32(0, true) !== END64_LOCATOR_SIGNATURE) throw this.#invalid('a zip64 locator', 'none');
    const end64 = viewOf(source.read(Number(locator.getBigUint64(8, true)), 56, 'the zip64 end record'));
    if (end64.getUint32(0, true) !== END64_SIGNATURE) throw this.#invalid('a zip64 end record', 'none');
    return {
      count: Number(end64.getBigUint64(32, true)),
      bytes: Number(end64.getBigUint64(40, true)),
      offset: Number(end64.getBigUint64(48, true)),
    };
  }

  /** Reads one directory entry; returns the offset of the next. */
  #readEntry(directory: Uint8Array, at: number): number {
    const view = viewOf(directory);
    if (at + 46 > directory.length || view.getUint32(at, true) !== DIRECTORY_SIGNATURE)
      throw this.#invalid('a zip directory entry', `none at ${at}`);
    const flags = view.getUint16(at + 8, true);
    const method = view.getUint16(at + 10, true);
    const nameBytes = view.getUint16(at + 28, true);
    const extraBytes = view.getUint16(at + 30, true);
    const commentBytes = view.getUint16(at + 32, true);
    const end = at + 46 + nameBytes + extraBytes + commentBytes;
    if (end > directory.length) throw this.#invalid('a zip directory entry', `a truncated one at ${at}`);
    const name = new TextDecoder().decode(directory.subarray(at + 46, at + 46 + nameBytes));
    if (method !== 0 || (flags & 1) !== 0)
      throw this.#invalid(`stored zip entries, as torch.save writes them`, `a compressed or encrypted one (${name})`);
    const wide = new Wide(directory.subarray(at + 46 + nameBytes, at + 46 + nameBytes + extraBytes));
    // The zip64 field lists only what did not fit, in this order.
    const bytes = wide.resolve(view.getUint32(at + 24, true));
    const packedBytes = wide.resolve(view.getUint32(at + 20, true));
    const localOffset = wide.resolve(view.getUint32(at + 42, true));
    if (bytes !== packedBytes)
      throw this.#invalid(`one size for the stored entry ${name}`, `${bytes} and ${packedBytes}`);
    const local = viewOf(this.source.read(localOffset, 30, `the header of zip entry ${name}`));
    if (local.getUint32(0, true) !== LOCAL_SIGNATURE) throw this.#invalid(`a header for zip entry ${name}`, 'none');
    const offsetBytes = localOffset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
    if (offsetBytes + bytes > this.source.size)
      throw this.#invalid(`${bytes} bytes for zip entry ${name}`, `a file of ${this.source.size}`);
    if (this.entries.has(name)) throw this.#invalid('entries of different names', `'${name}' twice`);
    this.entries.set(name, { name, offsetBytes, bytes });
    return end;
  }
}

/** The zip64 extra field of a directory entry. */
class Wide {
  readonly #values: number[] = [];

  constructor(extra: Uint8Array) {
    const view = viewOf(extra);
    for (let at = 0; at + 4 <= extra.length;) {
      const id = view.getUint16(at, true);
      const length = view.getUint16(at + 2, true);
      if (id === 1)
        for (let i = at + 4; i + 8 <= Math.min(at + 4 + length, extra.length); i += 8)
          this.#values.push(Number(view.getBigUint64(i, true)));
      at += 4 + length;
    }
  }

  /** The field's value, or the next wide one where it says that it did not fit. */
  resolve(value: number): number {
    return value === 0xffffffff ? (this.#values.shift() ?? value) : value;
  }
}
