import { existsSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BinaryCode } from '../core/binaryCode.js';
import type { Descriptor } from '../core/descriptor.js';
import { VprError } from '../core/VprError.js';
import type { OpenModel } from '../inference/openModel.js';
import { checkMapModel, checkMapPoses, type MapMeta, type MapPoses, type PoseKind } from '../map/MapMeta.js';
import { PlaceMap } from '../map/PlaceMap.js';
import { createPlaceSearch } from '../search/createPlaceSearch.js';
import type { PlaceSearch } from '../search/PlaceSearch.js';
import { mapEncoder } from './mapEncoder.js';
import type { RecognizerMode } from './protocol.js';

/** A map that answers: its file, and the search over its codes. */
export interface OpenMap {
  readonly map: PlaceMap;
  readonly search: PlaceSearch;
  /** Codes of queries, where the map has a projection of its own. */
  readonly encode?: (descriptor: Descriptor) => BinaryCode;
  close(): Promise<void>;
}

export interface OpenMapOptions {
  readonly mode: RecognizerMode;
  readonly cacheMb: number;
  /** 0: one. */
  readonly threads: number;
  /** Of a new map. */
  readonly storage: 'f32' | 'f16' | 'int8';
  readonly mapFrame: string;
  /** Of a new map; mapFromBase by default. */
  readonly poseKind?: PoseKind;
  /** Of the images that are to come into the map, where they have poses: a new map is of their frames, one that differs is refused. */
  readonly poses?: MapPoses;
  /** A file that is not there is made; false: it is an error in every mode. */
  readonly mayCreate: boolean;
}

/**
 * Opens a map for a model, or an empty one in memory (in mapping and slam mode a file that is not there yet is created
 * where `mayCreate` says so),
 * and loads its codes block by block, letting other work of this
 * thread run between two. Throws MAP_* errors; MAP_OTHER_MODEL, POSES_INVALID with both names.
 */
export async function openMap(path: string | undefined, model: OpenModel, options: OpenMapOptions): Promise<OpenMap> {
  const map =
    path === undefined ? PlaceMap.createTemporary(newMapMeta(model, options)) : openFile(path, model, options);
  try {
    const search = createPlaceSearch({
      store: map,
      cacheBytes: options.cacheMb * 2 ** 20,
      ...(options.threads === 0 ? {} : { threads: options.threads }),
    });
    for (const { referenceIds, codes } of map.codes()) {
      search.addBlock(referenceIds, codes);
      await nextTurn();
    }
    const encode = mapEncoder(map.meta);
    return {
      map,
      search,
      ...(encode === undefined ? {} : { encode }),
      async close() {
        try {
          await search.close();
        } finally {
          map.close();
        }
      },
    };
  } catch (error) {
    map.close();
    throw error;
  }
}

function openFile(path: string, model: OpenModel, options: OpenMapOptions): PlaceMap {
  const { mode, mayCreate } = options;
  if (mayCreate && mode !== 'localization' && !existsSync(path))
    return PlaceMap.create(path, newMapMeta(model, options));
  const map = PlaceMap.open(path, mode === 'localization' ? 'read' : 'append');
  try {
    checkMapModel(map.meta, modelIdentity(model), map.path);
    if (options.poses !== undefined && mode !== 'localization') checkMapPoses(map.meta, options.poses, map.path);
    return map;
  } catch (error) {
    map.close();
    throw error;
  }
}

export function modelIdentity({ manifest, sha256 }: OpenModel): {
  name: string;
  sha256: string;
  descriptorDimension: number;
} {
  return { name: manifest.name, sha256, descriptorDimension: manifest.descriptorDimension };
}

/** Meta of a map that begins with this model. */
export function newMapMeta(
  model: OpenModel,
  options: Pick<OpenMapOptions, 'storage' | 'mapFrame' | 'poseKind' | 'poses'>,
): MapMeta {
  return {
    modelName: model.manifest.name,
    modelSha256: model.sha256,
    descriptorDimension: model.manifest.descriptorDimension,
    storage: options.storage,
    mapFrame: options.poses?.mapFrame || options.mapFrame,
    poseKind: options.poses?.poseKind ?? options.poseKind ?? 'mapFromBase',
    childFrame: options.poses?.childFrame ?? '',
    binarizer: { kind: 'model' },
  };
}

/** Throws MAP_READ_ONLY: what a fixed map cannot do. */
export function refuseInLocalization(mode: RecognizerMode, what: string): void {
  if (mode === 'localization')
    throw new VprError('MAP_READ_ONLY', `Expected mode mapping or slam for ${what}, got localization`);
}
