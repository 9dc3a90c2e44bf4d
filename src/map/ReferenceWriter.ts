import type Database from 'better-sqlite3';
import { CODE_BYTES } from '../core/binaryCode.js';
import { isFinitePose } from '../core/pose.js';
import type { NewReference, ReferenceId } from '../core/reference.js';
import { VprError } from '../core/VprError.js';
import { checksumOf, checksumOfReference } from './checksum.js';
import type { CodeTable } from './CodeTable.js';
import { encodeDescriptor } from './descriptorCodec.js';
import type { MapMeta } from './MapMeta.js';
import { MAX_TEXT_BYTES, MAX_THUMBNAIL_BYTES } from './mapSchema.js';
import { REFERENCE_COLUMNS } from './referenceRow.js';

/** A reference with the id and session that it has in a map. */
export interface StoredReference extends NewReference {
  readonly referenceId: ReferenceId;
  readonly sessionId: number;
}

/** Writes references into the tables of a map. Runs inside the caller's transactions. */
export class ReferenceWriter {
  readonly #meta: MapMeta;
  readonly #codes: CodeTable;
  readonly #reference: Database.Statement;
  readonly #descriptor: Database.Statement;
  readonly #thumbnail: Database.Statement;

  constructor(database: Database.Database, meta: MapMeta, codes: CodeTable) {
    this.#meta = meta;
    this.#codes = codes;
    this.#reference = database.prepare(
      `INSERT INTO reference (${REFERENCE_COLUMNS}) VALUES (${Array(16).fill('?').join(', ')})`,
    );
    this.#descriptor = database.prepare('INSERT INTO descriptor (reference_id, crc, data) VALUES (?, ?, ?)');
    this.#thumbnail = database.prepare('INSERT INTO thumbnail (reference_id, crc, data) VALUES (?, ?, ?)');
  }

  /** Appends one; ids ascend. Throws RangeError or VprError where the format has no room for it (see `check`). */
  append(reference: StoredReference): void {
    this.check(reference);
    const { referenceId, pose, thumbnail, code } = reference;
    const codeCrc = checksumOf(referenceId, code);
    this.#reference.run(
      referenceId,
      reference.placeId,
      reference.sessionId,
      reference.camera,
      reference.label,
      reference.stampNs,
      ...(pose?.position ?? [null, null, null]),
      ...(pose?.orientation ?? [null, null, null, null]),
      thumbnail === undefined ? 0 : 1,
      codeCrc,
      checksumOfReference(reference, codeCrc, thumbnail !== undefined),
    );
    const stored = encodeDescriptor(this.#meta.storage, reference.descriptor);
    this.#descriptor.run(referenceId, checksumOf(referenceId, stored), stored);
    if (thumbnail !== undefined) this.#thumbnail.run(referenceId, checksumOf(referenceId, thumbnail), thumbnail);
    this.#codes.append(referenceId, reference.placeId, code);
  }

  /** Throws where a reference does not fit the format: RangeError for a caller's bug, VprError for outside data. */
  check(reference: NewReference): void {
    const { placeId, code, descriptor, thumbnail, pose } = reference;
    const dimension = this.#meta.descriptorDimension;
    if (!Number.isInteger(placeId) || placeId < 1 || placeId >= 2 ** 32)
      throw new RangeError(`Expected a place id 1...${2 ** 32 - 1}, got ${placeId}`);
    if (code.length !== CODE_BYTES)
      throw new RangeError(`Expected ${CODE_BYTES} bytes for the code, got ${code.length}`);
    if (descriptor.length !== dimension)
      throw new RangeError(`Expected ${dimension} values for the descriptor, got ${descriptor.length}`);
    if (!descriptor.every(Number.isFinite))
      throw new VprError(
        'MODEL_OUTPUT_INVALID',
        `Expected finite descriptor values for '${reference.label}', got NaN or infinity`,
      );
    if (thumbnail !== undefined && thumbnail.length > MAX_THUMBNAIL_BYTES)
      throw new RangeError(`Expected ${MAX_THUMBNAIL_BYTES} bytes at most for the thumbnail, got ${thumbnail.length}`);
    if (pose !== undefined && !isFinitePose(pose))
      throw new VprError('POSES_INVALID', `Expected a finite pose for '${reference.label}', got NaN or infinity`);
    if (BigInt.asIntN(64, reference.stampNs) !== reference.stampNs)
      throw new RangeError(`Expected a stamp of 64 bits, got ${reference.stampNs}`);
    checkMapText('label', reference.label);
    checkMapText('camera name', reference.camera);
  }
}

/** Throws ARGUMENT_INVALID where a text is longer than the format allows. */
export function checkMapText(what: string, text: string): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_TEXT_BYTES)
    throw new VprError('ARGUMENT_INVALID', `Expected ${MAX_TEXT_BYTES} bytes at most for a ${what}, got ${bytes}`);
}
