import type Database from 'better-sqlite3';
import type { MapMeta } from './MapMeta.js';
import { MAP_FORMAT_VERSION } from './mapSchema.js';
import { TEMPORARY_MAP, type MapSummary } from './mapTypes.js';
import type { PlaceIndex } from './PlaceIndex.js';

/** What an open map is, in one record. */
export function summarizeMap(
  database: Database.Database,
  path: string,
  meta: MapMeta,
  index: Pick<PlaceIndex, 'size' | 'placeCount'>,
): MapSummary {
  const pragma = (name: string): number => Number(database.pragma(name, { simple: true }));
  return {
    path,
    formatVersion: MAP_FORMAT_VERSION,
    references: index.size,
    places: index.placeCount,
    sessions: Number(database.prepare('SELECT count(*) FROM session').pluck().get()),
    mapFrame: meta.mapFrame,
    poseKind: meta.poseKind,
    modelName: meta.modelName,
    modelSha256: meta.modelSha256,
    descriptorDimension: meta.descriptorDimension,
    storage: meta.storage,
    bytesOnDisk: path === TEMPORARY_MAP ? 0 : pragma('page_count') * pragma('page_size'),
    calibration: meta.calibration ?? '',
  };
}
