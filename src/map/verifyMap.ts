import path from 'node:path';
import { MapExaminer } from './MapExaminer.js';
import type { MapProblem } from './MapProblemLog.js';

export interface MapVerification {
  readonly path: string;
  /** References that any table knows. */
  readonly references: number;
  /** References of which record, code, descriptor and thumbnail are whole. */
  readonly whole: number;
  readonly problems: readonly MapProblem[];
}

/**
 * Checks every byte of a map that carries meaning: pages, schema, meta, sessions, records, codes, descriptors,
 * thumbnails. A map is fine when `problems` is empty. Throws as PlaceMap.open does where the file is no map at all.
 */
export function verifyMap(file: string, onProgress?: (done: number, total: number) => void): MapVerification {
  const absolute = path.resolve(file);
  const examiner = new MapExaminer(absolute);
  try {
    examiner.checkPages();
    examiner.checkSmallTables();
    const known = new Set<number>();
    const damaged = new Set<number>();
    for (const { referenceId, record, descriptor, code } of examiner.references(onProgress)) {
      known.add(referenceId);
      if (record === undefined || descriptor === undefined || code === undefined) damaged.add(referenceId);
    }
    // A problem may name a reference that is none: a count or a thumbnail that is left of nothing.
    for (const { referenceId } of examiner.problems)
      if (referenceId !== undefined && known.has(referenceId)) damaged.add(referenceId);
    return { path: absolute, references: known.size, whole: known.size - damaged.size, problems: examiner.problems };
  } finally {
    examiner.close();
  }
}
