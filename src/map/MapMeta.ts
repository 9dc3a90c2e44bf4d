import type Database from 'better-sqlite3';
import { CODE_BITS } from '../core/binaryCode.js';
import { VprError } from '../core/VprError.js';
import { checksumOf, checksumOfTexts } from './checksum.js';
import { DESCRIPTOR_STORAGES, type DescriptorStorage } from './descriptorCodec.js';
import { hasTypes } from './hasTypes.js';
import { MAX_DIMENSION } from './mapSchema.js';

/** Whose pose a reference carries: the base's (pose topics) or the camera's own (image folders). */
export type PoseKind = 'mapFromBase' | 'mapFromCamera';

/**
 * How descriptors of this map become codes. model: as the model itself does (hash branch or its default projection);
 * projection: by this map's own matrix, bit i = projection[i] . (descriptor - mean) >= 0.
 */
export type MapBinarizer =
  | { readonly kind: 'model' }
  | {
      readonly kind: 'projection';
      /** [512, D] row-major. */
      readonly projection: Float32Array;
      /** [D], or none for zero. */
      readonly mean?: Float32Array;
    };

/** Whether codes by the one can be compared with codes by the other, in maps of one model. */
export function sameBinarizer(a: MapBinarizer, b: MapBinarizer): boolean {
  if (a.kind === 'model' || b.kind === 'model') return a.kind === b.kind;
  const same = (x: Float32Array | undefined, y: Float32Array | undefined): boolean =>
    x?.length === y?.length && (x ?? []).every((value, i) => value === y![i]);
  return same(a.projection, b.projection) && same(a.mean, b.mean);
}

/** What a map says of itself. */
export interface MapMeta {
  readonly modelName: string;
  readonly modelSha256: string;
  /** D of every descriptor. */
  readonly descriptorDimension: number;
  readonly storage: DescriptorStorage;
  /** tf name of the frame that poses are in: "map". */
  readonly mapFrame: string;
  readonly poseKind: PoseKind;
  /** tf name of the frame whose pose it is ("base_link"); empty when unknown. */
  readonly childFrame: string;
  readonly binarizer: MapBinarizer;
  /** Calibration fitted on this map, JSON; none: the model's default applies. */
  readonly calibration?: string;
}

/** What poses are of, and in which frames. */
export type MapPoses = Pick<MapMeta, 'poseKind' | 'mapFrame' | 'childFrame'>;

/** Ids below these were given out once, even if their references were removed since. */
export interface NextIds {
  readonly referenceId: number;
  readonly placeId: number;
}

type Entries = Record<string, string>;

function entriesOf(meta: MapMeta, next: NextIds): Entries {
  return {
    modelName: meta.modelName,
    modelSha256: meta.modelSha256,
    descriptorDimension: String(meta.descriptorDimension),
    storage: meta.storage,
    mapFrame: meta.mapFrame,
    poseKind: meta.poseKind,
    childFrame: meta.childFrame,
    binarizer: meta.binarizer.kind,
    nextReferenceId: String(next.referenceId),
    nextPlaceId: String(next.placeId),
    ...(meta.calibration === undefined ? {} : { calibration: meta.calibration }),
  };
}

/** Little-endian bytes of a matrix; this package runs on little-endian machines only. */
function bytesOf(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

/** Throws RangeError where a meta could not be read back. */
export function checkMeta(meta: MapMeta): void {
  const dimension = meta.descriptorDimension;
  if (!Number.isInteger(dimension) || dimension < 1 || dimension > MAX_DIMENSION)
    throw new RangeError(`Expected 1...${MAX_DIMENSION} for the descriptor dimension, got ${dimension}`);
  if (!/^[0-9a-f]{64}$/.test(meta.modelSha256))
    throw new RangeError(`Expected 64 hex digits for the model's sha256, got '${meta.modelSha256}'`);
  if (meta.binarizer.kind === 'projection') {
    if (meta.binarizer.projection.length !== CODE_BITS * dimension)
      throw new RangeError(
        `Expected ${CODE_BITS} x ${dimension} projection values, got ${meta.binarizer.projection.length}`,
      );
    if (meta.binarizer.mean !== undefined && meta.binarizer.mean.length !== dimension)
      throw new RangeError(`Expected ${dimension} mean values, got ${meta.binarizer.mean.length}`);
  }
  if (meta.calibration !== undefined) JSON.parse(meta.calibration);
}

/** Writes the meta rows of a new map. Runs inside the caller's transaction. */
export function writeMeta(database: Database.Database, meta: MapMeta, next: NextIds): void {
  checkMeta(meta);
  for (const [key, value] of Object.entries(entriesOf(meta, next))) writeMetaEntry(database, key, value);
  if (meta.binarizer.kind !== 'projection') return;
  const insert = database.prepare('INSERT OR REPLACE INTO binarizer (name, data, crc) VALUES (?, ?, ?)');
  const matrices = { projection: meta.binarizer.projection, mean: meta.binarizer.mean };
  for (const [name, values] of Object.entries(matrices)) {
    if (values === undefined) continue;
    const bytes = bytesOf(values);
    insert.run(name, bytes, checksumOf(0, Buffer.from(name), bytes));
  }
}

export function writeMetaEntry(database: Database.Database, key: string, value: string): void {
  database
    .prepare('INSERT OR REPLACE INTO meta (key, value, crc) VALUES (?, ?, ?)')
    .run(key, value, checksumOfTexts(0, key, value));
}

/** A matrix of the binarizer; undefined: there is none. Throws MAP_CORRUPT where it is not whole. */
export function readMatrix(
  database: Database.Database,
  name: string,
  length: number,
  file: string,
): Float32Array | undefined {
  const row = database
    .prepare(
      'SELECT length(data) AS bytes, crc, iif(length(data) = ?, data, NULL) AS data FROM binarizer WHERE name = ?',
    )
    .get(length * 4, name) as { bytes: number; crc: number; data: Buffer | null } | undefined;
  if (row === undefined) return undefined;
  if (!(row.data instanceof Uint8Array))
    throw new VprError(
      'MAP_CORRUPT',
      `Expected ${length * 4} bytes for the binarizer's ${name}, got ${row.bytes} [${file}]`,
    );
  if (checksumOf(0, Buffer.from(name), row.data) !== row.crc)
    throw new VprError(
      'MAP_CORRUPT',
      `Expected an unchanged ${name} of the binarizer, got a wrong checksum [${file}, binarizer]`,
    );
  const values = new Float32Array(length);
  bytesOf(values).set(row.data);
  return values;
}

/** Reads and checks the meta rows. Throws MAP_CORRUPT naming the key. Unknown keys are left alone: newer writers may add some. */
export function readMeta(database: Database.Database, file: string): { meta: MapMeta; next: NextIds } {
  const rows = database.prepare('SELECT key, substr(value, 1, 4000000) AS value, crc FROM meta LIMIT 10000').all() as {
    key: string;
    value: string;
    crc: number;
  }[];
  const entries = new Map<string, string>();
  for (const { key, value, crc } of rows) {
    if (!hasTypes({ key, value }, { key: 'string', value: 'string' }) || checksumOfTexts(0, key, value) !== crc)
      throw new VprError('MAP_CORRUPT', `Expected an unchanged '${key}', got a wrong checksum [${file}, meta]`);
    entries.set(key, value);
  }
  const text = (key: string): string => {
    const value = entries.get(key);
    if (value === undefined) throw new VprError('MAP_CORRUPT', `Expected '${key}', got nothing [${file}, meta]`);
    return value;
  };
  const choice = <T extends string>(key: string, choices: readonly T[]): T => {
    const value = choices.find((known) => known === text(key));
    if (value === undefined)
      throw new VprError(
        'MAP_CORRUPT',
        `Expected ${choices.join(' | ')} for '${key}', got '${text(key).slice(0, 60)}' [${file}, meta]`,
      );
    return value;
  };
  const integer = (key: string, most: number): number => {
    const value = Number(text(key));
    if (!Number.isInteger(value) || value < 1 || value > most)
      throw new VprError(
        'MAP_CORRUPT',
        `Expected 1...${most} for '${key}', got '${text(key).slice(0, 60)}' [${file}, meta]`,
      );
    return value;
  };
  const dimension = integer('descriptorDimension', MAX_DIMENSION);
  let binarizer: MapBinarizer = { kind: 'model' };
  if (choice('binarizer', ['model', 'projection']) === 'projection') {
    const projection = readMatrix(database, 'projection', CODE_BITS * dimension, file);
    if (projection === undefined)
      throw new VprError('MAP_CORRUPT', `Expected the binarizer's projection, got nothing [${file}, binarizer]`);
    const mean = readMatrix(database, 'mean', dimension, file);
    binarizer = { kind: 'projection', projection, ...(mean === undefined ? {} : { mean }) };
  }
  const calibration = entries.get('calibration');
  return {
    meta: {
      modelName: text('modelName'),
      modelSha256: text('modelSha256'),
      descriptorDimension: dimension,
      storage: choice('storage', DESCRIPTOR_STORAGES),
      mapFrame: text('mapFrame'),
      poseKind: choice('poseKind', ['mapFromBase', 'mapFromCamera']),
      childFrame: text('childFrame'),
      binarizer,
      ...(calibration === undefined ? {} : { calibration }),
    },
    next: { referenceId: integer('nextReferenceId', 2 ** 32), placeId: integer('nextPlaceId', 2 ** 32) },
  };
}

/**
 * Refuses poses that cannot stand beside those of a map: of the camera beside the base's, or in another frame. A frame that
 * either does not name ('') is not compared. where: of the poses, for the message. Throws POSES_INVALID with both.
 */
export function checkMapPoses(meta: MapPoses, poses: MapPoses, where: string): void {
  const agree = (a: string, b: string): boolean => a === '' || b === '' || a === b;
  if (
    meta.poseKind === poses.poseKind &&
    agree(meta.mapFrame, poses.mapFrame) &&
    agree(meta.childFrame, poses.childFrame)
  )
    return;
  const describe = ({ poseKind, mapFrame, childFrame }: MapPoses): string =>
    `${poseKind} in frame '${mapFrame}'${childFrame === '' ? '' : ` of '${childFrame}'`}`;
  throw new VprError(
    'POSES_INVALID',
    `Expected poses as the map has them, ${describe(meta)}, got ${describe(poses)} [${where}]`,
  );
}

/**
 * Refuses a map that was built with another model: its descriptors would compare as noise.
 * Throws MAP_OTHER_MODEL with both names.
 */
export function checkMapModel(
  meta: MapMeta,
  model: { readonly name: string; readonly sha256: string; readonly descriptorDimension: number },
  file: string,
): void {
  if (meta.modelSha256 === model.sha256 && meta.descriptorDimension === model.descriptorDimension) return;
  const describe = (name: string, sha256: string, dimension: number): string =>
    `'${name}' (${dimension} values, sha256 ${sha256.slice(0, 12)})`;
  throw new VprError(
    'MAP_OTHER_MODEL',
    `Expected a map built with the model ${describe(model.name, model.sha256, model.descriptorDimension)}, ` +
      `got one built with ${describe(meta.modelName, meta.modelSha256, meta.descriptorDimension)} [${file}]`,
  );
}
