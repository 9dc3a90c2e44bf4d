import { xxHash32 } from './xxHash32.js';

const MAGIC = 0x184d2204;
/** Frames of this magic number, less its last digit, hold nothing and are stepped over. */
const SKIPPABLE = 0x184d2a5;
const STORED = 0x80000000;
/** Shorter copies are quicker word by word than by a call. */
const LONG_COPY = 64;

/**
 * Decodes LZ4 frames (github.com/lz4/lz4, doc/lz4_Frame_format.md) that become `size` bytes together; checks their
 * checksums. Own code because the WebAssembly build of the C library keeps the state of a broken frame and then refuses
 * every whole one after it. Throws RangeError when the bytes are broken or become another size; never writes more.
 */
export function decodeLz4Frame(bytes: Uint8Array, size: number): Uint8Array {
  const out = Buffer.allocUnsafeSlow(size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const need = (at: number, count: number): number => {
    if (at + count > bytes.length) throw new RangeError('an end inside a frame');
    return at;
  };
  const u32 = (at: number): number => view.getUint32(need(at, 4), true);
  let written = 0;
  let at = 0;
  while (at < bytes.length) {
    const magic = u32(at);
    if (magic >>> 4 === SKIPPABLE) {
      at = need(at + 8, u32(at + 4)) + u32(at + 4);
      continue;
    }
    if (magic !== MAGIC) throw new RangeError(`magic number ${magic.toString(16)}`);
    const flags = bytes[need(at + 4, 3)]!;
    if (flags >> 6 !== 1) throw new RangeError(`format version ${flags >> 6}`);
    if ((flags & 1) !== 0) throw new RangeError('a frame that needs a dictionary');
    const descriptorEnd = at + 6 + ((flags & 8) === 0 ? 0 : 8);
    const check = bytes[need(descriptorEnd, 1)]!;
    if (((xxHash32(bytes.subarray(at + 4, descriptorEnd)) >>> 8) & 0xff) !== check)
      throw new RangeError('a frame header with a wrong checksum');
    at = descriptorEnd + 1;
    const start = written;
    for (let block = u32(at); block !== 0; block = u32(at)) {
      const length = block & ~STORED;
      const content = need(at + 4, length);
      at = content + length;
      if ((flags & 16) !== 0) {
        if (xxHash32(bytes.subarray(content, at)) !== u32(at)) throw new RangeError('a block with a wrong checksum');
        at += 4;
      }
      if ((block & STORED) === 0) written = decodeBlock(bytes, content, content + length, out, start, written);
      else {
        if (written + length > size) throw new RangeError(`more than ${size} bytes`);
        out.set(bytes.subarray(content, content + length), written);
        written += length;
      }
    }
    at += 4;
    if ((flags & 4) !== 0) {
      if (xxHash32(out.subarray(start, written)) !== u32(at)) throw new RangeError('content with a wrong checksum');
      at += 4;
    }
  }
  if (written !== size) throw new RangeError(`${written} bytes instead of ${size}`);
  return out;
}

/** One block, bytes [from, to), to `out` from `written` on; matches reach back to `start` at most. Returns the new end. */
function decodeBlock(
  bytes: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
  start: number,
  written: number,
): number {
  const input = new DataView(bytes.buffer, bytes.byteOffset, to);
  const output = new DataView(out.buffer, out.byteOffset, out.length);
  // Up to these ends a copy may go on to the next multiple of four bytes: what it writes too much is written again.
  const lastRead = to - 4;
  const lastWrite = out.length - 4;
  let at = from;
  while (at < to) {
    const token = input.getUint8(at++);
    let literals = token >> 4;
    if (literals === 15)
      for (let more = 255; more === 255 && at < to;) {
        more = input.getUint8(at++);
        literals += more;
      }
    const literalsEnd = at + literals;
    const wordsEnd = written + literals;
    if (literalsEnd > to) throw new RangeError('literals beyond the end of their block');
    if (wordsEnd > out.length) throw new RangeError(`more than ${out.length} bytes`);
    if (literals > LONG_COPY || literalsEnd > lastRead || wordsEnd > lastWrite)
      out.set(bytes.subarray(at, literalsEnd), written);
    else for (let i = 0; i < literals; i += 4) output.setUint32(written + i, input.getUint32(at + i, true), true);
    at = literalsEnd;
    written = wordsEnd;
    if (at >= to) break;
    if (at + 2 > to) throw new RangeError('a match beyond the end of its block');
    const back = input.getUint16(at, true);
    at += 2;
    let length = (token & 15) + 4;
    if (length === 19)
      for (let more = 255; more === 255 && at < to;) {
        more = input.getUint8(at++);
        length += more;
      }
    const source = written - back;
    const matchEnd = written + length;
    if (back === 0 || source < start) throw new RangeError(`a match ${back} bytes back, before the start`);
    if (matchEnd > out.length) throw new RangeError(`more than ${out.length} bytes`);
    if (length > LONG_COPY && back >= length) out.copyWithin(written, source, source + length);
    else if (back >= 4 && matchEnd <= lastWrite)
      for (let i = 0; i < length; i += 4) output.setUint32(written + i, output.getUint32(source + i, true), true);
    // A match that overlaps what it writes repeats it, byte by byte.
    else for (let i = 0; i < length; i++) output.setUint8(written + i, output.getUint8(source + i));
    written = matchEnd;
  }
  return written;
}
