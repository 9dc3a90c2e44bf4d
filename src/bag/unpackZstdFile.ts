import { writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { Decompress } from 'fzstd';
import { messageOf, VprError } from '../core/VprError.js';
import { openFile } from './openFile.js';
import { TemporaryFolder } from './TemporaryFolder.js';
import { parseZstdFrame } from './zstdFrame.js';
import { ZstdFrameGuard } from './ZstdFrameGuard.js';

const READ_BYTES = 1 << 20;

export interface UnpackedFile {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Decompresses a .zstd file (rosbag2's compression mode `file`) into a temporary folder (TMPDIR). The space is checked
 * before and while writing; memory holds the window only. The caller removes the result.
 * Throws DISK_FULL, FILE_NOT_WRITABLE, BAG_INVALID, FILE_MISSING or FILE_UNREADABLE.
 */
export async function unpackZstdFile(file: string): Promise<UnpackedFile> {
  const { handle, size } = await openFile(file, 'a zstd file');
  let unpacked: TemporaryFolder | undefined;
  try {
    const folder = (unpacked = await TemporaryFolder.make(file));
    const { room } = folder;
    const target = path.join(folder.path, path.basename(file).replace(/\.zst(d)?$/, ''));
    const output = await open(target, 'w');
    try {
      const input = Buffer.allocUnsafe(Math.min(READ_BYTES, size));
      const guard = new ZstdFrameGuard();
      let written = 0;
      // Written at once, not collected: a megabyte of zstd can become 30 GB.
      const decompressor = new Decompress((chunk) => {
        written += chunk.length;
        if (written > room) throw folder.full(`more than ${written} bytes`);
        for (let done = 0; done < chunk.length;) done += writeSync(output.fd, chunk, done);
      });
      for (let offset = 0; offset < size;) {
        const { bytesRead } = await handle.read(input, 0, input.length, offset);
        if (bytesRead === 0) throw new RangeError('its end');
        if (offset === 0) {
          const frame = parseZstdFrame(input.subarray(0, bytesRead));
          if (frame === undefined) throw new RangeError('no frame header');
          if (frame.contentSize !== undefined && frame.contentSize > room)
            throw folder.full(`${frame.contentSize} bytes`);
        }
        offset += bytesRead;
        guard.push(input.subarray(0, bytesRead));
        decompressor.push(Uint8Array.from(input.subarray(0, bytesRead)), offset === size);
      }
    } finally {
      await output.close();
    }
    return { path: target, remove: folder.remove };
  } catch (error) {
    await unpacked?.remove();
    if (error instanceof VprError) throw error;
    if (unpacked !== undefined && (error as NodeJS.ErrnoException).code === 'ENOSPC')
      throw unpacked.full('more', error);
    throw new VprError('BAG_INVALID', `Expected a whole zstd file, got ${messageOf(error)} [${file}]`, {
      cause: error,
    });
  } finally {
    await handle.close();
  }
}
