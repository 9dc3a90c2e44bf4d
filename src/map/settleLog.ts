import Database from 'better-sqlite3';
import { rmSync, statSync } from 'node:fs';
import { VprError } from '../core/VprError.js';
import { mapErrorOf } from './mapError.js';

/**
 * A log that a killed writer left beside the old file would be played into the new one, so the old file takes it in
 * before the swap; where the old file is no database any more, or not there at all, its log is worth nothing and goes.
 * file: absolute path, whose writer's lock the caller holds. Throws MAP_LOCKED, DISK_FULL.
 */
export function settleLog(file: string): void {
  const leftovers = ['-wal', '-shm', '-journal'].map((suffix) => `${file}${suffix}`);
  if (leftovers.every((leftover) => statSync(leftover, { throwIfNoEntry: false }) === undefined)) return;
  try {
    const old = new Database(file, { fileMustExist: true, timeout: 0 });
    try {
      const [checkpoint] = old.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
      if (checkpoint?.busy === 1)
        throw new VprError('MAP_LOCKED', `Expected a map that nobody is reading right now, got a busy one [${file}]`);
      old.pragma('journal_mode = DELETE');
    } finally {
      old.close();
    }
  } catch (error) {
    const failure = mapErrorOf(error, file);
    if (failure instanceof VprError && (failure.code === 'DISK_FULL' || failure.code === 'MAP_LOCKED')) throw failure;
  }
  for (const leftover of leftovers) rmSync(leftover, { force: true });
}
