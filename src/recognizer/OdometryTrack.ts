import { composePoses, distanceBetween, invertPose, type Pose } from '../core/pose.js';

/** The odometry of the images so far: motion between two of them and the way driven. */
export class OdometryTrack {
  #last: Pose | undefined;
  #drivenM = 0;

  /** Metres since the start. */
  get drivenM(): number {
    return this.#drivenM;
  }

  reset(): void {
    this.#last = undefined;
  }

  /** odomFromBase of this image; returns lastFromNow, or undefined where one of the two is unknown. */
  advance(odomFromBase: Pose | undefined): Pose | undefined {
    const last = this.#last;
    if (odomFromBase === undefined) return undefined;
    this.#last = odomFromBase;
    if (last === undefined) return undefined;
    this.#drivenM += distanceBetween(last, odomFromBase);
    return composePoses(invertPose(last), odomFromBase);
  }
}
