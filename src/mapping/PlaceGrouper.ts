import { angleBetween, distanceBetween, type Pose } from '../core/pose.js';
import type { PlaceId } from '../core/reference.js';

export interface GroupingOptions {
  /** A reference within this distance of a place's first reference belongs to it, metres. 0: each its own place. */
  readonly distanceM: number;
  /** Largest angle between orientations inside one place, radians. */
  readonly angleRad: number;
  /** References in a row that make one place, where images have no pose, >= 1. */
  readonly images: number;
}

/** Images of different cameras that are no further apart than this show one place: they were taken at one moment. */
const SAME_MOMENT_NS = 500_000_000n;

interface Anchor {
  readonly placeId: PlaceId;
  readonly pose: Pose;
}

interface Sequence {
  readonly placeId: PlaceId;
  readonly counts: Map<string, number>;
  lastStampNs: bigint;
}

/**
 * Gives each new reference its place: the nearest known place within distance and angle where images have poses, else a
 * run of consecutive images (one of each camera at a moment share a place).
 */
export class PlaceGrouper {
  #options!: GroupingOptions;
  readonly #newPlaceId: () => PlaceId;
  /** Anchors by grid cell of side distanceM, so that a lookup touches 27 cells whatever the map's size. */
  readonly #cells = new Map<string, Anchor[]>();
  readonly #anchors: Anchor[] = [];
  #sequence: Sequence | undefined;

  /** newPlaceId: gives an unused id (PlaceMap.newPlaceId). */
  constructor(options: GroupingOptions, newPlaceId: () => PlaceId) {
    this.setOptions(options);
    this.#newPlaceId = newPlaceId;
  }

  /** Throws RangeError for what is out of range. */
  setOptions(options: GroupingOptions): void {
    if (!(options.distanceM >= 0)) throw new RangeError(`Expected 0 or more for distanceM, got ${options.distanceM}`);
    if (!(options.angleRad >= 0)) throw new RangeError(`Expected 0 or more for angleRad, got ${options.angleRad}`);
    if (!(options.images >= 1)) throw new RangeError(`Expected 1 or more for images, got ${options.images}`);
    this.#options = options;
    this.#cells.clear();
    for (const anchor of this.#anchors) this.#index(anchor);
  }

  /** Makes a place of the map known: its first reference's pose is its anchor. */
  addPlace(placeId: PlaceId, pose: Pose): void {
    const anchor = { placeId, pose };
    this.#anchors.push(anchor);
    this.#index(anchor);
  }

  #index(anchor: Anchor): void {
    if (this.#options.distanceM === 0) return;
    const key = this.#keyOf(anchor.pose, 0, 0, 0);
    const cell = this.#cells.get(key);
    if (cell === undefined) this.#cells.set(key, [anchor]);
    else cell.push(anchor);
  }

  /** Nearest place within distance and angle, or undefined. */
  placeAt(pose: Pose): PlaceId | undefined {
    const { distanceM, angleRad } = this.#options;
    if (distanceM === 0) return undefined;
    let best: PlaceId | undefined;
    let bestDistance = Infinity;
    for (let dx = -1; dx <= 1; dx++)
      for (let dy = -1; dy <= 1; dy++)
        for (let dz = -1; dz <= 1; dz++)
          for (const anchor of this.#cells.get(this.#keyOf(pose, dx, dy, dz)) ?? []) {
            const distance = distanceBetween(anchor.pose, pose);
            if (distance > distanceM || distance >= bestDistance || angleBetween(anchor.pose, pose) > angleRad)
              continue;
            best = anchor.placeId;
            bestDistance = distance;
          }
    return best;
  }

  /** Place of a new reference; makes a new place where none fits. */
  placeFor(image: { readonly camera: string; readonly stampNs: bigint; readonly pose?: Pose }): PlaceId {
    if (image.pose === undefined) return this.#nextOfSequence(image.camera, image.stampNs);
    const known = this.placeAt(image.pose);
    if (known !== undefined) return known;
    const placeId = this.#newPlaceId();
    this.addPlace(placeId, image.pose);
    return placeId;
  }

  #nextOfSequence(camera: string, stampNs: bigint): PlaceId {
    const sequence = this.#sequence;
    if (sequence !== undefined && this.#continues(sequence, camera, stampNs)) {
      sequence.counts.set(camera, (sequence.counts.get(camera) ?? 0) + 1);
      sequence.lastStampNs = stampNs;
      return sequence.placeId;
    }
    const placeId = this.#newPlaceId();
    this.#sequence = { placeId, counts: new Map([[camera, 1]]), lastStampNs: stampNs };
    return placeId;
  }

  #continues(sequence: Sequence, camera: string, stampNs: bigint): boolean {
    const count = sequence.counts.get(camera);
    if (count !== undefined) return count < this.#options.images;
    const apartNs = stampNs - sequence.lastStampNs;
    return apartNs <= SAME_MOMENT_NS && -apartNs <= SAME_MOMENT_NS;
  }

  #keyOf(pose: Pose, dx: number, dy: number, dz: number): string {
    const side = this.#options.distanceM;
    const [x, y, z] = pose.position;
    return `${Math.floor(x / side) + dx},${Math.floor(y / side) + dy},${Math.floor(z / side) + dz}`;
  }
}
