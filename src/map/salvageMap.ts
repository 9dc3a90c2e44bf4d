import { VprError } from '../core/VprError.js';
import type { MapExaminer } from './MapExaminer.js';
import type { MapSession } from './mapTypes.js';
import type { StoredReference } from './ReferenceWriter.js';
import { writeMap } from './writeMap.js';

/**
 * Writes everything that is whole of a damaged map as a new map: ids and places stay; a reference that lost only its
 * thumbnail stays without one. Returns the number of references kept.
 * Throws MAP_CORRUPT where the meta itself is damaged: then nothing can be decoded.
 */
export function salvageMap(
  examiner: MapExaminer,
  target: string,
  onProgress?: (done: number, total: number) => void,
): number {
  const { meta } = examiner;
  if (meta === undefined)
    throw new VprError(
      'MAP_CORRUPT',
      `Expected a readable meta, got: ${examiner.problems[0]?.sentence ?? 'none'} [${examiner.path}]`,
    );
  const sessionIds = new Set<number>();
  function* whole(): Generator<StoredReference> {
    for (const { record, descriptor, code, thumbnail } of examiner.references(onProgress)) {
      if (record === undefined || descriptor === undefined || code === undefined) continue;
      sessionIds.add(record.sessionId);
      yield { ...record, descriptor, code, ...(thumbnail === undefined ? {} : { thumbnail }) };
    }
  }
  const references = whole();
  const known = new Map(examiner.sessions().map((session) => [session.sessionId, session]));
  // A lazy list: which sessions are needed is known when the references are through.
  const sessions: Iterable<MapSession> = {
    *[Symbol.iterator]() {
      for (const [id, session] of known) if (!sessionIds.has(id)) yield session;
      for (const sessionId of sessionIds)
        yield known.get(sessionId) ?? { sessionId, name: `session ${sessionId}`, source: 'record lost' };
    },
  };
  return writeMap(target, () => ({ content: { meta, sessions, references }, close: () => undefined }), {
    target: 'new',
  });
}
