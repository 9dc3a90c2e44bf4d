import type { Pose } from '../core/pose.js';
import type { PlaceId, Reference } from '../core/reference.js';
import type { MapPlace } from './mapTypes.js';

/** The places of references, ascending: each with its first label, and its first pose where one has a pose. */
export function listPlaces(references: Iterable<Reference>): MapPlace[] {
  const places = new Map<PlaceId, { placeId: PlaceId; label: string; references: number; pose?: Pose }>();
  for (const { placeId, label, pose } of references) {
    const place = places.get(placeId);
    if (place === undefined) {
      places.set(placeId, { placeId, label, references: 1, ...(pose === undefined ? {} : { pose }) });
    } else {
      place.references++;
      if (place.pose === undefined && pose !== undefined) place.pose = pose;
    }
  }
  return [...places.values()].sort((a, b) => a.placeId - b.placeId);
}
