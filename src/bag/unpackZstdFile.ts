import { writeSync } from 'node:fs';
import { mkdtemp, open, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Decompress } from 'fzstd';
import { messageOf, VprError } from '../core/VprError.js';
import { openFile } from './openFile.js';
import { parseZstdFrame } from './zstdFrame.js';
import { ZstdFrameGuard } from './ZstdFrameGuard.js';

const READ_BYTES = 1 << 20;
/** Left free on the disk of temporary files. */
const SPARE_BYTES = 64 * 1024 * 1024;

export interface UnpackedFile {
  readonly path: string;
  remove(): Promise<void>;
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/**
 * Decompresses a .zstd file (rosbag2's compression mode `file`) into a temporary folder (TMPDIR). The space is checked
 * before and while writing; memory holds the window only. The caller removes the result.
 * Throws DISK_FULL, BAG_INVALID, FILE_MISSING or FILE_UNREADABLE.
 */
export async function unpackZstdFile(file: string): Promise<UnpackedFile> {
  const { handle, size } = await openFile(file, 'a zstd file');
  const folder = await mkdtemp(path.join(tmpdir(), 'vpr-bag-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const target = path.join(folder, path.basename(file).replace(/\.zst(d)?$/, ''));
  const room = (await freeBytes(folder)) - SPARE_BYTES;
  const full = (needed: string, cause?: unknown): VprError =>
    new VprError(
      'DISK_FULL',
      `Expected ${needed} of free space in ${tmpdir()} for the unpacked bag, got ${Math.max(0, room)} [${file}]`,
      { cause },
    );
  try {
    const output = await open(target, 'w');
    try {
      const input = Buffer.allocUnsafe(Math.min(READ_BYTES, size));
      const guard = new ZstdFrameGuard();
      let written = 0;
      // Written at once, not collected: a megabyte of zstd can become 30 GB.
      const decompressor = new Decompress((chunk) => {
        written += chunk.length;
        if (written > room) throw full(`more than ${written} bytes`);
        for (let done = 0; done < chunk.length;) done += writeSync(output.fd, chunk, done);
      });
      for (let offset = 0; offset < size;) {
        const { bytesRead } = await handle.read(input, 0, input.length, offset);
        if (bytesRead === 0) throw new RangeError('its end');
        if (offset === 0) {
          const frame = parseZstdFrame(input.subarray(0, bytesRead));
          if (frame === undefined) throw new RangeError('no frame header');
          if (frame.contentSize !== undefined && frame.contentSize > room) throw full(`${frame.contentSize} bytes`);
        }
        offset += bytesRead;
        guard.push(input.subarray(0, bytesRead));
        decompressor.push(Uint8Array.from(input.subarray(0, bytesRead)), offset === size);
      }
    } finally {
      await output.close();
    }
    return { path: target, remove };
  } catch (error) {
    await remove();
    if (error instanceof VprError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw full('more', error);
    throw new VprError('BAG_INVALID', `Expected a whole zstd file, got ${messageOf(error)} [${file}]`, {
      cause: error,
    });
  } finally {
    await handle.close();
  }
}
