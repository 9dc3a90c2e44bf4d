import type Database from 'better-sqlite3';
import type { Reference, ReferenceId } from '../core/reference.js';
import { checksumOf, checksumOfMatches, checksumOfTexts } from './checksum.js';
import { decodeDescriptor, storedBytes } from './descriptorCodec.js';
import { openMapDatabase } from './mapDatabase.js';
import { readMeta, type MapMeta, type NextIds } from './MapMeta.js';
import { isUnitNorm, normOf } from './isUnitNorm.js';
import { MapProblemLog, type MapProblem } from './MapProblemLog.js';
import type { MapSession } from './mapTypes.js';
import { isMatchRow, type MatchCount } from './matchCounts.js';
import { MAX_THUMBNAIL_BYTES } from './mapSchema.js';
import { readStoredCodes, type FoundCode } from './readStoredCodes.js';
import { recoverMeta, type RecoveredMeta } from './recoverMeta.js';
import { isSessionRow } from './sessions.js';
import { REFERENCE_COLUMNS, referenceOfRow, type ReferenceRow } from './referenceRow.js';

/** A reference with those of its parts that are whole. */
export interface ExaminedReference {
  readonly referenceId: ReferenceId;
  readonly record?: Reference;
  /** [D] f32 */
  readonly descriptor?: Float32Array;
  /** [64] */
  readonly code?: Uint8Array;
  readonly thumbnail?: Uint8Array;
}

/**
 * Reads a map as far as it is whole, whatever is damaged: every part on its own, every checksum, the rules of FORMAT.md
 * and the structure of the file. `problems` grows while `references` is consumed.
 */
export class MapExaminer {
  readonly path: string;
  /** Put together from what is left where it is damaged; absent: nothing can be decoded and `references` gives nothing. */
  readonly meta: MapMeta | undefined;
  /** As the meta says, 1 where it no longer does. */
  readonly nextIds: NextIds;
  /** Keys of the meta that are lost for good: see RecoveredMeta. */
  readonly lostMeta: RecoveredMeta['lost'];
  readonly #log = new MapProblemLog();
  readonly #database: Database.Database;
  readonly #descriptorRow: Database.Statement;
  readonly #thumbnailRow: Database.Statement;

  /** file: absolute path. Throws only where the file is no place map at all (see PlaceMap.open). */
  constructor(file: string) {
    this.path = file;
    this.#database = openMapDatabase(file, 'read', 16);
    // One state of the file from the first check to the last; and no lock to take for each of a million rows.
    this.#database.exec('BEGIN');
    this.#descriptorRow = this.#database.prepare(
      'SELECT crc, length(data) AS bytes, iif(length(data) = ?, data, NULL) AS data FROM descriptor WHERE reference_id = ?',
    );
    this.#thumbnailRow = this.#database.prepare(
      'SELECT crc, iif(length(data) <= ?, data, NULL) AS data FROM thumbnail WHERE reference_id = ?',
    );
    const whole = this.#log.attempt('meta', undefined, () => readMeta(this.#database, file));
    const recovered = whole === undefined ? recoverMeta(this.#database, this.#log, file) : undefined;
    this.meta = (whole ?? recovered)?.meta;
    this.nextIds = (whole ?? recovered)?.next ?? { referenceId: 1, placeId: 1 };
    this.lostMeta = recovered?.lost ?? [];
  }

  get problems(): readonly MapProblem[] {
    return this.#log.problems;
  }

  close(): void {
    this.#database.close();
  }

  /** Checks the structure of the file: pages, cells, the index (SQLite's own integrity check). */
  checkPages(): void {
    this.#log.attempt('pages', undefined, () => {
      const rows = this.#database.pragma('integrity_check(100)') as { integrity_check: string }[];
      for (const { integrity_check: sentence } of rows)
        if (sentence !== 'ok') this.#log.report('pages', undefined, `Expected whole database pages, got: ${sentence}`);
    });
  }

  /** Checks sessions, match counts, and whether each thumbnail is of a reference. */
  checkSmallTables(): void {
    this.sessions();
    this.matchCounts();
    this.#log.attempt('thumbnail', undefined, () => {
      const rows = this.#database
        .prepare('SELECT reference_id FROM thumbnail WHERE reference_id NOT IN (SELECT reference_id FROM reference)')
        .pluck();
      for (const id of rows.iterate() as Iterable<number>)
        this.#log.report('thumbnail', id, `Expected a record of reference ${id} beside its thumbnail, got none`);
    });
  }

  #matchCounts: Map<ReferenceId, MatchCount> | undefined;

  /** Match counts that are whole. */
  matchCounts(): ReadonlyMap<ReferenceId, MatchCount> {
    return (this.#matchCounts ??= this.#readMatchCounts());
  }

  #readMatchCounts(): Map<ReferenceId, MatchCount> {
    const counts = new Map<ReferenceId, MatchCount>();
    this.#log.attempt('match_count', undefined, () => {
      const rows = this.#database
        .prepare('SELECT reference_id, matches, last_stamp_ns, crc FROM match_count')
        .safeIntegers()
        .iterate() as Iterable<Record<'reference_id' | 'matches' | 'last_stamp_ns' | 'crc', bigint>>;
      for (const row of rows) {
        const [id, matches] = [Number(row.reference_id), Number(row.matches)];
        if (!isMatchRow(row) || checksumOfMatches(id, matches, row.last_stamp_ns) !== Number(row.crc))
          this.#log.report(
            'match_count',
            id,
            `Expected an unchanged match count of reference ${id}, got a wrong checksum`,
          );
        else counts.set(id, { matches, lastStampNs: row.last_stamp_ns });
      }
    });
    return counts;
  }

  #sessions: MapSession[] | undefined;

  /** Sessions of which the record is whole. */
  sessions(): readonly MapSession[] {
    return (this.#sessions ??= this.#readSessions());
  }

  #readSessions(): MapSession[] {
    const rows = (this.#log.attempt('session', undefined, () =>
      this.#database.prepare('SELECT session_id, name, source, crc FROM session').all(),
    ) ?? []) as { session_id: number; name: string; source: string; crc: number }[];
    return rows.flatMap(({ session_id: sessionId, name, source, crc }) => {
      if (isSessionRow({ name, source }) && checksumOfTexts(sessionId, name, source) === crc)
        return [{ sessionId, name, source }];
      this.#log.report(
        'session',
        undefined,
        `Expected an unchanged record of session ${sessionId}, got a wrong checksum`,
      );
      return [];
    });
  }

  #found: ReadonlyMap<ReferenceId, FoundCode> | undefined;

  #codes(): ReadonlyMap<ReferenceId, FoundCode> {
    return (this.#found ??= readStoredCodes(this.#database, this.#log));
  }

  /** Ids of all references that any table still knows, ascending. */
  referenceIds(): Uint32Array {
    const ids = new Set<ReferenceId>();
    // Several sources, because a damaged page hides rows of one of them only. Those of `thumbnail` and `match_count` add nothing.
    const sources = ['reference NOT INDEXED', 'reference INDEXED BY reference_by_place', 'descriptor', 'code_tail'];
    for (const source of sources)
      this.#log.attempt(source.split(' ')[0]!, undefined, () => {
        for (const id of this.#database
          .prepare(`SELECT reference_id FROM ${source}`)
          .pluck()
          .iterate() as Iterable<number>)
          if (id >= 1 && id < 2 ** 32) ids.add(id);
      });
    for (const id of this.#codes().keys()) ids.add(id);
    return Uint32Array.from(ids).sort();
  }

  /** Every reference with what is whole of it, ascending; reports everything else. */
  *references(onProgress: (done: number, total: number) => void = () => undefined): Generator<ExaminedReference> {
    const meta = this.meta;
    if (meta === undefined) return;
    const ids = this.referenceIds();
    const codes = this.#codes();
    const sessions = new Set(this.sessions().map(({ sessionId }) => sessionId));
    const record = this.#database
      .prepare(`SELECT ${REFERENCE_COLUMNS} FROM reference WHERE reference_id = ?`)
      .safeIntegers();
    for (const [i, referenceId] of ids.entries()) {
      onProgress(i, ids.length);
      const row = this.#log.attempt(
        'reference',
        referenceId,
        () => record.get(referenceId) as ReferenceRow | undefined,
      );
      const reference = row === undefined ? undefined : referenceOfRow(row);
      if (row === undefined)
        this.#log.report('reference', referenceId, `Expected a record of reference ${referenceId}, got none`);
      else if (reference === undefined)
        this.#log.report(
          'reference',
          referenceId,
          `Expected an unchanged record of reference ${referenceId}, got a wrong checksum`,
        );
      else if (!sessions.has(reference.sessionId))
        this.#log.report(
          'reference',
          referenceId,
          `Expected a known session for reference ${referenceId}, got ${reference.sessionId}`,
        );
      const descriptor = this.#descriptor(referenceId, meta);
      const thumbnail = this.#thumbnail(referenceId, row === undefined ? undefined : row.has_thumbnail === 1n);
      const code = this.#code(referenceId, codes.get(referenceId), row, reference);
      yield {
        referenceId,
        ...(reference === undefined ? {} : { record: reference }),
        ...(descriptor === undefined ? {} : { descriptor }),
        ...(code === undefined ? {} : { code }),
        ...(thumbnail === undefined ? {} : { thumbnail }),
      };
    }
    onProgress(ids.length, ids.length);
  }

  #descriptor(referenceId: ReferenceId, meta: MapMeta): Float32Array | undefined {
    const bytes = storedBytes(meta.storage, meta.descriptorDimension);
    return this.#log.attempt('descriptor', referenceId, () => {
      const row = this.#descriptorRow.get(bytes, referenceId) as
        { crc: number; bytes: number; data: Buffer | null } | undefined;
      if (!(row?.data instanceof Uint8Array)) {
        const got = row === undefined ? 'none' : `${row.bytes}`;
        return this.#log.report(
          'descriptor',
          referenceId,
          `Expected a descriptor of ${bytes} bytes for reference ${referenceId}, got ${got}`,
        );
      }
      if (checksumOf(referenceId, row.data) !== row.crc)
        return this.#log.report(
          'descriptor',
          referenceId,
          `Expected an unchanged descriptor of reference ${referenceId}, got a wrong checksum`,
        );
      const descriptor = new Float32Array(meta.descriptorDimension);
      decodeDescriptor(meta.storage, row.data, descriptor.length, descriptor, 0);
      if (!isUnitNorm(descriptor))
        return this.#log.report(
          'descriptor',
          referenceId,
          `Expected a descriptor of norm 1 for reference ${referenceId}, got norm ${normOf(descriptor)}`,
        );
      return descriptor;
    });
  }

  #thumbnail(referenceId: ReferenceId, expected: boolean | undefined): Uint8Array | undefined {
    return this.#log.attempt('thumbnail', referenceId, () => {
      const row = this.#thumbnailRow.get(MAX_THUMBNAIL_BYTES, referenceId) as
        { crc: number; data: Buffer | null } | undefined;
      if (row === undefined)
        return expected === true
          ? this.#log.report('thumbnail', referenceId, `Expected a thumbnail of reference ${referenceId}, got none`)
          : undefined;
      if (expected === false)
        this.#log.report('thumbnail', referenceId, `Expected no thumbnail of reference ${referenceId}, got one`);
      if (!(row.data instanceof Uint8Array) || checksumOf(referenceId, row.data) !== row.crc)
        return this.#log.report(
          'thumbnail',
          referenceId,
          `Expected an unchanged thumbnail of reference ${referenceId}, got a wrong checksum`,
        );
      return row.data;
    });
  }

  #code(
    referenceId: ReferenceId,
    found: FoundCode | undefined,
    row: ReferenceRow | undefined,
    reference: Reference | undefined,
  ): Uint8Array | undefined {
    if (found === undefined)
      return this.#log.report('code_block', referenceId, `Expected a code of reference ${referenceId}, got none`);
    if (reference !== undefined && reference.placeId !== found.placeId)
      this.#log.report(
        'code_block',
        referenceId,
        `Expected place ${reference.placeId} with the code of reference ${referenceId}, got ${found.placeId}`,
      );
    // A changed record proves nothing about the code, unless its code_crc still fits.
    if (row !== undefined && checksumOf(referenceId, found.code) !== Number(row.code_crc)) {
      if (reference === undefined) return undefined;
      return this.#log.report(
        'code_block',
        referenceId,
        `Expected an unchanged code of reference ${referenceId}, got a wrong checksum`,
      );
    }
    return found.code;
  }
}
