import { parseZstdFrame } from './zstdFrame.js';

/** What zstd itself refuses without --long. */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024;
const FRAME_MAGIC = 0xfd2fb528;
const MAGIC_BYTES = 4;
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;

/**
 * Walks the frames of a zstd stream by their headers, ahead of the decompressor, which takes memory for whatever window a
 * header asks for: any frame of a file may ask for gigabytes, not the first alone.
 */
export class ZstdFrameGuard {
  /** Header bytes seen so far: of a frame, or of a block. */
  #header: number[] = [];
  /** Bytes of content before the next header. */
  #skip = 0;
  #inFrame = false;
  #hasChecksum = false;

  /** The next bytes of the stream, cut anywhere. Throws RangeError for a window or a block that is not read. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, bytes.length - at);
        this.#skip -= step;
        at += step;
        continue;
      }
      this.#header.push(bytes[at++]!);
      if (this.#inFrame) this.#block();
      else this.#frame();
    }
  }

  #block(): void {
    if (this.#header.length < BLOCK_HEADER_BYTES) return;
    const word = this.#take().getUint16(0, true) | (this.#header[2]! << 16);
    this.#header = [];
    const [isLast, kind, size] = [(word & 1) === 1, (word >> 1) & 3, word >> 3];
    if (kind === 3) throw new RangeError('a block of no known kind');
    // A run of one byte stands for `size` of them.
    this.#skip = kind === 1 ? 1 : size;
    if (!isLast) return;
    this.#inFrame = false;
    if (this.#hasChecksum) this.#skip += CHECKSUM_BYTES;
  }

  #frame(): void {
    if (this.#header.length <= MAGIC_BYTES) return;
    const view = this.#take();
    const magic = view.getUint32(0, true);
    if (magic !== FRAME_MAGIC) {
      // A skippable frame says its length; anything else is for the decompressor to refuse.
      if (this.#header.length < 2 * MAGIC_BYTES) return;
      this.#skip = view.getUint32(MAGIC_BYTES, true);
      this.#header = [];
      return;
    }
    const flags = this.#header[MAGIC_BYTES]!;
    const isSingle = ((flags >> 5) & 1) === 1;
    const contentSizeBytes = [isSingle ? 1 : 0, 2, 4, 8][flags >> 6]!;
    const length = MAGIC_BYTES + 1 + (isSingle ? 0 : 1) + [0, 1, 2, 4][flags & 3]! + contentSizeBytes;
    if (this.#header.length < length) return;
    const windowBytes = parseZstdFrame(Uint8Array.from(this.#header))?.windowBytes ?? 0;
    if (windowBytes > MAX_WINDOW_BYTES)
      throw new RangeError(`a window of ${windowBytes} bytes (at most ${MAX_WINDOW_BYTES} are read)`);
    this.#hasChecksum = ((flags >> 2) & 1) === 1;
    this.#inFrame = true;
    this.#header = [];
  }

  #take(): DataView {
    return new DataView(Uint8Array.from(this.#header).buffer);
  }
}
