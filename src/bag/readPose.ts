import type { MessageCursor } from '../core/MessageCursor.js';
import { isFinitePose, normalizeQuaternion, type Pose } from '../core/pose.js';
import { VprError } from '../core/VprError.js';
import { MAX_TRANSFORMS } from './bagLimits.js';

export const TRANSFORM_TYPE = 'tf2_msgs/msg/TFMessage';
export const FIX_TYPE = 'sensor_msgs/msg/NavSatFix';
/** Message types that a pose topic may have. */
export const POSE_TYPES = [
  'nav_msgs/msg/Odometry',
  'geometry_msgs/msg/PoseStamped',
  'geometry_msgs/msg/PoseWithCovarianceStamped',
  TRANSFORM_TYPE,
  FIX_TYPE,
] as const;
export type PoseMessageType = (typeof POSE_TYPES)[number];

export function isPoseMessageType(type: string): type is PoseMessageType {
  return (POSE_TYPES as readonly string[]).includes(type);
}

export interface StampedPose {
  readonly stampNs: bigint;
  /** Frame of the pose: map, odom. */
  readonly frameId: string;
  /** Odometry's moving frame (base_link); empty for types that do not say. */
  readonly childFrameId: string;
  /** Undefined when the numbers are not finite or the quaternion has no length. */
  readonly pose: Pose | undefined;
}

/** A satellite fix; undefined latitude and so on when there was none. */
export interface StampedFix {
  readonly stampNs: bigint;
  readonly frameId: string;
  readonly fix: { readonly latitude: number; readonly longitude: number; readonly altitude: number } | undefined;
}

/** geometry_msgs/Pose or Transform: seven numbers in a row. */
function readNumbers(cursor: MessageCursor, what: string): Pose | undefined {
  const number = (): number => cursor.float64(what);
  const position = [number(), number(), number()] as const;
  const orientation = normalizeQuaternion([number(), number(), number(), number()]);
  if (orientation === undefined) return undefined;
  const pose = { position, orientation };
  return isFinitePose(pose) ? pose : undefined;
}

/** tf2 has no leading slash in frame names, ROS 1 had. */
function frameName(name: string): string {
  return name.replace(/^\//, '');
}

/** nav_msgs/Odometry, geometry_msgs/PoseStamped or PoseWithCovarianceStamped. Throws MESSAGE_INVALID. */
export function readPoseMessage(type: string, cursor: MessageCursor): StampedPose {
  const { stampNs, frameId } = cursor.header();
  const childFrameId = type === 'nav_msgs/msg/Odometry' ? frameName(cursor.string('child_frame_id')) : '';
  return { stampNs, frameId: frameName(frameId), childFrameId, pose: readNumbers(cursor, 'pose') };
}

/** tf2_msgs/TFMessage: each transform's pose is frameId from childFrameId. Throws MESSAGE_INVALID. */
export function readTransforms(cursor: MessageCursor): readonly StampedPose[] {
  const count = cursor.uint32('transforms');
  if (count > MAX_TRANSFORMS)
    throw new VprError('MESSAGE_INVALID', `Expected at most ${MAX_TRANSFORMS} transforms in a message, got ${count}`);
  return Array.from({ length: count }, () => {
    const { stampNs, frameId } = cursor.header();
    const childFrameId = frameName(cursor.string('child_frame_id'));
    return { stampNs, frameId: frameName(frameId), childFrameId, pose: readNumbers(cursor, 'transform') };
  });
}

/** sensor_msgs/NavSatFix. Throws MESSAGE_INVALID. */
export function readFix(cursor: MessageCursor): StampedFix {
  const { stampNs, frameId } = cursor.header();
  // int8 status: -1 is "no fix".
  const hasFix = cursor.uint8('status.status') < 128;
  cursor.uint16('status.service');
  const latitude = cursor.float64('latitude');
  const longitude = cursor.float64('longitude');
  const altitude = cursor.float64('altitude');
  const isValid = hasFix && Math.abs(latitude) <= 84 && Math.abs(longitude) <= 180;
  // Receivers without height send NaN.
  const height = Number.isFinite(altitude) ? altitude : 0;
  return { stampNs, frameId, fix: isValid ? { latitude, longitude, altitude: height } : undefined };
}
