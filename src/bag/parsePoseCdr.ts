import { CdrCursor } from '../core/CdrCursor.js';
import { isFinitePose, normalizeQuaternion, type Pose } from '../core/pose.js';

export const POSE_TYPES = [
  'nav_msgs/msg/Odometry',
  'geometry_msgs/msg/PoseStamped',
  'geometry_msgs/msg/PoseWithCovarianceStamped',
] as const;
export type PoseMessageType = (typeof POSE_TYPES)[number];

export function isPoseMessageType(type: string): type is PoseMessageType {
  return (POSE_TYPES as readonly string[]).includes(type);
}

export interface StampedPose {
  readonly stampNs: bigint;
  /** Frame of the pose: map, odom. */
  readonly frameId: string;
  /** Odometry's moving frame (base_link); empty for the other types, which do not say. */
  readonly childFrameId: string;
  /** Undefined when the numbers are not finite or the quaternion has no length. */
  readonly pose: Pose | undefined;
}

/** geometry_msgs/Pose or Transform: seven numbers in a row. */
export function readPose(cdr: CdrCursor, what: string): Pose | undefined {
  const number = (): number => cdr.float64(what);
  const position = [number(), number(), number()] as const;
  const orientation = normalizeQuaternion([number(), number(), number(), number()]);
  if (orientation === undefined) return undefined;
  const pose = { position, orientation };
  return isFinitePose(pose) ? pose : undefined;
}

/** Reads a serialised pose message; where: "topic, stamp". Throws MESSAGE_INVALID when it ends too early. */
export function parsePoseCdr(type: PoseMessageType, bytes: Uint8Array, where: string): StampedPose {
  const cdr = new CdrCursor(bytes, where);
  const stampNs = cdr.stampNs('header.stamp');
  const frameId = cdr.string('header.frame_id');
  const childFrameId = type === 'nav_msgs/msg/Odometry' ? cdr.string('child_frame_id') : '';
  return { stampNs, frameId, childFrameId, pose: readPose(cdr, 'pose') };
}
