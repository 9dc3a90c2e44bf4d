import { dotProduct, type Descriptor } from '../core/descriptor.js';
import { angleBetween, distanceBetween, type Pose } from '../core/pose.js';

export interface KeyframeOptions {
  /** A new key frame after this distance, metres; 0: distance does not count. */
  readonly distanceM: number;
  /** A new key frame after this turn, radians; 0: angle does not count. */
  readonly angleRad: number;
  /** Images without pose: a new key frame after this time, seconds; 0: every image. */
  readonly intervalS: number;
  /** Images without pose: none while the view is more alike to the last key frame than this (a robot that stands still); default 1: not looked at. */
  readonly maxSimilarity?: number;
}

/** What the choice needs to know of an image. */
export interface KeyframeCandidate {
  readonly camera: string;
  readonly stampNs: bigint;
  readonly pose?: Pose;
  /** Only looked at where `maxSimilarity` is below 1. */
  readonly descriptor?: Descriptor;
}

/**
 * Chooses which images become references. Each camera on its own: by distance and angle from its last key frame where
 * images have poses, else by time. With distance and angle both 0 every image with a pose is one.
 */
export class KeyframeSelector {
  #options!: KeyframeOptions;
  readonly #last = new Map<string, KeyframeCandidate>();

  constructor(options: KeyframeOptions) {
    this.setOptions(options);
  }

  /** Throws RangeError for what is not 0 or more. */
  setOptions(options: KeyframeOptions): void {
    for (const [name, value] of Object.entries(options) as [string, number][])
      if (!(value >= 0)) throw new RangeError(`Expected 0 or more for ${name}, got ${value}`);
    this.#options = options;
  }

  /** True when the image should become a reference; changes nothing. */
  isKeyframe(image: KeyframeCandidate): boolean {
    const last = this.#last.get(image.camera);
    if (last === undefined) return true;
    if (image.pose !== undefined && last.pose !== undefined) return this.#hasMoved(last.pose, image.pose);
    const elapsedNs = image.stampNs - last.stampNs;
    // Stamps that go back are another run of the bag or a clock that was set: the old key frame says nothing.
    if (elapsedNs < 0n) return true;
    if (Number(elapsedNs) / 1e9 < this.#options.intervalS) return false;
    return !this.#isAlike(last, image);
  }

  /** Says that the image became a reference. */
  accept(image: KeyframeCandidate): void {
    this.#last.set(image.camera, image);
  }

  #hasMoved(from: Pose, to: Pose): boolean {
    const { distanceM, angleRad } = this.#options;
    if (distanceM === 0 && angleRad === 0) return true;
    return (
      (distanceM > 0 && distanceBetween(from, to) >= distanceM) || (angleRad > 0 && angleBetween(from, to) >= angleRad)
    );
  }

  #isAlike(last: KeyframeCandidate, image: KeyframeCandidate): boolean {
    const limit = this.#options.maxSimilarity ?? 1;
    if (limit >= 1 || last.descriptor === undefined || image.descriptor === undefined) return false;
    return dotProduct(last.descriptor, image.descriptor) > limit;
  }
}
