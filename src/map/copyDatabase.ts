import type Database from 'better-sqlite3';
import { rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { VprError } from '../core/VprError.js';
import { mapErrorOf } from './mapError.js';
import { publishFile, temporaryNameFor } from './mapDatabase.js';
import type { PlaceMap } from './PlaceMap.js';
import { settleLog } from './settleLog.js';
import { WriterLock } from './WriterLock.js';

/**
 * Writes a compact copy of a map's database to a file, replacing it whole or not at all: a temporary file beside it,
 * checked by `verify`, synced, renamed. file: absolute path. Throws MAP_LOCKED where another has the target open for writing.
 */
export function copyDatabaseTo(database: Database.Database, file: string, verify: (copy: string) => void): void {
  if (!statSync(path.dirname(file), { throwIfNoEntry: false })?.isDirectory())
    throw new VprError('FILE_NOT_WRITABLE', `Expected a folder for the map, got none [${path.dirname(file)}]`);
  const lock = WriterLock.acquire(file);
  const temporary = temporaryNameFor(file);
  try {
    database.prepare('VACUUM INTO ?').run(temporary);
    verify(temporary);
    settleLog(file);
    publishFile(temporary, file, 'replace');
  } catch (error) {
    throw mapErrorOf(error, file);
  } finally {
    rmSync(temporary, { force: true });
    lock.release();
  }
}

/** Throws MAP_CORRUPT unless a copy holds as many references as its original, each with a code that is whole. */
export function checkCopy(copy: Pick<PlaceMap, 'size' | 'codes'>, references: number, file: string): void {
  const fail = (what: string, got: number): never => {
    throw new VprError('MAP_CORRUPT', `Expected ${references} ${what} in the copy, got ${got} [${file}]`);
  };
  if (copy.size !== references) fail('references', copy.size);
  let codes = 0;
  for (const block of copy.codes()) codes += block.referenceIds.length;
  if (codes !== references) fail('codes', codes);
}
