import type { RgbImage } from '../core/image.js';
import { composePoses, IDENTITY_POSE, invertPose, type Pose } from '../core/pose.js';
import type { TownAndRoute } from './buildTown.js';
import { OccluderCrowd } from './Occluder.js';
import { uniformNumbers } from '../core/mulberry32.js';
import { gaussian, seedOf } from './random.js';
import type { SampleCondition } from './SampleCondition.js';
import { SAMPLE_CAMERA, type CameraSize } from './Pinhole.js';
import { SampleRenderer } from './SampleRenderer.js';
import { cosine, sine } from './trigonometry.js';

/** A camera on the robot: where it looks from the direction of travel, radians counter-clockwise. */
export const SAMPLE_CAMERA_YAW = { front: 0, rear: Math.PI } as const;
export type SampleCameraName = keyof typeof SAMPLE_CAMERA_YAW;
/** Metres above the ground. */
export const SAMPLE_CAMERA_HEIGHT_M = 1.5;

export interface TraverseOptions {
  /** Of everything that differs between two drives: people, vehicles, wander, noise, drift. */
  readonly seed: number;
  readonly condition: SampleCondition;
  readonly frames: number;
  /** Metres from one image to the next along the tour; 2 by default. */
  readonly spacingM?: number;
  /** Metres from the start of the tour to the first image. */
  readonly startM?: number;
  /** Metres left of the middle of the street (negative: right). */
  readonly leftM?: number;
  /** People and vehicles; 1 by default, 0 none. */
  readonly crowd?: number;
  readonly camera?: CameraSize;
  /** Stamp of the first image, nanoseconds. */
  readonly startNs?: bigint;
}

/** One moment of a drive. Images are rendered when asked for. */
export interface TraverseFrame {
  readonly index: number;
  readonly stampNs: bigint;
  /** Metres along the tour, not folded into one lap. */
  readonly distanceM: number;
  /** mapFromBase, ground truth. The base is on the ground, x ahead, y left, z up. */
  readonly truth: Pose;
  /** odomFromBase: starts at the identity and drifts. */
  readonly odometry: Pose;
  render(camera: SampleCameraName): RgbImage;
}

const SPEED_M_PER_S = 2;

/** A drive along the tour of a town: ground truth, drifting odometry and pictures, one frame after the other. */
export class SampleTraverse {
  readonly frames: readonly TraverseFrame[];

  constructor({ town, route }: TownAndRoute, options: TraverseOptions) {
    const { seed, condition, spacingM = 2, startM = 2, leftM = -1.5, crowd = 1, camera = SAMPLE_CAMERA } = options;
    const renderer = new SampleRenderer(town, condition, camera);
    const people = new OccluderCrowd(route, seed, crowd);
    const random = uniformNumbers(seedOf(seed, 41));
    const phase = random() * 6;
    // Wheels of a wrong size and a crooked axle: what makes real odometry drift steadily, with noise on top.
    const scale = 1 + 0.015 * gaussian(random);
    const yawBias = 0.0006 * gaussian(random);
    let odometry = IDENTITY_POSE;
    let before: Pose | undefined;
    this.frames = Array.from({ length: options.frames }, (_, index) => {
      const distanceM = startM + index * spacingM;
      const timeS = (index * spacingM) / SPEED_M_PER_S;
      const wander = 0.25 * sine(distanceM * 0.11 + phase) + 0.15 * sine(distanceM * 0.043 + 2 * phase);
      const point = route.at(distanceM, leftM + wander);
      const heading = point.heading + 0.012 * gaussian(random) + 0.02 * sine(distanceM * 0.11 + phase + 1.57);
      const pitch = 0.008 * gaussian(random);
      const truth: Pose = { position: [point.x, point.y, 0], orientation: aboutUp(heading) };
      if (before !== undefined) {
        const step = composePoses(invertPose(before), truth);
        const yaw = yawBias * spacingM + 0.002 * gaussian(random);
        const noisy: Pose = {
          position: [
            step.position[0] * scale * (1 + 0.01 * gaussian(random)),
            step.position[1] * scale + 0.005 * gaussian(random),
            0,
          ],
          orientation: step.orientation,
        };
        odometry = composePoses(odometry, composePoses(noisy, { position: [0, 0, 0], orientation: aboutUp(yaw) }));
      }
      before = truth;
      return {
        index,
        stampNs: (options.startNs ?? 0n) + BigInt(Math.round(timeS * 1e9)),
        distanceM,
        truth,
        odometry,
        render: (name) =>
          renderer.render(
            {
              x: point.x,
              y: point.y,
              heading: heading + SAMPLE_CAMERA_YAW[name],
              heightM: SAMPLE_CAMERA_HEIGHT_M,
              pitch,
            },
            people.at(timeS),
            seedOf(seed, index, name.length),
          ),
      } satisfies TraverseFrame;
    });
  }
}

function aboutUp(yaw: number): Pose['orientation'] {
  return [0, 0, sine(yaw / 2), cosine(yaw / 2)];
}
