import type Database from 'better-sqlite3';
import { CODE_BYTES } from '../core/binaryCode.js';
import type { PlaceId, ReferenceId } from '../core/reference.js';
import { checksumOf } from './checksum.js';
import { hasTypes } from './hasTypes.js';
import type { MapProblemLog } from './MapProblemLog.js';
import { CODES_PER_BLOCK } from './mapSchema.js';

/** A code as it is stored, with the place that is stored beside it. */
export interface FoundCode {
  readonly placeId: PlaceId;
  readonly code: Uint8Array;
}

/** Codes by reference, from blocks and tail; a block is read even if its checksum is wrong: each code has its own. */
export function readStoredCodes(database: Database.Database, log: MapProblemLog): ReadonlyMap<ReferenceId, FoundCode> {
  const found = new Map<ReferenceId, FoundCode>();
  const firsts = log.attempt(
    'code_block',
    undefined,
    () => database.prepare('SELECT first_reference_id FROM code_block ORDER BY 1').pluck().all() as number[],
  );
  const block = database.prepare(
    `SELECT ids_crc, codes_crc, reference_ids, place_ids, codes FROM code_block WHERE first_reference_id = ? AND length(reference_ids) <= ${4 * CODES_PER_BLOCK} ` +
      `AND length(place_ids) = length(reference_ids) AND length(codes) = ${CODE_BYTES / 4} * length(reference_ids)`,
  );
  for (const first of firsts ?? [])
    log.attempt('code_block', undefined, () => readBlock(log, first, block.get(first), found));
  log.attempt('code_tail', undefined, () => {
    const rows = database.prepare(
      `SELECT reference_id AS id, place_id, crc, iif(length(code) = ${CODE_BYTES}, code, NULL) AS code FROM code_tail`,
    );
    for (const { id, place_id, crc, code } of rows.iterate() as Iterable<{
      id: number;
      place_id: number;
      crc: number;
      code: Buffer | null;
    }>) {
      if (!(code instanceof Uint8Array) || checksumOf(id, u32Bytes(place_id), code) !== crc)
        log.report('code_tail', id, `Expected an unchanged code of reference ${id}, got a wrong checksum`);
      if (code instanceof Uint8Array) keep(log, found, id, { placeId: place_id, code });
    }
  });
  return found;
}

function readBlock(log: MapProblemLog, first: number, row: unknown, found: Map<ReferenceId, FoundCode>): void {
  if (!hasTypes(row ?? {}, { reference_ids: 'blob', place_ids: 'blob', codes: 'blob' }))
    return log.report('code_block', undefined, `Expected a code block of fitting sizes at ${first}, got others`);
  const { ids_crc, codes_crc, reference_ids, place_ids, codes } = row as {
    ids_crc: number;
    codes_crc: number;
  } & Record<'reference_ids' | 'place_ids' | 'codes', Buffer>;
  const count = Math.floor(reference_ids.length / 4);
  if (checksumOf(first, reference_ids, place_ids) !== ids_crc)
    log.report('code_block', undefined, `Expected unchanged ids in the code block at ${first}, got a wrong checksum`);
  if (checksumOf(first, codes) !== codes_crc)
    log.report(
      'code_block',
      undefined,
      `Expected unchanged codes in the block at ${first} (${count} references), got a wrong checksum`,
    );
  let last = 0;
  for (let i = 0; i < count; i++) {
    const id = reference_ids.readUInt32LE(4 * i);
    if (id <= last || (i === 0 && id !== first))
      log.report('code_block', id, `Expected ascending ids in the code block at ${first}, got ${id} after ${last}`);
    last = id;
    keep(log, found, id, {
      placeId: place_ids.readUInt32LE(4 * i),
      code: codes.subarray(i * CODE_BYTES, (i + 1) * CODE_BYTES),
    });
  }
}

function keep(log: MapProblemLog, found: Map<ReferenceId, FoundCode>, id: ReferenceId, code: FoundCode): void {
  if (found.has(id)) log.report('code_block', id, `Expected one code of reference ${id}, got two`);
  else found.set(id, code);
}

function u32Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
