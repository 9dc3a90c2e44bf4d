import type Database from 'better-sqlite3';
import type { PlaceId, Reference, ReferenceId } from '../core/reference.js';
import { checksumOf } from './checksum.js';
import { DamagedReference } from '../core/DamagedReference.js';
import { decodeDescriptor, storedBytes, type DescriptorStorage } from './descriptorCodec.js';
import { withMapErrors } from './mapError.js';
import { MAX_THUMBNAIL_BYTES } from './mapSchema.js';
import { REFERENCE_COLUMNS, referenceOfRow, type ReferenceRow } from './referenceRow.js';

/** How descriptors lie in the tables. */
export interface StoredDescriptors {
  readonly storage: DescriptorStorage;
  readonly descriptorDimension: number;
}

/** Reads references out of the tables of a map: records, descriptors, thumbnails, each checked. */
export class ReferenceReader {
  readonly #database: Database.Database;
  readonly #file: string;
  readonly #stored: StoredDescriptors;
  readonly #statements: ReturnType<typeof prepareStatements>;

  /** file: for error sentences. */
  constructor(database: Database.Database, file: string, stored: StoredDescriptors) {
    this.#database = database;
    this.#file = file;
    this.#stored = stored;
    this.#statements = prepareStatements(database);
  }

  /** Record of a reference. Throws RangeError where there is none, DamagedReference where it changed. */
  reference(referenceId: ReferenceId): Reference {
    const row = this.#run(() => this.#statements.reference.get(referenceId) as ReferenceRow | undefined);
    if (row === undefined) throw new RangeError(`The map has no reference ${referenceId} [${this.#file}]`);
    return this.#checked(row);
  }

  /** Records of all references, or of one place, ascending. onDamaged: hears of records that changed; absent: they throw. */
  *references(placeId?: PlaceId, onDamaged?: (error: DamagedReference) => void): Generator<Reference> {
    let last = 0;
    for (;;) {
      // Pages instead of one open cursor: the connection stays free for other statements between two steps.
      const rows = this.#run(
        () =>
          (placeId === undefined
            ? this.#statements.referencesAfter.all(last)
            : this.#statements.referencesOfPlace.all(placeId, last)) as ReferenceRow[],
      );
      for (const row of rows) {
        const reference = referenceOfRow(row);
        if (reference !== undefined) yield reference;
        else if (onDamaged === undefined) throw this.#changed(row);
        else onDamaged(this.#changed(row));
      }
      if (rows.length === 0) return;
      last = Number(rows[rows.length - 1]!.reference_id);
    }
  }

  /** ids: [n] ascending; out: [n, D] f32. Throws DamagedReference. */
  readDescriptors(ids: Uint32Array, out: Float32Array): void {
    const { storage, descriptorDimension: dimension } = this.#stored;
    if (out.length < ids.length * dimension)
      throw new RangeError(`Expected room for ${ids.length} x ${dimension} values, got ${out.length}`);
    const bytes = storedBytes(storage, dimension);
    const read = this.#database.transaction(() => {
      for (let i = 0; i < ids.length; i++) {
        const id = ids[i]!;
        const row = this.#statements.descriptor.get(bytes, id) as { crc: number; data: Buffer | null } | undefined;
        if (!(row?.data instanceof Uint8Array))
          throw this.#damaged(
            id,
            `a descriptor of ${bytes} bytes for reference ${id}`,
            row === undefined ? 'none' : 'another size',
          );
        if (checksumOf(id, row.data) !== row.crc)
          throw this.#damaged(id, `an unchanged descriptor of reference ${id}`, 'a wrong checksum');
        decodeDescriptor(storage, row.data, dimension, out, i * dimension);
      }
    });
    this.#run(read);
  }

  /** JPEG of a reference; undefined where it has none. Throws DamagedReference. */
  thumbnail(referenceId: ReferenceId): Uint8Array | undefined {
    const row = this.#run(
      () =>
        this.#statements.thumbnail.get(MAX_THUMBNAIL_BYTES, referenceId) as
          { crc: number; data: Buffer | null } | undefined,
    );
    if (row === undefined) return undefined;
    if (!(row.data instanceof Uint8Array) || checksumOf(referenceId, row.data) !== row.crc)
      throw this.#damaged(referenceId, `an unchanged thumbnail of reference ${referenceId}`, 'a wrong checksum');
    return row.data;
  }

  #checked(row: ReferenceRow): Reference {
    const reference = referenceOfRow(row);
    if (reference === undefined) throw this.#changed(row);
    return reference;
  }

  #changed({ reference_id: id }: ReferenceRow): DamagedReference {
    return this.#damaged(Number(id), `an unchanged record of reference ${id}`, 'a wrong checksum');
  }

  #damaged(referenceId: ReferenceId, expected: string, got: string): DamagedReference {
    return new DamagedReference(referenceId, `Expected ${expected}, got ${got} [${this.#file}]`);
  }

  #run<T>(work: () => T): T {
    return withMapErrors(this.#file, work);
  }
}

function prepareStatements(database: Database.Database) {
  return {
    reference: database.prepare(`SELECT ${REFERENCE_COLUMNS} FROM reference WHERE reference_id = ?`).safeIntegers(),
    referencesAfter: database
      .prepare(`SELECT ${REFERENCE_COLUMNS} FROM reference WHERE reference_id > ? ORDER BY reference_id LIMIT 256`)
      .safeIntegers(),
    referencesOfPlace: database
      .prepare(
        `SELECT ${REFERENCE_COLUMNS} FROM reference WHERE place_id = ? AND reference_id > ? ORDER BY reference_id LIMIT 256`,
      )
      .safeIntegers(),
    descriptor: database.prepare(
      'SELECT crc, iif(length(data) = ?, data, NULL) AS data FROM descriptor WHERE reference_id = ?',
    ),
    thumbnail: database.prepare(
      'SELECT crc, iif(length(data) <= ?, data, NULL) AS data FROM thumbnail WHERE reference_id = ?',
    ),
  };
}
