import type Database from 'better-sqlite3';
import { CODE_BYTES } from '../core/binaryCode.js';
import type { PlaceId, Reference, ReferenceId } from '../core/reference.js';
import { messageOf } from '../core/VprError.js';
import { checksumOf, checksumOfMatches, checksumOfTexts } from './checksum.js';
import { decodeDescriptor, storedBytes } from './descriptorCodec.js';
import { openMapDatabase } from './mapDatabase.js';
import { readMeta, type MapMeta } from './MapMeta.js';
import { hasTypes } from './hasTypes.js';
import type { MapSession } from './mapTypes.js';
import { isMatchRow } from './matchCounts.js';
import { CODES_PER_BLOCK, MAX_THUMBNAIL_BYTES } from './mapSchema.js';
import { isSessionRow } from './sessions.js';
import { REFERENCE_COLUMNS, referenceOfRow, type ReferenceRow } from './referenceRow.js';

/** One thing that is wrong in a map. */
export interface MapProblem {
  /** Table, or `pages` for the structure of the file. */
  readonly table: string;
  /** Absent where the damage belongs to no single reference. */
  readonly referenceId?: ReferenceId;
  /** "Expected X, got Y". */
  readonly sentence: string;
}

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

interface FoundCode {
  readonly placeId: PlaceId;
  readonly code: Uint8Array;
}

/** A descriptor's norm may differ from 1 by the rounding of its storage, not by more. */
const NORM_TOLERANCE = 0.02;

/**
 * Reads a map as far as it is whole, whatever is damaged: every part on its own, every checksum, the rules of FORMAT.md
 * and the structure of the file. `problems` grows while `references` is consumed.
 */
export class MapExaminer {
  readonly path: string;
  /** Absent where the meta is damaged; then nothing can be decoded and `references` gives nothing. */
  readonly meta: MapMeta | undefined;
  readonly problems: MapProblem[] = [];
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
    this.meta = this.#attempt('meta', undefined, () => readMeta(this.#database, file).meta);
  }

  close(): void {
    this.#database.close();
  }

  /** Checks the structure of the file: pages, cells, the index (SQLite's own integrity check). */
  checkPages(): void {
    this.#attempt('pages', undefined, () => {
      const rows = this.#database.pragma('integrity_check(100)') as { integrity_check: string }[];
      for (const { integrity_check: sentence } of rows)
        if (sentence !== 'ok') this.#report('pages', undefined, `Expected whole database pages, got: ${sentence}`);
    });
  }

  /** Checks sessions and match counts. */
  checkSmallTables(): void {
    this.sessions();
    this.#attempt('match_count', undefined, () => {
      const rows = this.#database
        .prepare('SELECT reference_id, matches, last_stamp_ns, crc FROM match_count')
        .safeIntegers()
        .iterate() as Iterable<Record<'reference_id' | 'matches' | 'last_stamp_ns' | 'crc', bigint>>;
      for (const row of rows) {
        const id = Number(row.reference_id);
        if (!isMatchRow(row) || checksumOfMatches(id, Number(row.matches), row.last_stamp_ns) !== Number(row.crc))
          this.#report('match_count', id, `Expected an unchanged match count of reference ${id}, got a wrong checksum`);
      }
    });
  }

  #sessions: MapSession[] | undefined;

  /** Sessions of which the record is whole. */
  sessions(): readonly MapSession[] {
    return (this.#sessions ??= this.#readSessions());
  }

  #readSessions(): MapSession[] {
    const rows = (this.#attempt('session', undefined, () =>
      this.#database.prepare('SELECT session_id, name, source, crc FROM session').all(),
    ) ?? []) as { session_id: number; name: string; source: string; crc: number }[];
    return rows.flatMap(({ session_id: sessionId, name, source, crc }) => {
      if (isSessionRow({ name, source }) && checksumOfTexts(sessionId, name, source) === crc)
        return [{ sessionId, name, source }];
      this.#report('session', undefined, `Expected an unchanged record of session ${sessionId}, got a wrong checksum`);
      return [];
    });
  }

  /** Ids of all references that any table still knows, ascending. */
  referenceIds(): Uint32Array {
    const ids = new Set<ReferenceId>();
    // Several sources, because a damaged page hides rows of one of them only. Those of `thumbnail` and `match_count` add nothing.
    const sources = ['reference NOT INDEXED', 'reference INDEXED BY reference_by_place', 'descriptor', 'code_tail'];
    for (const source of sources)
      this.#attempt(source.split(' ')[0]!, undefined, () => {
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
      const row = this.#attempt('reference', referenceId, () => record.get(referenceId) as ReferenceRow | undefined);
      const reference = row === undefined ? undefined : referenceOfRow(row);
      if (row === undefined)
        this.#report('reference', referenceId, `Expected a record of reference ${referenceId}, got none`);
      else if (reference === undefined)
        this.#report(
          'reference',
          referenceId,
          `Expected an unchanged record of reference ${referenceId}, got a wrong checksum`,
        );
      else if (!sessions.has(reference.sessionId))
        this.#report(
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
    return this.#attempt('descriptor', referenceId, () => {
      const row = this.#descriptorRow.get(bytes, referenceId) as
        { crc: number; bytes: number; data: Buffer | null } | undefined;
      if (!(row?.data instanceof Uint8Array)) {
        const got = row === undefined ? 'none' : `${row.bytes}`;
        return this.#report(
          'descriptor',
          referenceId,
          `Expected a descriptor of ${bytes} bytes for reference ${referenceId}, got ${got}`,
        );
      }
      if (checksumOf(referenceId, row.data) !== row.crc)
        return this.#report(
          'descriptor',
          referenceId,
          `Expected an unchanged descriptor of reference ${referenceId}, got a wrong checksum`,
        );
      const descriptor = new Float32Array(meta.descriptorDimension);
      decodeDescriptor(meta.storage, row.data, descriptor.length, descriptor, 0);
      const norm = Math.sqrt(descriptor.reduce((sum, value) => sum + value * value, 0));
      if (!(Math.abs(norm - 1) <= NORM_TOLERANCE))
        return this.#report(
          'descriptor',
          referenceId,
          `Expected a descriptor of norm 1 for reference ${referenceId}, got norm ${norm}`,
        );
      return descriptor;
    });
  }

  #thumbnail(referenceId: ReferenceId, expected: boolean | undefined): Uint8Array | undefined {
    return this.#attempt('thumbnail', referenceId, () => {
      const row = this.#thumbnailRow.get(MAX_THUMBNAIL_BYTES, referenceId) as
        { crc: number; data: Buffer | null } | undefined;
      if (row === undefined)
        return expected === true
          ? this.#report('thumbnail', referenceId, `Expected a thumbnail of reference ${referenceId}, got none`)
          : undefined;
      if (expected === false)
        this.#report('thumbnail', referenceId, `Expected no thumbnail of reference ${referenceId}, got one`);
      if (!(row.data instanceof Uint8Array) || checksumOf(referenceId, row.data) !== row.crc)
        return this.#report(
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
      return this.#report('code_block', referenceId, `Expected a code of reference ${referenceId}, got none`);
    if (reference !== undefined && reference.placeId !== found.placeId)
      this.#report(
        'code_block',
        referenceId,
        `Expected place ${reference.placeId} with the code of reference ${referenceId}, got ${found.placeId}`,
      );
    // A changed record proves nothing about the code, unless its code_crc still fits.
    if (row !== undefined && checksumOf(referenceId, found.code) !== Number(row.code_crc)) {
      if (reference === undefined) return undefined;
      return this.#report(
        'code_block',
        referenceId,
        `Expected an unchanged code of reference ${referenceId}, got a wrong checksum`,
      );
    }
    return found.code;
  }

  #found: Map<ReferenceId, FoundCode> | undefined;

  /** Codes by reference, from blocks and tail; a block is read even if its checksum is wrong: each code has its own. */
  #codes(): Map<ReferenceId, FoundCode> {
    if (this.#found !== undefined) return this.#found;
    const found = new Map<ReferenceId, FoundCode>();
    const firsts = this.#attempt(
      'code_block',
      undefined,
      () => this.#database.prepare('SELECT first_reference_id FROM code_block ORDER BY 1').pluck().all() as number[],
    );
    const block = this.#database.prepare(
      `SELECT ids_crc, codes_crc, reference_ids, place_ids, codes FROM code_block WHERE first_reference_id = ? AND length(reference_ids) <= ${4 * CODES_PER_BLOCK} ` +
        `AND length(place_ids) = length(reference_ids) AND length(codes) = ${CODE_BYTES / 4} * length(reference_ids)`,
    );
    for (const first of firsts ?? [])
      this.#attempt('code_block', undefined, () => this.#readBlock(first, block.get(first), found));
    this.#attempt('code_tail', undefined, () => {
      const rows = this.#database.prepare(
        `SELECT reference_id AS id, place_id, crc, iif(length(code) = ${CODE_BYTES}, code, NULL) AS code FROM code_tail`,
      );
      for (const { id, place_id, crc, code } of rows.iterate() as Iterable<{
        id: number;
        place_id: number;
        crc: number;
        code: Buffer | null;
      }>) {
        if (!(code instanceof Uint8Array) || checksumOf(id, u32Bytes(place_id), code) !== crc)
          this.#report('code_tail', id, `Expected an unchanged code of reference ${id}, got a wrong checksum`);
        if (code instanceof Uint8Array) this.#keep(found, id, { placeId: place_id, code });
      }
    });
    return (this.#found = found);
  }

  #readBlock(first: number, row: unknown, found: Map<ReferenceId, FoundCode>): void {
    if (!hasTypes(row ?? {}, { reference_ids: 'blob', place_ids: 'blob', codes: 'blob' }))
      return this.#report('code_block', undefined, `Expected a code block of fitting sizes at ${first}, got others`);
    const { ids_crc, codes_crc, reference_ids, place_ids, codes } = row as {
      ids_crc: number;
      codes_crc: number;
    } & Record<'reference_ids' | 'place_ids' | 'codes', Buffer>;
    const count = Math.floor(reference_ids.length / 4);
    if (checksumOf(first, reference_ids, place_ids) !== ids_crc)
      this.#report(
        'code_block',
        undefined,
        `Expected unchanged ids in the code block at ${first}, got a wrong checksum`,
      );
    if (checksumOf(first, codes) !== codes_crc)
      this.#report(
        'code_block',
        undefined,
        `Expected unchanged codes in the block at ${first} (${count} references), got a wrong checksum`,
      );
    let last = 0;
    for (let i = 0; i < count; i++) {
      const id = reference_ids.readUInt32LE(4 * i);
      if (id <= last || (i === 0 && id !== first))
        this.#report('code_block', id, `Expected ascending ids in the code block at ${first}, got ${id} after ${last}`);
      last = id;
      this.#keep(found, id, {
        placeId: place_ids.readUInt32LE(4 * i),
        code: codes.subarray(i * CODE_BYTES, (i + 1) * CODE_BYTES),
      });
    }
  }

  #keep(found: Map<ReferenceId, FoundCode>, id: ReferenceId, code: FoundCode): void {
    if (found.has(id)) this.#report('code_block', id, `Expected one code of reference ${id}, got two`);
    else found.set(id, code);
  }

  /** Runs one step; what SQLite cannot read becomes a problem and the answer undefined. */
  #attempt<T>(table: string, referenceId: ReferenceId | undefined, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (error instanceof TypeError || error instanceof ReferenceError) throw error;
      const subject = referenceId === undefined ? '' : ` of reference ${referenceId}`;
      this.#report(table, referenceId, `Expected a readable ${table}${subject}, got: ${messageOf(error)}`);
      return undefined;
    }
  }

  #report(table: string, referenceId: ReferenceId | undefined, sentence: string): undefined {
    this.problems.push({ table, ...(referenceId === undefined ? {} : { referenceId }), sentence });
    return undefined;
  }
}

function u32Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
