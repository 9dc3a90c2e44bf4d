import { angleBetween, distanceBetween, interpolatePoses, type Pose } from '../core/pose.js';
import type { StampedPose } from './readPose.js';

/** Two poses further apart in time than this are not interpolated, unless the robot hardly moved between them. */
const MAX_GAP_NS = 2_000_000_000n;
/** Before the first and after the last pose, that pose holds for this long. */
const MAX_HOLD_NS = 100_000_000n;
const STANDSTILL_M = 1;
const STANDSTILL_RAD = 0.5;

/** Poses of one topic over time. */
export class PoseTrack {
  /** Frame of the poses (map, odom), and the moving frame where the messages say it. */
  readonly frameId: string;
  readonly childFrameId: string;
  /** In order of stamp, one for each stamp. */
  readonly poses: readonly (StampedPose & { readonly pose: Pose })[];
  /** Messages left out: numbers that are not finite, quaternions of length zero. */
  readonly invalidCount: number;

  /** stamped: in any order; of two with one stamp the later one counts. leftOut: messages that are no part of it already. */
  constructor(stamped: readonly StampedPose[], leftOut = 0) {
    const byStamp = new Map<bigint, StampedPose & { readonly pose: Pose }>();
    let invalidCount = leftOut;
    for (const entry of stamped) {
      if (entry.pose === undefined) invalidCount++;
      else byStamp.set(entry.stampNs, { ...entry, pose: entry.pose });
    }
    this.poses = [...byStamp.values()].sort((a, b) => (a.stampNs < b.stampNs ? -1 : 1));
    this.frameId = this.poses[0]?.frameId ?? '';
    this.childFrameId = this.poses[0]?.childFrameId ?? '';
    this.invalidCount = invalidCount;
  }

  /** The pose at a stamp, interpolated; undefined outside the track and in its gaps. */
  at(stampNs: bigint): Pose | undefined {
    let low = 0;
    let high = this.poses.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.poses[middle]!.stampNs <= stampNs) low = middle + 1;
      else high = middle;
    }
    const before = this.poses[low - 1];
    const after = this.poses[low];
    if (before === undefined || after === undefined) {
      const nearest = before ?? after;
      if (nearest === undefined) return undefined;
      const away = before === undefined ? nearest.stampNs - stampNs : stampNs - nearest.stampNs;
      return away <= MAX_HOLD_NS ? nearest.pose : undefined;
    }
    const gap = after.stampNs - before.stampNs;
    if (gap > MAX_GAP_NS) {
      const moved =
        distanceBetween(before.pose, after.pose) > STANDSTILL_M ||
        angleBetween(before.pose, after.pose) > STANDSTILL_RAD;
      if (moved) return undefined;
    }
    return interpolatePoses(before.pose, after.pose, Number(stampNs - before.stampNs) / Number(gap));
  }
}
