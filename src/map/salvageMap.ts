import { VprError } from '../core/VprError.js';
import type { MapExaminer } from './MapExaminer.js';
import type { MapMeta } from './MapMeta.js';
import type { MapSession } from './mapTypes.js';
import type { StoredReference } from './ReferenceWriter.js';
import { writeMap } from './writeMap.js';

/** The meta of an examined map. Throws MAP_CORRUPT where too little is left to tell how its descriptors are stored. */
export function knownMeta({ meta, problems, path }: MapExaminer): MapMeta {
  if (meta !== undefined) return meta;
  throw new VprError('MAP_CORRUPT', `Expected a readable meta, got: ${problems[0]?.sentence ?? 'none'} [${path}]`);
}

/**
 * Writes everything that is whole of a damaged map as a new map: ids, places and match counts stay, and ids of lost
 * references are not given out again; a reference that lost only its thumbnail stays without one. Returns the number of references kept.
 * model: of the map, for one whose own record of it is damaged.
 * Throws MAP_CORRUPT where the model is lost and not given, the binarizer is lost (without it no query can be coded), or not
 * one descriptor is left to see how they are stored.
 */
export function salvageMap(
  examiner: MapExaminer,
  target: string,
  {
    model,
    onProgress,
  }: {
    readonly model?: Pick<MapMeta, 'modelName' | 'modelSha256'>;
    readonly onProgress?: (done: number, total: number) => void;
  } = {},
): number {
  const meta = { ...knownMeta(examiner), ...model };
  const lost = examiner.lostMeta.filter((key) => key === 'binarizer' || model === undefined);
  if (lost.length > 0)
    throw new VprError(
      'MAP_CORRUPT',
      `Expected ${lost.includes('binarizer') ? 'a whole binarizer' : 'the model of the map to be named'} for a new map, got a damaged meta without ${lost.join(', ')} [${examiner.path}]`,
    );
  const sessionIds = new Set<number>();
  let [referenceId, placeId] = [examiner.nextIds.referenceId, examiner.nextIds.placeId];
  function* whole(): Generator<StoredReference> {
    for (const { referenceId: id, record, descriptor, code, thumbnail } of examiner.references(onProgress)) {
      // Only an id under a whole checksum: a made-up one could use up all that are left.
      if (record !== undefined || descriptor !== undefined) referenceId = Math.max(referenceId, id + 1);
      if (record !== undefined) placeId = Math.max(placeId, record.placeId + 1);
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
  const content = {
    meta,
    sessions,
    references,
    get nextIds() {
      return { referenceId, placeId };
    },
    matches: examiner.matchCounts(),
  };
  return writeMap(target, () => ({ content, close: () => undefined }), { target: 'new' });
}
