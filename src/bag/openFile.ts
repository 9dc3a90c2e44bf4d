import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { messageOf, VprError } from '../core/VprError.js';

function isErrno(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error;
}

/** The VprError of a failed file operation on `path`. */
export function fileError(error: unknown, path: string, what: string): VprError {
  const code = isErrno(error) ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new VprError('FILE_MISSING', `Expected ${what}, got nothing at that path [${path}]`, { cause: error });
  const reasons: Record<string, string> = { EACCES: 'no permission to read it', EISDIR: 'a folder' };
  return new VprError('FILE_UNREADABLE', `Expected ${what}, got ${reasons[code ?? ''] ?? messageOf(error)} [${path}]`, {
    cause: error,
  });
}

/** Opens a regular, non-empty file for reading; the caller closes it. Throws FILE_MISSING, FILE_UNREADABLE, BAG_INVALID. */
export async function openFile(path: string, what: string): Promise<{ handle: FileHandle; size: number }> {
  let handle: FileHandle;
  try {
    // A pipe that nobody writes to would hold up a plain open for ever.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw fileError(error, path, what);
  }
  try {
    const stats = await handle.stat();
    if (stats.isDirectory()) throw new VprError('FILE_UNREADABLE', `Expected ${what}, got a folder [${path}]`);
    if (!stats.isFile()) throw new VprError('FILE_UNREADABLE', `Expected ${what}, got a special file [${path}]`);
    if (stats.size === 0) throw new VprError('BAG_INVALID', `Expected ${what}, got an empty file [${path}]`);
    return { handle, size: stats.size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
