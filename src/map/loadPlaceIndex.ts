import type Database from 'better-sqlite3';
import { NO_PLACE } from '../core/reference.js';
import { VprError } from '../core/VprError.js';
import type { CodeTable } from './CodeTable.js';
import type { NextIds } from './MapMeta.js';
import { PlaceIndex } from './PlaceIndex.js';

/**
 * Places of all references of an opened map, and the ids that the next reference and place get.
 * next: what the map's meta says. Throws MAP_CORRUPT.
 */
export function loadPlaceIndex(
  database: Database.Database,
  codes: CodeTable,
  next: NextIds,
  file: string,
): { index: PlaceIndex; next: NextIds } {
  const index = new PlaceIndex();
  for (const { referenceIds, placeIds } of codes.ids()) {
    if (placeIds.includes(NO_PLACE))
      throw new VprError(
        'MAP_CORRUPT',
        `Expected a place for each reference, got none for reference ${referenceIds[placeIds.indexOf(NO_PLACE)]} [${file}]`,
      );
    index.append(referenceIds, placeIds);
  }
  const references = Number(database.prepare('SELECT count(*) FROM reference').pluck().get());
  // Another process may append between the two counts, so more references than codes are no damage here; verify compares each.
  if (references < index.size)
    throw new VprError(
      'MAP_CORRUPT',
      `Expected ${index.size} references, one for each code, got ${references} [${file}]`,
    );
  const lastPlace = Number(database.prepare('SELECT max(place_id) FROM reference').pluck().get() ?? 0);
  return {
    index,
    next: {
      referenceId: Math.max(next.referenceId, index.lastReferenceId + 1),
      placeId: Math.max(next.placeId, lastPlace + 1),
    },
  };
}
