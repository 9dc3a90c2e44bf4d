import Database from 'better-sqlite3';
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { VprError } from '../core/VprError.js';
import { mapErrorOf } from './mapError.js';
import { MAP_APPLICATION_ID, MAP_FORMAT_VERSION, MAP_INDEXES, MAP_TABLES } from './mapSchema.js';
import { settleLog } from './settleLog.js';
import { WriterLock } from './WriterLock.js';

/** Milliseconds to wait for a lock that another process holds for a moment (a checkpoint, a seal). */
const BUSY_TIMEOUT_MS = 3000;

/**
 * Checks that a path is a readable file, each failure its own sentence; whether it is a database SQLite finds out: closing
 * a descriptor here would give up the locks of a connection that this process has to the same map.
 */
function checkFile(file: string): void {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) throw new VprError('MAP_MISSING', `Expected a place map, got no such file [${file}]`);
  if (stats.isDirectory()) throw new VprError('MAP_CORRUPT', `Expected a place map, got a directory [${file}]`);
  if (!stats.isFile())
    throw new VprError('MAP_CORRUPT', `Expected a place map, got something that is no file [${file}]`);
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    throw new VprError('FILE_UNREADABLE', `Expected permission to read the map, got none [${file}]`, { cause: error });
  }
  if (stats.size === 0) throw new VprError('MAP_CORRUPT', `Expected a place map, got an empty file [${file}]`);
}

function configure(database: Database.Database, cacheMiB: number): void {
  // The file may come from anywhere: nothing in its schema is allowed to call functions, and every page is looked at twice.
  database.pragma('trusted_schema = OFF');
  database.pragma('cell_size_check = ON');
  database.pragma(`cache_size = ${-1024 * cacheMiB}`);
  database.pragma('temp_store = MEMORY');
}

/** Checks that a database is a place map of a version that this code reads, with the tables of FORMAT.md. */
function checkFormat(database: Database.Database, file: string): void {
  const applicationId = database.pragma('application_id', { simple: true });
  if (applicationId !== MAP_APPLICATION_ID)
    throw new VprError('MAP_CORRUPT', `Expected a place map, got an SQLite database of another kind [${file}]`);
  const version = Number(database.pragma('user_version', { simple: true }));
  if (version !== MAP_FORMAT_VERSION)
    throw new VprError(
      'MAP_VERSION',
      version > MAP_FORMAT_VERSION
        ? `Expected map format version ${MAP_FORMAT_VERSION} at most, got ${version}: a newer release wrote it [${file}]`
        : `Expected map format version 1...${MAP_FORMAT_VERSION}, got ${version} [${file}]`,
    );
  const schema = database.prepare('SELECT type, name, sql FROM sqlite_schema LIMIT 1000').all() as {
    type: string;
    name: string;
    sql: string | null;
  }[];
  const found = new Map(schema.map((entry) => [entry.name, entry.sql]));
  for (const [name, sql] of Object.entries({ ...MAP_TABLES, ...MAP_INDEXES })) {
    if (found.get(name) !== sql)
      throw new VprError(
        'MAP_CORRUPT',
        `Expected the table or index '${name}' of the format, got ${found.has(name) ? 'another definition' : 'none'} [${file}, schema]`,
      );
  }
  // A trigger or view of our own making does not exist: one in the file is an attack or a mistake.
  const alien = schema.find((entry) => entry.type === 'trigger' || entry.type === 'view');
  if (alien !== undefined)
    throw new VprError('MAP_CORRUPT', `Expected tables alone, got the ${alien.type} '${alien.name}' [${file}, schema]`);
}

/** Opens the database of an existing map and checks format and schema. file: absolute path. */
export function openMapDatabase(file: string, mode: 'read' | 'append', cacheMiB: number): Database.Database {
  checkFile(file);
  let database: Database.Database | undefined;
  try {
    database = new Database(file, { readonly: mode === 'read', fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    configure(database, cacheMiB);
    checkFormat(database, file);
    if (mode === 'append') enableAppending(database, file);
    return database;
  } catch (error) {
    database?.close();
    throw mapErrorOf(error, file);
  }
}

function enableAppending(database: Database.Database, file: string): void {
  try {
    accessSync(file, constants.W_OK);
  } catch (error) {
    throw new VprError('MAP_READ_ONLY', `Expected a map that can be written, got a read-only file [${file}]`, {
      cause: error,
    });
  }
  // A write-ahead log lets readers go on while this process appends, and a commit is one sequential write.
  database.pragma('journal_mode = WAL');
  // FULL: a committed reference survives a power cut, not only the death of the process. One fsync a commit, and
  // key frames come about once a second.
  database.pragma('synchronous = FULL');
}

/** Makes a map that was open for appending one file again. file: for error sentences. */
export function foldLog(database: Database.Database, file: string): void {
  // Readers in other processes keep the log alive; then it stays, and the next writer that closes alone removes it.
  database.pragma('busy_timeout = 0');
  try {
    database.pragma('wal_checkpoint(TRUNCATE)');
    database.pragma('journal_mode = DELETE');
  } catch (error) {
    const failure = mapErrorOf(error, file);
    if (!(failure instanceof VprError) || failure.code !== 'MAP_LOCKED') throw failure;
  }
}

/** Creates the tables in an empty database. */
export function createTables(database: Database.Database): void {
  database.pragma(`application_id = ${MAP_APPLICATION_ID}`);
  database.pragma(`user_version = ${MAP_FORMAT_VERSION}`);
  for (const sql of [...Object.values(MAP_TABLES), ...Object.values(MAP_INDEXES)]) database.exec(sql);
}

/**
 * A database without a file name: it lives in the page cache and spills to a temporary file that vanishes with the
 * process, so that a long run without a map file stays bounded in memory.
 */
export function createTemporaryDatabase(
  fill: (database: Database.Database) => void,
  cacheMiB: number,
): Database.Database {
  const database = new Database('');
  configure(database, cacheMiB);
  database.pragma('synchronous = OFF');
  database.transaction(() => {
    createTables(database);
    fill(database);
  })();
  return database;
}

/**
 * Creates a map file; it appears under its name only when it is whole. file: absolute path.
 * Throws MAP_EXISTS where the name is taken, MAP_LOCKED where another writes a map of that name.
 */
export function createMapFile(file: string, fill: (database: Database.Database) => void): void {
  if (statSync(file, { throwIfNoEntry: false }) !== undefined)
    throw new VprError('MAP_EXISTS', `Expected a new file for the map, got one that exists [${file}]`);
  const folder = statSync(path.dirname(file), { throwIfNoEntry: false });
  if (!folder?.isDirectory())
    throw new VprError('FILE_NOT_WRITABLE', `Expected a folder for the map, got none [${path.dirname(file)}]`);
  const lock = WriterLock.acquire(file);
  const temporary = temporaryNameFor(file);
  try {
    const database = new Database(temporary, { timeout: BUSY_TIMEOUT_MS });
    try {
      database.pragma('journal_mode = MEMORY');
      database.transaction(() => {
        createTables(database);
        fill(database);
      })();
    } finally {
      database.close();
    }
    settleLog(file);
    publishFile(temporary, file, 'new');
  } catch (error) {
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_CANTOPEN'))
      throw new VprError('FILE_NOT_WRITABLE', `Expected permission to write the map, got none [${file}]`, {
        cause: error,
      });
    throw mapErrorOf(error, file);
  } finally {
    rmSync(temporary, { force: true });
    lock.release();
  }
}

let temporaryCount = 0;

/**
 * A name beside `file`, so that the rename stays within one file system. What a killed process left under it goes: in a
 * container every run may have the same process id. To be asked for under the writer's lock of `file`.
 */
export function temporaryNameFor(file: string): string {
  const temporary = `${file}.new-${process.pid}-${++temporaryCount}`;
  for (const suffix of ['', '-journal']) rmSync(`${temporary}${suffix}`, { force: true });
  return temporary;
}

function sync(file: string): void {
  const descriptor = openSync(file, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Gives a whole, closed file its name, durably. new: fails where the name is taken; replace: the old file stays until the swap. */
export function publishFile(temporary: string, file: string, how: 'new' | 'replace'): void {
  // A rename would replace a device node without a word, where the process may.
  const target = statSync(file, { throwIfNoEntry: false });
  if (target !== undefined && !target.isFile())
    throw new VprError(
      'FILE_NOT_WRITABLE',
      `Expected a regular file or none for the map, got something else [${file}]`,
    );
  sync(temporary);
  if (how === 'replace') {
    renameSync(temporary, file);
  } else {
    try {
      linkSync(temporary, file);
      rmSync(temporary);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EEXIST')
        throw new VprError('MAP_EXISTS', `Expected a new file for the map, got one that exists [${file}]`, {
          cause: error,
        });
      // File systems without hard links (exFAT) cannot refuse an existing name atomically; it was checked before.
      if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EMLINK' && code !== 'ENOSYS') throw error;
      renameSync(temporary, file);
    }
  }
  sync(path.dirname(file));
}

/** Absolute path without links: the log and the lock lie beside the file itself, whatever name it was opened by. */
export function realPathOf(file: string): string {
  const absolute = path.resolve(file);
  return statSync(absolute, { throwIfNoEntry: false }) === undefined ? absolute : realpathSync(absolute);
}
