import type Database from 'better-sqlite3';
import type { ReferenceId } from '../core/reference.js';
import { VprError } from '../core/VprError.js';
import { checksumOfMatches } from './checksum.js';
import { hasTypes } from './hasTypes.js';

/** How often a reference was accepted as a match. */
export interface MatchCount {
  readonly matches: number;
  /** Stamp of the query that matched last, nanoseconds. */
  readonly lastStampNs: bigint;
}

const INSERT = 'INSERT OR REPLACE INTO match_count (reference_id, matches, last_stamp_ns, crc) VALUES (?, ?, ?, ?)';

/** Counts of all references that ever matched, each checked. file: for the message. */
export function readMatchCounts(database: Database.Database, file: string): Map<ReferenceId, MatchCount> {
  const rows = database
    .prepare('SELECT reference_id, matches, last_stamp_ns, crc FROM match_count')
    .safeIntegers()
    .all() as Record<'reference_id' | 'matches' | 'last_stamp_ns' | 'crc', bigint>[];
  return new Map(
    rows.map((row) => {
      const [id, matches] = [Number(row.reference_id), Number(row.matches)];
      if (!isMatchRow(row) || checksumOfMatches(id, matches, row.last_stamp_ns) !== Number(row.crc))
        throw new VprError(
          'MAP_CORRUPT',
          `Expected an unchanged match count of reference ${id}, got a wrong checksum [${file}]`,
        );
      return [id, { matches, lastStampNs: row.last_stamp_ns }];
    }),
  );
}

/** False for a row that a damaged page made up. Rows are read with safe integers. */
export function isMatchRow(row: object): boolean {
  return hasTypes(row, { reference_id: 'bigint', matches: 'bigint', last_stamp_ns: 'bigint', crc: 'bigint' });
}

/** Adds one to the count of each reference, in one transaction. */
export function recordMatches(database: Database.Database, ids: readonly ReferenceId[], stampNs: bigint): void {
  const read = database.prepare('SELECT matches FROM match_count WHERE reference_id = ?').pluck();
  const insert = database.prepare(INSERT);
  const record = database.transaction(() => {
    for (const id of ids) {
      const matches = Math.min(2 ** 32 - 1, Number(read.get(id) ?? 0) + 1);
      insert.run(id, matches, stampNs, checksumOfMatches(id, matches, stampNs));
    }
  });
  record.immediate();
}

/** Writes the count of one reference. */
export function insertMatchCount(
  database: Database.Database,
  id: ReferenceId,
  { matches, lastStampNs }: MatchCount,
): void {
  database.prepare(INSERT).run(id, matches, lastStampNs, checksumOfMatches(id, matches, lastStampNs));
}
