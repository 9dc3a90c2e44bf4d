import { CODE_BYTES, type BinaryCode } from '../core/binaryCode.js';
import { dotProduct } from '../core/descriptor.js';
import type { PlaceId, ReferenceId } from '../core/reference.js';
import type { PlaceMap } from '../map/PlaceMap.js';
import type { StoredReference } from '../map/ReferenceWriter.js';
import { storedReferences } from '../map/storedReferences.js';

/** The reference of a map that looks most like a query. */
export interface NearestReference {
  readonly referenceId: ReferenceId;
  readonly similarity: number;
}

/** Finds the most similar reference of one map; the caller builds it on the search. Undefined for an empty map. */
export type FindNearest = (query: Pick<StoredReference, 'code' | 'descriptor'>) => NearestReference | undefined;

export interface AppearanceOptions {
  readonly findInBase: FindNearest;
  readonly findInOther: FindNearest;
  /** How many standard deviations above the similarity of images of different places a match must be. */
  readonly deviations: number;
}

/** Pairs that are drawn to learn how alike images of different places are. */
const BACKGROUND_PAIRS = 2000;

/** Mean and standard deviation of the similarity of random pairs, one of each map. Pairs are strided: no chance in it. */
function backgroundOf(base: PlaceMap, other: PlaceMap): { mean: number; deviation: number } {
  const pairs = Math.min(BACKGROUND_PAIRS, base.size * other.size);
  const [a, b] = [new Float32Array(base.dimension), new Float32Array(base.dimension)];
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < pairs; i++) {
    // Steps by irrational parts of the sizes spread over both maps without repeating early.
    const at = (size: number, step: number): number => Math.floor(((i * step) % 1) * size);
    base.readDescriptors(base.referenceIds.subarray(at(base.size, 0.6180339887)).subarray(0, 1), a);
    other.readDescriptors(other.referenceIds.subarray(at(other.size, 0.4142135624)).subarray(0, 1), b);
    const similarity = dotProduct(a, b);
    sum += similarity;
    squares += similarity * similarity;
  }
  const mean = sum / pairs;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / pairs - mean * mean)) };
}

/**
 * Places of `other` that look like places of `base`: other's place id -> base's. A reference votes for the place of its
 * nearest reference in base when that one's nearest reference in other is of the same place again (mutual), and when they are
 * more alike than images of different places are. A place follows the majority of its votes, ties to the lower id.
 */
export function associateByAppearance(
  base: PlaceMap,
  other: PlaceMap,
  { findInBase, findInOther, deviations }: AppearanceOptions,
): Map<PlaceId, PlaceId> {
  if (base.size === 0 || other.size === 0) return new Map();
  const background = backgroundOf(base, other);
  const least = background.mean + deviations * background.deviation;
  const votes = new Map<PlaceId, Map<PlaceId, number>>();
  const codes = new Map<ReferenceId, BinaryCode>();
  for (const block of base.codes())
    block.referenceIds.forEach((id, i) => codes.set(id, block.codes.subarray(i * CODE_BYTES, (i + 1) * CODE_BYTES)));
  const read = (referenceId: ReferenceId): Pick<StoredReference, 'code' | 'descriptor'> => {
    const descriptor = new Float32Array(base.dimension);
    base.readDescriptors(Uint32Array.of(referenceId), descriptor);
    return { descriptor, code: codes.get(referenceId)! };
  };
  for (const reference of storedReferences(other)) {
    const found = findInBase(reference);
    if (found === undefined || found.similarity < least) continue;
    const back = findInOther(read(found.referenceId));
    if (back === undefined || other.placeOf(back.referenceId) !== reference.placeId) continue;
    const place = base.placeOf(found.referenceId);
    const ballot = votes.get(reference.placeId) ?? new Map<PlaceId, number>();
    ballot.set(place, (ballot.get(place) ?? 0) + 1);
    votes.set(reference.placeId, ballot);
  }
  return new Map(
    [...votes].map(([placeId, ballot]) => {
      const [winner] = [...ballot].sort(([a, votesA], [b, votesB]) => votesB - votesA || a - b);
      return [placeId, winner![0]];
    }),
  );
}
