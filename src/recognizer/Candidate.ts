import { distanceBetween } from '../core/pose.js';
import type { Reference } from '../core/reference.js';

/** A reference that the search found for one query, with what the map says of it. */
export interface Candidate {
  readonly reference: Reference;
  /** Bits that differ, 0...512. */
  readonly hamming: number;
  /** Dot product, -1...1. */
  readonly similarity: number;
  /** Another camera of the robot took the reference: the robot is where it was then, but turned, who knows how far. */
  readonly headingUnknown?: boolean;
}

/** How far apart two references may be and still be one place to the confidence. */
export interface Neighbourhood {
  /** Where both have poses, metres. */
  readonly distanceM: number;
  /** Where not: difference of place ids in one session. */
  readonly places: number;
}

/** True when two references show the same place or neighbouring ones: one is no evidence against the other. */
export function areNeighbours(a: Reference, b: Reference, neighbourhood: Neighbourhood): boolean {
  if (a.placeId === b.placeId) return true;
  if (a.pose !== undefined && b.pose !== undefined) return distanceBetween(a.pose, b.pose) <= neighbourhood.distanceM;
  return a.sessionId === b.sessionId && Math.abs(a.placeId - b.placeId) <= neighbourhood.places;
}
