import type { ImageMessage } from './image.js';
import type { Pose } from './pose.js';

/** One picture of one camera: the unit that bags, image folders, the sample world and camera topics all deliver. */
export interface StampedImage {
  readonly image: ImageMessage;
  /** Name of the camera ("front"); for a bag the topic's last useful part unless the user names it; folders: "camera". */
  readonly camera: string;
  /** header.frame_id: the camera's optical frame; empty when unknown. */
  readonly frameId: string;
  /** header.stamp, nanoseconds. Image folders without stamps count 1 s a picture from 0. */
  readonly stampNs: bigint;
  /** Human-readable origin: file name, or topic and stamp. Used as label and in errors. */
  readonly name: string;
  /** mapFromBase at the stamp (mapFromCamera for image folders), or none. */
  readonly pose?: Pose;
  /** odomFromBase at the stamp, from an odometry that drifts but does not jump, or none. */
  readonly odometry?: Pose;
}
