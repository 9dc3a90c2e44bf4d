import { composePoses, distanceBetween, invertPose, type Pose } from '../core/pose.js';

/** The odometry of the images so far: motion between two of them and the way driven. */
export class OdometryTrack {
  /** Of the image before. */
  #previous: Pose | undefined;
  /** The last one that was known. */
  #last: Pose | undefined;
  #drivenM = 0;

  /** Metres since the start. */
  get drivenM(): number {
    return this.#drivenM;
  }

  reset(): void {
    this.#previous = undefined;
    this.#last = undefined;
  }

  /** odomFromBase of this image; returns previousFromNow, or undefined where it or that of the image before is unknown. */
  advance(odomFromBase: Pose | undefined): Pose | undefined {
    const previous = this.#previous;
    this.#previous = odomFromBase;
    if (odomFromBase === undefined) return undefined;
    if (this.#last !== undefined) this.#drivenM += distanceBetween(this.#last, odomFromBase);
    this.#last = odomFromBase;
    return previous === undefined ? undefined : composePoses(invertPose(previous), odomFromBase);
  }
}
