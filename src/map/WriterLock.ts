import Database from 'better-sqlite3';
import { accessSync, closeSync, constants, openSync, rmSync, statSync } from 'node:fs';
import { VprError } from '../core/VprError.js';

function inodeOf(file: string): bigint | undefined {
  return statSync(file, { bigint: true, throwIfNoEntry: false })?.ino;
}

/**
 * Creates a file unless it is there. One that is there is left closed: POSIX gives up all locks that a process has on a
 * file as soon as it closes any descriptor of it, and the lock of this file may be this process's own.
 */
function ensureFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // SQLite opens what it may not write for reading, and would grant the lock to everybody.
    try {
      accessSync(file, constants.W_OK);
    } catch (denied) {
      // Its holder has just given it back, and removed it: it is made again below.
      if ((denied as NodeJS.ErrnoException).code !== 'ENOENT') throw denied;
    }
  }
}

/**
 * The right to write a map, held by one connection of one process at a time and given back by the operating system when
 * that process dies. It is an exclusive SQLite lock on an empty file beside the map, `<map>-lock`, so that readers of the
 * map are not shut out, and so that it works wherever the map's own locks work. A lock file left by a killed process is
 * harmless.
 */
export class WriterLock {
  readonly #file: string;
  readonly #connection: Database.Database;

  private constructor(file: string, connection: Database.Database) {
    this.#file = file;
    this.#connection = connection;
  }

  /** mapFile: absolute path. Throws MAP_LOCKED when another holds the lock, FILE_NOT_WRITABLE without permission. */
  static acquire(mapFile: string): WriterLock {
    const file = `${mapFile}-lock`;
    for (;;) {
      let connection: Database.Database | undefined;
      try {
        ensureFile(file);
        const before = inodeOf(file);
        connection = new Database(file, { timeout: 0 });
        connection.exec('BEGIN EXCLUSIVE');
        // A holder that closes removes the file: a lock on a removed file would lock out nobody.
        if (before !== undefined && inodeOf(file) === before) return new WriterLock(file, connection);
        connection.close();
      } catch (error) {
        connection?.close();
        const code = error instanceof Database.SqliteError ? error.code : '';
        if (code.startsWith('SQLITE_BUSY'))
          throw new VprError(
            'MAP_LOCKED',
            `Expected a free map, got one that is open for writing elsewhere [${mapFile}]`,
            { cause: error },
          );
        const system = (error as NodeJS.ErrnoException).code;
        if (system === 'ENOSPC' || code === 'SQLITE_FULL' || code.startsWith('SQLITE_IOERR'))
          throw new VprError('DISK_FULL', `Expected free space for the map, got a full disk [${mapFile}]`, {
            cause: error,
          });
        throw new VprError(
          'FILE_NOT_WRITABLE',
          `Expected a folder that can be written for the map, got a read-only one [${mapFile}]`,
          { cause: error },
        );
      }
    }
  }

  release(): void {
    if (!this.#connection.open) return;
    rmSync(this.#file, { force: true });
    this.#connection.close();
  }
}
