import type { Pose } from '../core/pose.js';

/** geometry_msgs/Pose. */
export interface PoseMessage {
  readonly position: { readonly x: number; readonly y: number; readonly z: number };
  readonly orientation: { readonly x: number; readonly y: number; readonly z: number; readonly w: number };
}

export function poseMessage({ position, orientation }: Pose): PoseMessage {
  return {
    position: { x: position[0], y: position[1], z: position[2] },
    orientation: { x: orientation[0], y: orientation[1], z: orientation[2], w: orientation[3] },
  };
}

export function poseOf({ position: p, orientation: q }: PoseMessage): Pose {
  return { position: [p.x, p.y, p.z], orientation: [q.x, q.y, q.z, q.w] };
}
