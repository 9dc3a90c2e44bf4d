import { quaternionFromYaw } from '../core/pose.js';
import { utmFrameOf, utmFromGeodetic } from '../core/utm.js';
import type { StampedFix, StampedPose } from './readPose.js';

/** A fix says nothing of heading: this far on, the direction of travel does. */
const HEADING_DISTANCE_M = 1;

/**
 * Poses of satellite fixes: UTM metres in the zone and hemisphere of the first fix, so that drives of one place share a frame. Yaw is the
 * direction of travel over the next metre, held while standing; a receiver's jitter below a metre does not turn it.
 */
export function posesFromFixes(fixes: readonly StampedFix[]): readonly StampedPose[] {
  const sorted = fixes.toSorted((a, b) => (a.stampNs < b.stampNs ? -1 : a.stampNs > b.stampNs ? 1 : 0));
  const first = sorted.find(({ fix }) => fix !== undefined)?.fix;
  const frame = utmFrameOf(first?.latitude ?? 0, first?.longitude ?? 0);
  const points = sorted.flatMap(({ fix, stampNs }) => {
    if (fix === undefined) return [];
    const { eastingM, northingM } = utmFromGeodetic(fix.latitude, fix.longitude, frame);
    return [{ stampNs, x: eastingM, y: northingM, z: fix.altitude }];
  });
  let ahead = 0;
  let yaw: number | undefined;
  const yaws = points.map((point, i) => {
    ahead = Math.max(ahead, i);
    while (
      ahead < points.length &&
      Math.hypot(points[ahead]!.x - point.x, points[ahead]!.y - point.y) < HEADING_DISTANCE_M
    )
      ahead++;
    const target = points[ahead];
    if (target !== undefined) yaw = Math.atan2(target.y - point.y, target.x - point.x);
    return yaw;
  });
  const poses: StampedPose[] = points.map(({ stampNs, x, y, z }, i) => ({
    stampNs,
    frameId: 'utm',
    childFrameId: '',
    pose: { position: [x, y, z], orientation: quaternionFromYaw(yaws[i] ?? 0) },
  }));
  const lost = sorted.filter(({ fix }) => fix === undefined);
  return [...poses, ...lost.map(({ stampNs }) => ({ stampNs, frameId: 'utm', childFrameId: '', pose: undefined }))];
}
