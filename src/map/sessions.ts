import type Database from 'better-sqlite3';
import { VprError } from '../core/VprError.js';
import { checksumOfTexts } from './checksum.js';
import { hasTypes } from './hasTypes.js';
import type { MapSession } from './mapTypes.js';
import { checkMapText } from './ReferenceWriter.js';

/** Sessions of a map, ascending ids, each checked. file: for the message. */
export function readSessions(database: Database.Database, file: string): MapSession[] {
  const rows = database.prepare('SELECT session_id, name, source, crc FROM session ORDER BY session_id').all() as {
    session_id: number;
    name: string;
    source: string;
    crc: number;
  }[];
  return rows.map(({ session_id: sessionId, name, source, crc }) => {
    if (!isSessionRow({ name, source }) || checksumOfTexts(sessionId, name, source) !== crc)
      throw new VprError(
        'MAP_CORRUPT',
        `Expected an unchanged record of session ${sessionId}, got a wrong checksum [${file}]`,
      );
    return { sessionId, name, source };
  });
}

/** A camera that took references of a session. */
export interface SessionCamera {
  readonly sessionId: number;
  readonly camera: string;
}

/** Each camera of each session once, as the records have them; these are not checked. */
export function readSessionCameras(database: Database.Database): SessionCamera[] {
  return database.prepare('SELECT DISTINCT session_id AS sessionId, camera FROM reference').all() as SessionCamera[];
}

/** False for a row that a damaged page made up. */
export function isSessionRow(row: object): boolean {
  return hasTypes(row, { name: 'string', source: 'string' });
}

/** Writes the record of a session. */
export function insertSession(database: Database.Database, { sessionId, name, source }: MapSession): void {
  checkMapText('session name', name);
  checkMapText('session source', source);
  database
    .prepare('INSERT INTO session (session_id, name, source, crc) VALUES (?, ?, ?, ?)')
    .run(sessionId, name, source, checksumOfTexts(sessionId, name, source));
}

/** Adds a session after the last one; returns its id. */
export function addSession(database: Database.Database, name: string, source: string): number {
  const add = database.transaction(() => {
    const sessionId = 1 + Number(database.prepare('SELECT max(session_id) FROM session').pluck().get() ?? 0);
    insertSession(database, { sessionId, name, source });
    return sessionId;
  });
  return add.immediate();
}
