import Database from 'better-sqlite3';
import { statfsSync } from 'node:fs';
import path from 'node:path';
import { messageOf, VprError } from '../core/VprError.js';

/** Free bytes where a file lies, or undefined where the system does not say. */
function freeBytesAt(file: string): number | undefined {
  try {
    const stats = statfsSync(path.dirname(file));
    return stats.bavail * stats.bsize;
  } catch {
    return undefined;
  }
}

/**
 * The VprError for what SQLite or the file system threw while working on a map; a VprError and a caller's bug
 * (TypeError, RangeError) pass through.
 */
export function mapErrorOf(error: unknown, file: string): Error {
  if (error instanceof VprError) return error;
  const options = { cause: error };
  if (error instanceof Database.SqliteError) {
    const code = error.code;
    if (code === 'SQLITE_NOTADB')
      return new VprError(
        'MAP_CORRUPT',
        `Expected a place map (SQLite file), got another kind of file [${file}]`,
        options,
      );
    if (code.startsWith('SQLITE_CORRUPT'))
      return new VprError(
        'MAP_CORRUPT',
        `Expected whole database pages, got a damaged one: ${error.message} [${file}]`,
        options,
      );
    if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED') || code === 'SQLITE_PROTOCOL')
      return new VprError(
        'MAP_LOCKED',
        `Expected a free map, got one that another process is writing [${file}]`,
        options,
      );
    if (
      code === 'SQLITE_READONLY_DIRECTORY' ||
      code === 'SQLITE_READONLY_CANTINIT' ||
      code === 'SQLITE_READONLY_RECOVERY'
    )
      return new VprError(
        'MAP_READ_ONLY',
        `Expected a folder that can be written to recover a map that was not closed, got a read-only one [${file}]`,
        options,
      );
    if (code.startsWith('SQLITE_READONLY'))
      return new VprError(
        'MAP_READ_ONLY',
        `Expected a map that can be written, got a read-only file [${file}]`,
        options,
      );
    if (code === 'SQLITE_FULL')
      return new VprError('DISK_FULL', `Expected free space for the map, got a full disk [${file}]`, options);
    if (code.startsWith('SQLITE_IOERR')) {
      const free = freeBytesAt(file);
      // Shared memory and journal writes report a full disk as an I/O error.
      if (free !== undefined && free < 1 << 20)
        return new VprError('DISK_FULL', `Expected free space for the map, got ${free} bytes [${file}]`, options);
      return new VprError(
        'FILE_UNREADABLE',
        `Expected a readable map, got an input/output error (${code}) [${file}]`,
        options,
      );
    }
    if (code.startsWith('SQLITE_CANTOPEN') || code === 'SQLITE_PERM' || code === 'SQLITE_AUTH')
      return new VprError(
        'FILE_UNREADABLE',
        `Expected a map that can be opened, got '${error.message}' [${file}]`,
        options,
      );
    return new VprError('MAP_CORRUPT', `Expected a place map, got '${error.message}' (${code}) [${file}]`, options);
  }
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new VprError('DISK_FULL', `Expected free space for the map, got a full disk [${file}]`, options);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new VprError('FILE_NOT_WRITABLE', `Expected permission to write the map, got ${code} [${file}]`, options);
  if (typeof code === 'string' && /^E[A-Z0-9]+$/.test(code))
    return new VprError('FILE_NOT_WRITABLE', `Expected to write the map, got ${messageOf(error)} [${file}]`, options);
  return error instanceof Error ? error : new Error(String(error));
}

/** Runs work on a map's file; what SQLite and the file system throw arrives as a VprError. */
export function withMapErrors<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw mapErrorOf(error, file);
  }
}
