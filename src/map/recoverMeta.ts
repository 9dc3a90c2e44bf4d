import type Database from 'better-sqlite3';
import { CODE_BITS } from '../core/binaryCode.js';
import { checksumOf, checksumOfTexts } from './checksum.js';
import { decodeDescriptor, DESCRIPTOR_STORAGES, storedBytes, type DescriptorStorage } from './descriptorCodec.js';
import { isUnitNorm } from './isUnitNorm.js';
import type { MapProblemLog } from './MapProblemLog.js';
import { readMatrix, type MapBinarizer, type MapMeta, type NextIds } from './MapMeta.js';
import { MAX_DIMENSION } from './mapSchema.js';

/** Descriptors that are looked at to find out how they are stored. */
const SAMPLES = 50;

/** The meta of a map whose own record of it is damaged. */
export interface RecoveredMeta {
  readonly meta: MapMeta;
  /** 1 where it is lost: then what the references tell is all that is known. */
  readonly next: NextIds;
  /** Keys that are lost and cannot be found out; the meta has a stand-in that no map should be written with. */
  readonly lost: readonly ('modelName' | 'modelSha256' | 'binarizer')[];
}

interface Layout {
  readonly storage: DescriptorStorage;
  readonly dimension: number;
}

/**
 * Puts a meta together from the keys that are whole; dimension and storage, where lost, from the descriptors themselves: only
 * under the right ones have they norm 1. Frames that are lost become the usual ones. Undefined: no layout fits.
 */
export function recoverMeta(database: Database.Database, log: MapProblemLog, file: string): RecoveredMeta | undefined {
  const row = database.prepare('SELECT substr(value, 1, 4000000) AS value, crc FROM meta WHERE key = ?');
  const whole = (key: string): string | undefined =>
    log.attempt('meta', undefined, () => {
      const found = row.get(key) as { value: unknown; crc: number } | undefined;
      return typeof found?.value === 'string' && checksumOfTexts(0, key, found.value) === found.crc
        ? found.value
        : undefined;
    });
  const storage = DESCRIPTOR_STORAGES.find((one) => one === whole('storage'));
  const dimension = Number(whole('descriptorDimension') ?? NaN);
  const layout =
    storage !== undefined && dimension >= 1 && dimension <= MAX_DIMENSION
      ? { storage, dimension }
      : log.attempt('descriptor', undefined, () => layoutOf(database, storage, dimension));
  if (layout === undefined) return undefined;
  const binarizer = log.attempt('binarizer', undefined, () =>
    binarizerOf(database, whole('binarizer'), layout.dimension, file),
  );
  const [modelName, modelSha256, calibration] = [whole('modelName'), whole('modelSha256'), whole('calibration')];
  const idOf = (key: string): number => {
    const id = Number(whole(key));
    return Number.isInteger(id) && id >= 1 && id <= 2 ** 32 ? id : 1;
  };
  const lost = Object.entries({ modelName, modelSha256, binarizer }).filter(([, value]) => value === undefined);
  return {
    meta: {
      modelName: modelName ?? 'unknown',
      modelSha256: modelSha256 ?? '0'.repeat(64),
      descriptorDimension: layout.dimension,
      storage: layout.storage,
      mapFrame: whole('mapFrame') ?? 'map',
      poseKind: whole('poseKind') === 'mapFromCamera' ? 'mapFromCamera' : 'mapFromBase',
      childFrame: whole('childFrame') ?? '',
      binarizer: binarizer ?? { kind: 'model' },
      ...(calibration === undefined ? {} : { calibration }),
    },
    next: { referenceId: idOf('nextReferenceId'), placeId: idOf('nextPlaceId') },
    lost: lost.map(([key]) => key as RecoveredMeta['lost'][number]),
  };
}

function dimensionOf(storage: DescriptorStorage, bytes: number): number {
  switch (storage) {
    case 'f32':
      return bytes / 4;
    case 'f16':
      return bytes / 2;
    case 'int8':
      return bytes - 4;
  }
}

function layoutOf(
  database: Database.Database,
  storage: DescriptorStorage | undefined,
  dimension: number,
): Layout | undefined {
  const rows = (
    database.prepare('SELECT reference_id AS id, crc, data FROM descriptor LIMIT ?').all(SAMPLES) as {
      id: number;
      crc: number;
      data: Uint8Array;
    }[]
  ).filter(({ id, crc, data }) => data.length <= 4 * MAX_DIMENSION && checksumOf(id, data) === crc);
  const [first] = rows;
  if (first === undefined) return undefined;
  const candidates = (storage === undefined ? DESCRIPTOR_STORAGES : [storage])
    .map((one) => ({ storage: one, dimension: dimensionOf(one, first.data.length) }))
    .filter(
      (one) =>
        Number.isInteger(one.dimension) &&
        one.dimension >= 1 &&
        one.dimension <= MAX_DIMENSION &&
        (Number.isNaN(dimension) || one.dimension === dimension),
    );
  const fits = (one: Layout, data: Uint8Array): boolean => {
    if (data.length !== storedBytes(one.storage, one.dimension)) return false;
    const descriptor = new Float32Array(one.dimension);
    decodeDescriptor(one.storage, data, one.dimension, descriptor, 0);
    return isUnitNorm(descriptor);
  };
  return candidates.find((one) => rows.filter(({ data }) => fits(one, data)).length > rows.length / 2);
}

/** Throws MAP_CORRUPT where a matrix is damaged; undefined where one is due and missing. */
function binarizerOf(
  database: Database.Database,
  kind: string | undefined,
  dimension: number,
  file: string,
): MapBinarizer | undefined {
  if (kind === 'model') return { kind };
  const projection = readMatrix(database, 'projection', CODE_BITS * dimension, file);
  if (projection === undefined) return kind === 'projection' ? undefined : { kind: 'model' };
  const mean = readMatrix(database, 'mean', dimension, file);
  return { kind: 'projection', projection, ...(mean === undefined ? {} : { mean }) };
}
