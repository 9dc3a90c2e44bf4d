import type Database from 'better-sqlite3';
import { CODE_BYTES, type BinaryCode } from '../core/binaryCode.js';
import type { PlaceId, ReferenceId } from '../core/reference.js';
import { VprError } from '../core/VprError.js';
import { checksumOf } from './checksum.js';
import { hasTypes } from './hasTypes.js';
import { CODES_PER_BLOCK } from './mapSchema.js';

/** Codes of consecutive references, ascending ids; all arrays of n. */
export interface CodeBlock {
  /** [n] */
  readonly referenceIds: Uint32Array;
  /** [n] */
  readonly placeIds: Uint32Array;
  /** [n, 64] row-major */
  readonly codes: Uint8Array;
}

interface BlockRow {
  first: number;
  ids_crc: number;
  codes_crc: number;
  ids_bytes: number;
  places_bytes: number;
  codes_bytes: number;
}

/** A u32 view of a blob's bytes (little-endian); copied only where the bytes lie unaligned. */
function u32View(bytes: Buffer): Uint32Array {
  if (bytes.byteOffset % 4 === 0) return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const copy = new Uint32Array(bytes.length / 4);
  new Uint8Array(copy.buffer).set(bytes);
  return copy;
}

function bytesOf(values: Uint32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

/**
 * The codes of a map: sealed blocks of 4096, read at the speed of the disk, and a tail of single rows, appended at the
 * cost of one row. When the tail is full it becomes a block in the same transaction.
 */
export class CodeTable {
  readonly #database: Database.Database;
  readonly #file: string;
  readonly #nextBlock: Database.Statement;
  readonly #blockIds: Database.Statement;
  readonly #blockCodes: Database.Statement;
  readonly #tail: Database.Statement;
  readonly #insertTail: Database.Statement | undefined;
  #tailLength: number;

  constructor(database: Database.Database, file: string) {
    this.#database = database;
    this.#file = file;
    this.#nextBlock = database.prepare(
      'SELECT first_reference_id AS first, ids_crc, codes_crc, length(reference_ids) AS ids_bytes, length(place_ids) AS places_bytes, ' +
        'length(codes) AS codes_bytes FROM code_block WHERE first_reference_id > ? ORDER BY first_reference_id LIMIT 1',
    );
    this.#blockIds = database.prepare('SELECT reference_ids, place_ids FROM code_block WHERE first_reference_id = ?');
    this.#blockCodes = database.prepare('SELECT codes FROM code_block WHERE first_reference_id = ?').pluck();
    this.#tail = database.prepare(
      `SELECT reference_id, place_id, crc, iif(length(code) = ${CODE_BYTES}, code, NULL) AS code FROM code_tail ORDER BY reference_id LIMIT ${CODES_PER_BLOCK + 1}`,
    );
    this.#insertTail = database.readonly
      ? undefined
      : database.prepare('INSERT INTO code_tail (reference_id, place_id, crc, code) VALUES (?, ?, ?, ?)');
    this.#tailLength = Number(database.prepare('SELECT count(*) FROM code_tail').pluck().get());
  }

  /** Appends one code; ids ascend. Runs inside the caller's transaction. */
  append(referenceId: ReferenceId, placeId: PlaceId, code: BinaryCode): void {
    this.#insertTail!.run(referenceId, placeId, this.#tailChecksum(referenceId, placeId, code), code);
    if (++this.#tailLength >= CODES_PER_BLOCK) this.#seal();
  }

  /** To be called after a rolled-back transaction: the count of the tail may have gone back too. */
  recount(): void {
    this.#tailLength = Number(this.#database.prepare('SELECT count(*) FROM code_tail').pluck().get());
  }

  /** Ids and places of every code, ascending; codes stay on disk. Throws MAP_CORRUPT. */
  *ids(): Generator<Omit<CodeBlock, 'codes'>> {
    for (const { row, tail } of this.#steps()) {
      if (row === undefined) yield { referenceIds: tail.referenceIds, placeIds: tail.placeIds };
      else yield this.#readIds(row);
    }
  }

  /** Every code with its ids, ascending. Throws MAP_CORRUPT naming the references of a block that changed. */
  *blocks(): Generator<CodeBlock> {
    for (const { row, tail } of this.#steps()) {
      if (row === undefined) {
        yield tail;
        continue;
      }
      const ids = this.#readIds(row);
      const codes = this.#blockCodes.get(row.first) as Buffer;
      if (!(codes instanceof Uint8Array) || checksumOf(row.first, codes) !== row.codes_crc)
        throw this.#corrupt(`unchanged codes of references ${describeRange(ids.referenceIds)}`, 'a wrong checksum');
      yield { ...ids, codes };
    }
  }

  /** Blocks in order, then the tail; each step sees one state of the file, also while another process seals the tail. */
  *#steps(): Generator<{ row: BlockRow; tail?: never } | { row?: never; tail: CodeBlock }> {
    let last = 0;
    const step = this.#database.transaction(() => {
      const row = this.#nextBlock.get(last) as BlockRow | undefined;
      return row === undefined ? { tail: this.#readTail(last) } : { row };
    });
    for (;;) {
      const found = step();
      if (found.row === undefined) {
        if (found.tail.referenceIds.length > 0) yield found;
        return;
      }
      yield found;
      last = found.row.first + this.#lengthOf(found.row) - 1;
    }
  }

  #lengthOf(row: BlockRow): number {
    const length = row.ids_bytes / 4;
    const whole =
      Number.isInteger(length) &&
      length >= 1 &&
      length <= CODES_PER_BLOCK &&
      row.places_bytes === length * 4 &&
      row.codes_bytes === length * CODE_BYTES;
    if (!whole || row.first < 1 || row.first >= 2 ** 32)
      throw this.#corrupt(
        `1...${CODES_PER_BLOCK} codes in the block at ${row.first}`,
        `${row.ids_bytes} bytes of ids, ${row.places_bytes} of places, ${row.codes_bytes} of codes`,
      );
    return length;
  }

  #readIds(row: BlockRow): Omit<CodeBlock, 'codes'> {
    this.#lengthOf(row);
    const ids = this.#blockIds.get(row.first) as { reference_ids: Buffer; place_ids: Buffer };
    const { reference_ids, place_ids } = ids;
    if (
      !hasTypes(ids, { reference_ids: 'blob', place_ids: 'blob' }) ||
      checksumOf(row.first, reference_ids, place_ids) !== row.ids_crc
    )
      throw this.#corrupt(`unchanged ids of the code block at ${row.first}`, 'a wrong checksum');
    const referenceIds = u32View(reference_ids);
    if (referenceIds[0] !== row.first || !isAscending(referenceIds))
      throw this.#corrupt(`ascending reference ids from ${row.first} in their block`, 'others');
    return { referenceIds, placeIds: u32View(place_ids) };
  }

  #readTail(after: ReferenceId): CodeBlock {
    const rows = this.#tail.all() as { reference_id: number; place_id: number; crc: number; code: Buffer | null }[];
    const referenceIds = new Uint32Array(rows.length);
    const placeIds = new Uint32Array(rows.length);
    const codes = new Uint8Array(rows.length * CODE_BYTES);
    rows.forEach((row, i) => {
      const isId = row.reference_id > after && row.reference_id < 2 ** 32;
      if (
        !isId ||
        !(row.code instanceof Uint8Array) ||
        this.#tailChecksum(row.reference_id, row.place_id, row.code) !== row.crc
      )
        throw this.#corrupt(`an unchanged code of reference ${row.reference_id}`, 'a wrong checksum');
      referenceIds[i] = row.reference_id;
      placeIds[i] = row.place_id;
      codes.set(row.code, i * CODE_BYTES);
    });
    return { referenceIds, placeIds, codes };
  }

  #tailChecksum(referenceId: ReferenceId, placeId: PlaceId, code: Uint8Array): number {
    return checksumOf(referenceId, bytesOf(Uint32Array.of(placeId)), code);
  }

  #seal(): void {
    const { referenceIds, placeIds, codes } = this.#readTail(0);
    const first = referenceIds[0]!;
    this.#database
      .prepare(
        'INSERT INTO code_block (first_reference_id, ids_crc, codes_crc, reference_ids, place_ids, codes) VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run(
        first,
        checksumOf(first, bytesOf(referenceIds), bytesOf(placeIds)),
        checksumOf(first, codes),
        bytesOf(referenceIds),
        bytesOf(placeIds),
        codes,
      );
    this.#database.exec('DELETE FROM code_tail');
    this.#tailLength = 0;
  }

  #corrupt(expected: string, got: string): VprError {
    return new VprError('MAP_CORRUPT', `Expected ${expected}, got ${got} [${this.#file}]`);
  }
}

function isAscending(ids: Uint32Array): boolean {
  for (let i = 1; i < ids.length; i++) if (ids[i]! <= ids[i - 1]!) return false;
  return true;
}

function describeRange(ids: Uint32Array): string {
  return `${ids[0]}...${ids[ids.length - 1]}`;
}
