import { interpolatePoses, type Pose } from '../core/pose.js';

const KEPT = 400;
/** A pose that is further from the image's stamp than this says nothing about the image. */
const TOLERANCE_NS = 250_000_000n;
/** Messages may overtake each other by as much as this; what is older is of another time. */
const DISORDER_NS = 1_000_000_000n;

interface StampedPose {
  readonly stampNs: bigint;
  readonly pose: Pose;
}

/** The last poses by stamp, in whatever order they come. */
export class PoseHistory {
  /** Ascending, each stamp once. */
  readonly #poses: StampedPose[] = [];

  /** Of two poses with one stamp the later holds. A stamp more than a second before the last one begins anew. */
  add(stampNs: bigint, pose: Pose): void {
    const last = this.#poses.at(-1);
    // Time went back: a bag was looped, and what is remembered belongs to the last round.
    if (last !== undefined && stampNs < last.stampNs - DISORDER_NS) this.#poses.length = 0;
    const before = this.#poses.findLastIndex((entry) => entry.stampNs <= stampNs);
    const isSame = this.#poses[before]?.stampNs === stampNs;
    this.#poses.splice(isSame ? before : before + 1, isSame ? 1 : 0, { stampNs, pose });
    if (this.#poses.length > KEPT) this.#poses.shift();
  }

  /** The pose at a stamp: interpolated, or the nearest within a quarter of a second; undefined where there is none. */
  at(stampNs: bigint): Pose | undefined {
    const later = this.#poses.findIndex((entry) => entry.stampNs >= stampNs);
    const after = later === -1 ? undefined : this.#poses[later];
    const before = later === -1 ? this.#poses.at(-1) : this.#poses[later - 1];
    const near = (entry: StampedPose | undefined): boolean =>
      entry !== undefined && abs(entry.stampNs - stampNs) <= TOLERANCE_NS;
    if (before !== undefined && after !== undefined && near(before) && near(after)) {
      const t = Number(stampNs - before.stampNs) / Number(after.stampNs - before.stampNs);
      return interpolatePoses(before.pose, after.pose, t);
    }
    if (near(after)) return after!.pose;
    return near(before) ? before!.pose : undefined;
  }
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}
