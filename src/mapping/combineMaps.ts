import type { BinaryCode } from '../core/binaryCode.js';
import type { Descriptor } from '../core/descriptor.js';
import type { PlaceId, Reference, ReferenceId } from '../core/reference.js';
import { VprError } from '../core/VprError.js';
import { checkMapModel, checkMapPoses, sameBinarizer, type MapMeta } from '../map/MapMeta.js';
import type { MapSession } from '../map/mapTypes.js';
import type { MatchCount } from '../map/matchCounts.js';
import { PlaceMap } from '../map/PlaceMap.js';
import type { StoredReference } from '../map/ReferenceWriter.js';
import { storedReferences } from '../map/storedReferences.js';
import { writeMap, type WriteMapOptions } from '../map/writeMap.js';
import { PlaceGrouper, type GroupingOptions } from './PlaceGrouper.js';
import { selectDiverse } from './selectDiverse.js';

/** Which places of a further map are places of the first: its place id -> the first map's. */
export type AssociatePlaces = (base: PlaceMap, other: PlaceMap) => ReadonlyMap<PlaceId, PlaceId>;

export interface MapSource {
  readonly file: string;
  /** References to take; all by default. */
  readonly keep?: (reference: Reference) => boolean;
}

export interface CombineOptions {
  /** pose: by the poses of references; or by a function (appearance); none: every place of a further map is new. */
  readonly associate: 'none' | { readonly pose: Pick<GroupingOptions, 'distanceM' | 'angleRad'> } | AssociatePlaces;
  /** References that a place keeps, the most diverse ones; no limit by default. */
  readonly maxPerPlace?: number;
  /** What the new map says differently of itself: another storage, another binarizer. */
  readonly meta?: Partial<Pick<MapMeta, 'storage' | 'binarizer'>>;
  /** Recodes every reference, with the new binarizer; the maps may then have codes of different ones. */
  readonly encode?: (descriptor: Descriptor) => BinaryCode;
  readonly target: WriteMapOptions['target'];
  readonly onProgress?: (done: number, total: number) => void;
}

export interface CombineResult {
  readonly references: number;
  readonly places: number;
  /** References of each source that are in the result. */
  readonly taken: readonly number[];
  /** Places of further sources that joined a place of the first. */
  readonly joinedPlaces: number;
  /** References that the limit of a place left out. */
  readonly overLimit: number;
}

/**
 * Writes one map from parts of one or more: merging, removing, replacing a region, recoding and changing the storage are
 * all this. References of the first source keep their ids, places and sessions; those of the others are added after them as
 * further sessions. The output is written aside, verified and swapped in (see writeMap).
 * Throws MAP_OTHER_MODEL and POSES_INVALID where the maps do not fit together, and what opening and writing maps throw.
 */
export function combineMaps(sources: readonly MapSource[], output: string, options: CombineOptions): CombineResult {
  let plan: CombinePlan | undefined;
  let total = 0;
  const references = writeMap(
    output,
    () => {
      const maps: PlaceMap[] = [];
      try {
        for (const { file } of sources) maps.push(PlaceMap.open(file, 'read'));
        plan = planCombination(maps, sources, options);
        total = plan.taken.reduce((sum, ids) => sum + ids.size, 0);
        return { content: contentOf(maps, plan, options), close: () => maps.forEach((map) => map.close()) };
      } catch (error) {
        maps.forEach((map) => map.close());
        throw error;
      }
    },
    {
      target: options.target,
      onVerify: (done, all) => options.onProgress?.(total + done, total + all),
    },
  );
  const { taken, joinedPlaces, overLimit } = plan!;
  const places = new Set(taken.flatMap((ids) => [...ids.values()])).size;
  return { references, places, taken: taken.map((ids) => ids.size), joinedPlaces, overLimit };
}

/** For each source the references that are taken, with the place that they get. */
interface CombinePlan {
  readonly taken: readonly Map<ReferenceId, PlaceId>[];
  readonly joinedPlaces: number;
  readonly overLimit: number;
  readonly nextPlaceId: PlaceId;
}

function planCombination(
  maps: readonly PlaceMap[],
  sources: readonly MapSource[],
  options: CombineOptions,
): CombinePlan {
  const [base, ...others] = maps;
  let nextPlaceId = base!.nextIds.placeId;
  const newPlaceId = (): PlaceId => nextPlaceId++;
  const grouper =
    typeof options.associate === 'object'
      ? new PlaceGrouper({ ...options.associate.pose, images: 1 }, newPlaceId)
      : undefined;
  const taken = [new Map<ReferenceId, PlaceId>()];
  const keepBase = sources[0]!.keep ?? (() => true);
  const anchored = new Set<PlaceId>();
  for (const reference of base!.references()) {
    if (!keepBase(reference)) continue;
    taken[0]!.set(reference.referenceId, reference.placeId);
    if (reference.pose === undefined || anchored.has(reference.placeId)) continue;
    anchored.add(reference.placeId);
    grouper?.addPlace(reference.placeId, reference.pose);
  }
  let joinedPlaces = 0;
  others.forEach((other, i) => {
    checkFits(base!, other, options.encode !== undefined);
    const known =
      typeof options.associate === 'function' ? new Map(options.associate(base!, other)) : new Map<PlaceId, PlaceId>();
    const alive = new Set(taken.flatMap((ids) => [...ids.values()]));
    const keep = sources[i + 1]!.keep ?? (() => true);
    const kept = [...other.references()].filter(keep);
    // One map has poses of one kind in one frame, however its places came together.
    if (kept.some(({ pose }) => pose !== undefined)) checkMapPoses(base!.meta, other.meta, other.path);
    const anchors = new Map<PlaceId, Reference>();
    for (const reference of kept)
      if (anchors.get(reference.placeId)?.pose === undefined) anchors.set(reference.placeId, reference);
    const ids = new Map<ReferenceId, PlaceId>();
    const joined = new Set<PlaceId>();
    for (const { referenceId, placeId: own } of kept) {
      // A place stays together: its first reference with a pose decides where all of it goes.
      let placeId = known.get(own);
      if (placeId === undefined) {
        const anchor = anchors.get(own)!;
        placeId = grouper !== undefined && anchor.pose !== undefined ? grouper.placeFor(anchor) : newPlaceId();
        known.set(own, placeId);
      }
      if (alive.has(placeId)) joined.add(own);
      ids.set(referenceId, placeId);
    }
    joinedPlaces += joined.size;
    taken.push(ids);
  });
  const before = taken.reduce((sum, ids) => sum + ids.size, 0);
  if (options.maxPerPlace !== undefined) limitPlaces(maps, taken, options.maxPerPlace);
  const after = taken.reduce((sum, ids) => sum + ids.size, 0);
  return { taken, joinedPlaces, overLimit: before - after, nextPlaceId };
}

/** Throws where two maps cannot become one. recoded: their codes may be others, none of them is kept. */
function checkFits(base: PlaceMap, other: PlaceMap, recoded: boolean): void {
  const { modelName: name, modelSha256: sha256, descriptorDimension, binarizer } = base.meta;
  checkMapModel(other.meta, { name, sha256, descriptorDimension }, other.path);
  if (!recoded && !sameBinarizer(other.meta.binarizer, binarizer))
    throw new VprError(
      'MAP_OTHER_MODEL',
      `Expected codes by the binarizer of ${base.path}, got others [${other.path}]`,
    );
}

/** Takes the less diverse references out of places that hold more than `most`. */
function limitPlaces(maps: readonly PlaceMap[], taken: readonly Map<ReferenceId, PlaceId>[], most: number): void {
  const places = new Map<PlaceId, { source: number; referenceId: ReferenceId }[]>();
  taken.forEach((ids, source) => {
    for (const [referenceId, placeId] of ids) {
      const members = places.get(placeId);
      if (members === undefined) places.set(placeId, [{ source, referenceId }]);
      else members.push({ source, referenceId });
    }
  });
  for (const members of places.values()) {
    if (members.length <= most) continue;
    const descriptors = members.map(({ source, referenceId }) => {
      const descriptor = new Float32Array(maps[source]!.dimension);
      maps[source]!.readDescriptors(Uint32Array.of(referenceId), descriptor);
      return descriptor;
    });
    const kept = new Set(selectDiverse(descriptors, most));
    members.forEach(({ source, referenceId }, i) => {
      if (!kept.has(i)) taken[source]!.delete(referenceId);
    });
  }
}

function contentOf(maps: readonly PlaceMap[], plan: CombinePlan, options: CombineOptions) {
  const base = maps[0]!;
  const offsets: number[] = [];
  const sessions: MapSession[] = [];
  let lastSession = 0;
  for (const map of maps) {
    offsets.push(lastSession);
    for (const session of map.sessions()) {
      const sessionId = session.sessionId + offsets[offsets.length - 1]!;
      sessions.push({ ...session, sessionId });
      lastSession = Math.max(lastSession, sessionId);
    }
  }
  const matches = new Map<ReferenceId, MatchCount>();
  const total = plan.taken.reduce((sum, ids) => sum + ids.size, 0);
  let nextReferenceId = base.nextIds.referenceId;
  let done = 0;
  function* references(): Generator<StoredReference> {
    for (const [source, map] of maps.entries()) {
      const counts = map.matchCounts();
      for (const reference of storedReferences(map)) {
        const placeId = plan.taken[source]!.get(reference.referenceId);
        if (placeId === undefined) continue;
        const referenceId = source === 0 ? reference.referenceId : nextReferenceId++;
        const count = counts.get(reference.referenceId);
        if (count !== undefined) matches.set(referenceId, count);
        options.onProgress?.(++done, 2 * total);
        yield {
          ...reference,
          referenceId,
          placeId,
          sessionId: reference.sessionId + offsets[source]!,
          ...(options.encode === undefined ? {} : { code: options.encode(reference.descriptor) }),
        };
      }
    }
  }
  // A calibration belongs to the map that it was fitted on; a merged one has another density of places.
  const { calibration, ...meta } = base.meta;
  const keepsCalibration = maps.length === 1 && calibration !== undefined;
  return {
    meta: { ...meta, ...(keepsCalibration ? { calibration } : {}), ...options.meta },
    sessions,
    references: references(),
    nextIds: { referenceId: base.nextIds.referenceId, placeId: plan.nextPlaceId },
    matches,
  };
}
