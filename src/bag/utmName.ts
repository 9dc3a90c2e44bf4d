import { quaternionFromYaw, type Pose } from '../core/pose.js';

/** Fields of @UTM_east@UTM_north@zone@letter@latitude@longitude@pano@tile@heading@pitch@roll@height@time@note@ names. */
const EAST = 1;
const NORTH = 2;
const HEADING = 9;

/** ENU yaw, radians counter-clockwise from east, of a compass heading, degrees clockwise from north. */
export function yawFromHeading(headingDegrees: number): number {
  return ((90 - headingDegrees) * Math.PI) / 180;
}

/**
 * The pose that is in an image's name of the form `@UTM_east@UTM_north@...` (VPR-datasets-downloader's convention):
 * metres, height 0, heading where the name has one. Undefined for every other name.
 */
export function poseFromUtmName(name: string): Pose | undefined {
  const fields = name.split('@');
  if (fields.length < 4) return undefined;
  const number = (i: number): number => {
    const text = fields[i]?.trim() ?? '';
    return text === '' ? NaN : Number(text);
  };
  const east = number(EAST);
  const north = number(NORTH);
  if (!Number.isFinite(east) || !Number.isFinite(north)) return undefined;
  const heading = number(HEADING);
  return {
    position: [east, north, 0],
    orientation: Number.isFinite(heading) ? quaternionFromYaw(yawFromHeading(heading)) : [0, 0, 0, 1],
  };
}
