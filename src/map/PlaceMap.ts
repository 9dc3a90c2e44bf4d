import type Database from 'better-sqlite3';
import { statSync } from 'node:fs';
import path from 'node:path';
import { NO_PLACE, type NewReference, type PlaceId, type Reference, type ReferenceId } from '../core/reference.js';
import { VprError } from '../core/VprError.js';
import { CodeTable, type CodeBlock } from './CodeTable.js';
import { checkCopy, copyDatabaseTo } from './copyDatabase.js';
import { listPlaces } from './listPlaces.js';
import { loadPlaceIndex } from './loadPlaceIndex.js';
import { createMapFile, createTemporaryDatabase, foldLog, openMapDatabase, realPathOf } from './mapDatabase.js';
import { mapErrorOf, withMapErrors } from './mapError.js';
import { readMeta, writeMeta, writeMetaEntry, type MapMeta, type NextIds } from './MapMeta.js';
import { TEMPORARY_MAP, type MapPlace, type MapSession, type MapSummary } from './mapTypes.js';
import { readMatchCounts, recordMatches, type MatchCount } from './matchCounts.js';
import type { PlaceIndex } from './PlaceIndex.js';
import { ReferenceReader } from './ReferenceReader.js';
import { ReferenceWriter } from './ReferenceWriter.js';
import { addSession, readSessionCameras, readSessions, type SessionCamera } from './sessions.js';
import { summarizeMap } from './summarizeMap.js';
import { WriterLock } from './WriterLock.js';

export interface MapOptions {
  /** Page cache of SQLite, MiB. Descriptors that are used often are cached decoded by the search, not here. */
  readonly cacheMiB?: number;
}

/**
 * An open place map: one SQLite file (FORMAT.md). One thread uses it. Reading never changes the file; appending needs
 * the map to be opened so, and is one transaction a call: after a crash the file holds every reference of every call
 * that returned, and nothing of one that did not.
 */
export class PlaceMap {
  /** Absolute path, or ':memory:'. */
  readonly path: string;
  readonly isWritable: boolean;
  readonly #database: Database.Database;
  readonly #lock: WriterLock | undefined;
  readonly #codes: CodeTable;
  readonly #index: PlaceIndex;
  readonly #reader: ReferenceReader;
  readonly #writer: ReferenceWriter | undefined;
  #meta: MapMeta;
  #next: NextIds;
  #sessionId: number | undefined;

  private constructor(file: string, database: Database.Database, lock: WriterLock | undefined) {
    this.path = file;
    this.isWritable = !database.readonly;
    this.#database = database;
    this.#lock = lock;
    const { meta, next } = readMeta(database, file);
    this.#meta = meta;
    this.#codes = new CodeTable(database, file);
    this.#writer = database.readonly ? undefined : new ReferenceWriter(database, meta, this.#codes);
    this.#reader = new ReferenceReader(database, file, meta);
    ({ index: this.#index, next: this.#next } = loadPlaceIndex(database, this.#codes, next, file));
  }

  /** Creates an empty map file, open for appending. Throws MAP_EXISTS, FILE_NOT_WRITABLE, DISK_FULL. */
  static create(file: string, meta: MapMeta, options?: MapOptions): PlaceMap {
    const absolute = path.resolve(file);
    createMapFile(absolute, (database) => writeMeta(database, meta, { referenceId: 1, placeId: 1 }));
    return PlaceMap.open(absolute, 'append', options);
  }

  /** An empty map without a file, for appending; `saveAs` writes it. */
  static createTemporary(meta: MapMeta, options: MapOptions = {}): PlaceMap {
    const database = createTemporaryDatabase(
      (empty) => writeMeta(empty, meta, { referenceId: 1, placeId: 1 }),
      options.cacheMiB ?? 64,
    );
    return new PlaceMap(TEMPORARY_MAP, database, undefined);
  }

  /**
   * Opens a map file. read: any number at a time, also while one appends; append: one at a time.
   * Throws MAP_MISSING, MAP_CORRUPT, MAP_VERSION, MAP_LOCKED, MAP_READ_ONLY, FILE_UNREADABLE.
   */
  static open(file: string, mode: 'read' | 'append', options: MapOptions = {}): PlaceMap {
    const absolute = realPathOf(file);
    if (mode === 'read' || statSync(absolute, { throwIfNoEntry: false }) === undefined)
      return PlaceMap.#opened(absolute, openMapDatabase(absolute, 'read', options.cacheMiB ?? 16), undefined);
    const lock = WriterLock.acquire(absolute);
    try {
      return PlaceMap.#opened(absolute, openMapDatabase(absolute, 'append', options.cacheMiB ?? 16), lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  static #opened(file: string, database: Database.Database, lock: WriterLock | undefined): PlaceMap {
    try {
      return new PlaceMap(file, database, lock);
    } catch (error) {
      database.close();
      throw mapErrorOf(error, file);
    }
  }

  get meta(): MapMeta {
    return this.#meta;
  }

  /** D of every descriptor. */
  get dimension(): number {
    return this.#meta.descriptorDimension;
  }

  /** References. */
  get size(): number {
    return this.#index.size;
  }

  /** The ids that the next reference and the next place will get. */
  get nextIds(): NextIds {
    return this.#next;
  }

  /** What the node and `map info` say of the map. */
  summary(): MapSummary {
    return this.#run(() => summarizeMap(this.#database, this.path, this.#meta, this.#index));
  }

  /** Every code in blocks, ascending reference ids, each block checked. Throws MAP_CORRUPT. */
  *codes(): Generator<CodeBlock> {
    try {
      yield* this.#codes.blocks();
    } catch (error) {
      throw mapErrorOf(error, this.path);
    }
  }

  /** Place of a reference; NO_PLACE where the map has no such reference. */
  placeOf(referenceId: ReferenceId): PlaceId {
    return this.#index.placeOf(referenceId) ?? NO_PLACE;
  }

  /** [n], ascending; a view, valid until the next append. */
  get referenceIds(): Uint32Array {
    return this.#index.referenceIds;
  }

  /** Record of a reference, checked. Throws RangeError where there is none, DamagedReference where it changed. */
  reference(referenceId: ReferenceId): Reference {
    return this.#reader.reference(referenceId);
  }

  /** Records of all references, or of one place, ascending, each checked. */
  references(placeId?: PlaceId): Generator<Reference> {
    return this.#reader.references(placeId);
  }

  /**
   * Descriptors by reference id, as the search's DescriptorStore.
   * ids: [n] ascending; out: [n, D] f32. Throws DamagedReference.
   */
  readDescriptors(ids: Uint32Array, out: Float32Array): void {
    this.#reader.readDescriptors(ids, out);
  }

  /** JPEG of a reference, checked; undefined where it has none. Throws DamagedReference. */
  thumbnail(referenceId: ReferenceId): Uint8Array | undefined {
    return this.#reader.thumbnail(referenceId);
  }

  /** All places, ascending. Damaged records are left out: who searches them hears of them. */
  places(): MapPlace[] {
    return listPlaces(this.#reader.references(undefined, () => undefined));
  }

  sessions(): MapSession[] {
    return this.#run(() => readSessions(this.#database, this.path));
  }

  /** Each camera of each session once. */
  sessionCameras(): SessionCamera[] {
    return this.#run(() => readSessionCameras(this.#database));
  }

  /** Starts a session: references appended from now on belong to it. Returns its id, from 1. */
  beginSession(name: string, source: string): number {
    this.#requireWritable();
    return (this.#sessionId = this.#run(() => addSession(this.#database, name, source)));
  }

  /** A place id that no reference has had yet. */
  newPlaceId(): PlaceId {
    const placeId = this.#next.placeId;
    this.#next = { ...this.#next, placeId: placeId + 1 };
    return placeId;
  }

  /**
   * Appends references to the session that was begun, all or none. Returns their ids, ascending.
   * Throws MAP_READ_ONLY, DISK_FULL, MAP_LOCKED; TypeError before `beginSession`.
   */
  appendReferences(references: readonly NewReference[]): ReferenceId[] {
    this.#requireWritable();
    const sessionId = this.#sessionId;
    if (sessionId === undefined) throw new TypeError('appendReferences is to be called after beginSession');
    const writer = this.#writer!;
    for (const reference of references) writer.check(reference);
    const ids = references.map((_, i) => this.#next.referenceId + i);
    const append = this.#database.transaction(() => {
      references.forEach((reference, i) => writer.append({ ...reference, referenceId: ids[i]!, sessionId }));
    });
    try {
      this.#run(() => append.immediate());
    } catch (error) {
      this.#codes.recount();
      throw error;
    }
    this.#index.append(
      ids,
      references.map((reference) => reference.placeId),
    );
    const lastPlace = references.reduce((most, { placeId }) => Math.max(most, placeId), 0);
    this.#next = {
      referenceId: this.#next.referenceId + references.length,
      placeId: Math.max(this.#next.placeId, lastPlace + 1),
    };
    return ids;
  }

  /** Counts accepted matches: references that never match any more are the stale ones. queryStampNs: of the newest query. */
  recordMatches(referenceIds: readonly ReferenceId[], queryStampNs: bigint): void {
    this.#requireWritable();
    for (const id of referenceIds)
      if (this.#index.placeOf(id) === undefined) throw new RangeError(`The map has no reference ${id} [${this.path}]`);
    this.#run(() => recordMatches(this.#database, referenceIds, queryStampNs));
  }

  /** How often each reference was accepted as a match; references without a match are absent. */
  matchCounts(): Map<ReferenceId, MatchCount> {
    return this.#run(() => readMatchCounts(this.#database, this.path));
  }

  /** Stores a calibration (JSON) or, with undefined, goes back to the model's default. */
  setCalibration(calibration: string | undefined): void {
    this.#requireWritable();
    if (calibration !== undefined) JSON.parse(calibration);
    this.#run(() => {
      if (calibration === undefined) this.#database.prepare("DELETE FROM meta WHERE key = 'calibration'").run();
      else writeMetaEntry(this.#database, 'calibration', calibration);
    });
    this.#meta = readMeta(this.#database, this.path).meta;
  }

  /** Writes the map to another file, replacing it whole or not at all. Returns the absolute path. */
  saveAs(file: string): string {
    const absolute = realPathOf(file);
    if (absolute === this.path) {
      this.flush();
      return absolute;
    }
    copyDatabaseTo(this.#database, absolute, (copy) => {
      const map = PlaceMap.open(copy, 'read');
      try {
        checkCopy(map, this.size, absolute);
      } finally {
        map.close();
      }
    });
    return absolute;
  }

  /** Moves everything that was committed from the log into the map's file. */
  flush(): void {
    if (this.isWritable && this.path !== TEMPORARY_MAP)
      this.#run(() => this.#database.pragma('wal_checkpoint(TRUNCATE)'));
  }

  /** Closes the map; a file that was open for appending is one file again, unless readers still hold it. */
  close(): void {
    if (!this.#database.open) return;
    try {
      if (this.isWritable && this.path !== TEMPORARY_MAP) foldLog(this.#database, this.path);
    } finally {
      this.#database.close();
      this.#lock?.release();
    }
  }

  #requireWritable(): void {
    if (!this.isWritable)
      throw new VprError(
        'MAP_READ_ONLY',
        `Expected a map opened for appending, got one opened for reading [${this.path}]`,
      );
  }

  #run<T>(work: () => T): T {
    return withMapErrors(this.path, work);
  }
}
