import { constants } from 'node:fs';
import { chmod, copyFile, open, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { VprError } from '../core/VprError.js';
import { fileError } from './openFile.js';
import { TemporaryFolder } from './TemporaryFolder.js';
import type { UnpackedFile } from './unpackZstdFile.js';

/** Of the header of a SQLite file: the versions that writing and reading take, 2 for a write-ahead log (sqlite.org/fileformat). */
const VERSIONS_OFFSET = 18;
const WAL_VERSION = 2;
const ROLLBACK_VERSION = 1;

/** Whether the first bytes of a SQLite file say that it is written through a write-ahead log. */
export function usesWal(head: Uint8Array): boolean {
  return head[VERSIONS_OFFSET] === WAL_VERSION || head[VERSIONS_OFFSET + 1] === WAL_VERSION;
}

/** Whether messages of a database lie in its write-ahead log still: its recorder runs, or was cut off. */
export async function hasWal(file: string): Promise<boolean> {
  try {
    return (await stat(`${await realpath(file)}-wal`)).size > 0;
  } catch {
    return false;
  }
}

/**
 * A copy in TMPDIR of a database that has no write-ahead log beside it, as one that never had one: SQLite makes the log
 * and its index to read any other, in a folder where it may not be allowed to, or is not wanted to. The caller removes it.
 * Throws DISK_FULL, FILE_NOT_WRITABLE, FILE_MISSING or FILE_UNREADABLE.
 */
export async function copyWithoutWal(file: string): Promise<UnpackedFile> {
  const folder = await TemporaryFolder.make(file);
  const target = path.join(folder.path, path.basename(file));
  try {
    const { size } = await stat(file);
    if (size > folder.room) throw folder.full(`${size} bytes`);
    // Where the file system can, the copy shares the blocks.
    await copyFile(file, target, constants.COPYFILE_FICLONE);
    await chmod(target, 0o600);
    const handle = await open(target, 'r+');
    try {
      await handle.write(Uint8Array.of(ROLLBACK_VERSION, ROLLBACK_VERSION), 0, 2, VERSIONS_OFFSET);
    } finally {
      await handle.close();
    }
    return { path: target, remove: folder.remove };
  } catch (error) {
    await folder.remove();
    if (error instanceof VprError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw folder.full('more', error);
    throw fileError(error, file, 'a rosbag2 sqlite3 file');
  }
}
