import Database from 'better-sqlite3';
import { linkSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import type { ReferenceId } from '../core/reference.js';
import { VprError } from '../core/VprError.js';
import { CodeTable } from './CodeTable.js';
import { createTables, publishFile, realPathOf, temporaryNameFor } from './mapDatabase.js';
import { mapErrorOf } from './mapError.js';
import { writeMeta, type MapMeta, type NextIds } from './MapMeta.js';
import type { MapSession } from './mapTypes.js';
import { insertMatchCount, type MatchCount } from './matchCounts.js';
import { ReferenceWriter, type StoredReference } from './ReferenceWriter.js';
import { insertSession } from './sessions.js';
import { settleLog } from './settleLog.js';
import { verifyMap } from './verifyMap.js';
import { WriterLock } from './WriterLock.js';

/** Everything that a map file holds. */
export interface MapContent {
  readonly meta: MapMeta;
  /** Read after the references. */
  readonly sessions: Iterable<MapSession>;
  /** Ascending ids. */
  readonly references: Iterable<StoredReference>;
  /** Ids that are not to be given out again; as high as the references ask for by default. Read after the references. */
  readonly nextIds?: NextIds;
  readonly matches?: ReadonlyMap<ReferenceId, MatchCount>;
}

/** Content together with what must be closed after reading it. */
export interface OpenContent {
  readonly content: MapContent;
  close(): void;
}

export interface WriteMapOptions {
  /** new: the target must not exist. replace: it is swapped, and stays under `<file>.previous`; overwrite: it does not. */
  readonly target: 'new' | 'replace' | 'overwrite';
  readonly onVerify?: (done: number, total: number) => void;
}

/** References written in one transaction: bounds what the journal holds in memory. */
const BATCH = 4096;

/**
 * Writes a whole map: a temporary file beside the target, verified to the last byte, synced, then swapped in. Until the swap
 * the target is untouched; readers that have it open keep the old one. Returns the number of references.
 * Throws MAP_EXISTS, MAP_LOCKED, DISK_FULL, FILE_NOT_WRITABLE, MAP_CORRUPT (the written file does not verify).
 */
export function writeMap(file: string, open: () => OpenContent, options: WriteMapOptions): number {
  const absolute = realPathOf(file);
  const exists = statSync(absolute, { throwIfNoEntry: false }) !== undefined;
  if (options.target === 'new' && exists)
    throw new VprError('MAP_EXISTS', `Expected a new file for the map, got one that exists [${absolute}]`);
  if (!statSync(path.dirname(absolute), { throwIfNoEntry: false })?.isDirectory())
    throw new VprError('FILE_NOT_WRITABLE', `Expected a folder for the map, got none [${path.dirname(absolute)}]`);
  const lock = WriterLock.acquire(absolute);
  const temporary = temporaryNameFor(absolute);
  try {
    // Opened under the lock: what is replaced cannot grow between being read and being swapped.
    const source = open();
    let count: number;
    try {
      count = fill(temporary, source.content);
    } finally {
      source.close();
    }
    const { problems } = verifyMap(temporary, options.onVerify);
    if (problems.length > 0)
      throw new VprError(
        'MAP_CORRUPT',
        `Expected the written map to verify, got: ${problems[0]!.sentence} [${absolute}]`,
      );
    settleLog(absolute);
    if (exists && options.target === 'replace') keepPrevious(absolute);
    publishFile(temporary, absolute, options.target === 'new' ? 'new' : 'replace');
    return count;
  } catch (error) {
    throw mapErrorOf(error, absolute);
  } finally {
    for (const suffix of ['', '-journal']) rmSync(`${temporary}${suffix}`, { force: true });
    lock.release();
  }
}

function fill(temporary: string, content: MapContent): number {
  const database = new Database(temporary);
  try {
    // The file has no name yet: nothing is lost with it, so nothing need be synced before the end.
    database.pragma('journal_mode = OFF');
    database.pragma('synchronous = OFF');
    createTables(database);
    const writer = new ReferenceWriter(database, content.meta, new CodeTable(database, temporary));
    let count = 0;
    const ids = new Set<ReferenceId>();
    let next: NextIds = { referenceId: 1, placeId: 1 };
    const raise = ({ referenceId, placeId }: NextIds): void => {
      next = { referenceId: Math.max(next.referenceId, referenceId), placeId: Math.max(next.placeId, placeId) };
    };
    database.exec('BEGIN');
    for (const reference of content.references) {
      writer.append(reference);
      ids.add(reference.referenceId);
      raise({ referenceId: reference.referenceId + 1, placeId: reference.placeId + 1 });
      if (++count % BATCH === 0) database.exec('COMMIT; BEGIN');
    }
    if (content.nextIds !== undefined) raise(content.nextIds);
    writeMeta(database, content.meta, next);
    for (const session of content.sessions) insertSession(database, session);
    for (const [id, matchCount] of content.matches ?? []) if (ids.has(id)) insertMatchCount(database, id, matchCount);
    database.exec('COMMIT');
    return count;
  } finally {
    database.close();
  }
}

/** Keeps the map that is about to be replaced under `<file>.previous`. */
function keepPrevious(file: string): void {
  const previous = `${file}.previous`;
  rmSync(previous, { force: true });
  try {
    linkSync(file, previous);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // Without hard links (exFAT) there is no way to keep the old file and swap atomically: the swap matters more.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EMLINK' && code !== 'ENOSYS') throw error;
  }
}
