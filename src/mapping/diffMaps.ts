import { angleBetween, distanceBetween } from '../core/pose.js';
import type { Reference, ReferenceId } from '../core/reference.js';
import type { MapMeta } from '../map/MapMeta.js';
import type { PlaceMap } from '../map/PlaceMap.js';

export interface MapDifference {
  /** Names of meta fields that differ, with both values. */
  readonly meta: readonly { readonly field: string; readonly first: string; readonly second: string }[];
  readonly common: number;
  /** Ids in the first map of references that the second lacks. */
  readonly onlyFirst: readonly ReferenceId[];
  /** Ids in the second map of references that the first lacks. */
  readonly onlySecond: readonly ReferenceId[];
  /** References of both whose poses differ: by metres and radians; null where only one has a pose. */
  readonly moved: readonly {
    readonly first: ReferenceId;
    readonly second: ReferenceId;
    readonly distanceM: number | null;
    readonly angleRad: number | null;
  }[];
  /** References of both that share their place with other images than before. */
  readonly regrouped: readonly { readonly first: ReferenceId; readonly second: ReferenceId }[];
  readonly relabelled: readonly { readonly first: ReferenceId; readonly second: ReferenceId }[];
}

const META_FIELDS = [
  'modelName',
  'modelSha256',
  'descriptorDimension',
  'storage',
  'mapFrame',
  'poseKind',
  'childFrame',
  'calibration',
] as const satisfies readonly (keyof MapMeta)[];

/** Poses nearer than this are equal: rounding of a text file, not motion. */
const SAME_POSITION_M = 1e-6;
const SAME_ANGLE_RAD = 1e-6;

/** The same image in two maps: one camera at one moment; images without stamps differ in their number of that key. */
function byImage(map: PlaceMap): Map<string, Reference> {
  const found = new Map<string, Reference>();
  for (const reference of map.references()) {
    const key = `${reference.camera}\0${reference.stampNs}`;
    let repeat = 0;
    while (found.has(`${key}\0${repeat}`)) repeat++;
    found.set(`${key}\0${repeat}`, reference);
  }
  return found;
}

/** What differs between two maps, by image (camera and stamp), whatever their ids. */
export function diffMaps(first: PlaceMap, second: PlaceMap): MapDifference {
  const a = byImage(first);
  const b = byImage(second);
  const pairs = [...a].flatMap(([key, reference]) => {
    const other = b.get(key);
    return other === undefined ? [] : [[reference, other] as const];
  });
  // A place is known by its first common image in each map: ids may differ, who is together may not.
  const partner = new Map<number, number>();
  const partnerOfSecond = new Map<number, number>();
  const regrouped: { first: ReferenceId; second: ReferenceId }[] = [];
  const moved: MapDifference['moved'][number][] = [];
  const relabelled: { first: ReferenceId; second: ReferenceId }[] = [];
  for (const [one, two] of pairs) {
    const ids = { first: one.referenceId, second: two.referenceId };
    if (!partner.has(one.placeId)) partner.set(one.placeId, two.placeId);
    if (!partnerOfSecond.has(two.placeId)) partnerOfSecond.set(two.placeId, one.placeId);
    if (partner.get(one.placeId) !== two.placeId || partnerOfSecond.get(two.placeId) !== one.placeId)
      regrouped.push(ids);
    if (one.label !== two.label) relabelled.push(ids);
    if (one.pose !== undefined && two.pose !== undefined) {
      const distanceM = distanceBetween(one.pose, two.pose);
      const angleRad = angleBetween(one.pose, two.pose);
      if (distanceM > SAME_POSITION_M || angleRad > SAME_ANGLE_RAD) moved.push({ ...ids, distanceM, angleRad });
    } else if (one.pose !== two.pose) moved.push({ ...ids, distanceM: null, angleRad: null });
  }
  const meta: MapDifference['meta'][number][] = META_FIELDS.map((field) => ({
    field,
    first: String(first.meta[field] ?? ''),
    second: String(second.meta[field] ?? ''),
  }));
  meta.push({ field: 'binarizer', first: first.meta.binarizer.kind, second: second.meta.binarizer.kind });
  return {
    meta: meta.filter((row) => row.first !== row.second),
    common: pairs.length,
    onlyFirst: [...a].flatMap(([key, { referenceId }]) => (b.has(key) ? [] : [referenceId])),
    onlySecond: [...b].flatMap(([key, { referenceId }]) => (a.has(key) ? [] : [referenceId])),
    moved,
    regrouped,
    relabelled,
  };
}
