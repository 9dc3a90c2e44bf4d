import { interpolatePoses, isFinitePose, normalizeQuaternion, type Pose } from '../core/pose.js';
import type { NodeLog } from './NodeLog.js';
import type { RosModule, RosNode, RosSubscription } from './RosApi.js';
import { createQos } from './qos.js';
import { poseOf, type PoseMessage } from './poseMessage.js';
import { stampNsOf, type StampMessage } from './stamp.js';

const GRAPH_PERIOD_MS = 200;
const KEPT = 400;
/** A pose that is further from the image's stamp than this says nothing about the image. */
const TOLERANCE_NS = 250_000_000n;

/** Message types that hold a pose, and where. */
const POSE_OF: Readonly<Record<string, (message: Record<string, unknown>) => PoseMessage>> = {
  'nav_msgs/msg/Odometry': (message) => (message['pose'] as { pose: PoseMessage }).pose,
  'geometry_msgs/msg/PoseWithCovarianceStamped': (message) => (message['pose'] as { pose: PoseMessage }).pose,
  'geometry_msgs/msg/PoseStamped': (message) => message['pose'] as PoseMessage,
};

export interface PoseTrackOptions {
  readonly ros: RosModule;
  readonly node: RosNode;
  readonly log: NodeLog;
  /** Parameter that names the topic, for messages. */
  readonly parameter: string;
  readonly topic: string;
}

/** The last poses of a topic, whatever message type carries them, by stamp. */
export class PoseTrack {
  readonly #options: PoseTrackOptions;
  readonly #topic: string;
  readonly #poses: { readonly stampNs: bigint; readonly pose: Pose }[] = [];
  #subscription: RosSubscription | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PoseTrackOptions) {
    this.#options = options;
    this.#topic = options.node.resolveTopicName(options.topic);
    this.#timer = setInterval(() => this.#findType(), GRAPH_PERIOD_MS);
    this.#findType();
  }

  /** The pose at a stamp: interpolated, or the nearest within a quarter of a second; undefined where there is none. */
  at(stampNs: bigint): Pose | undefined {
    const later = this.#poses.findIndex((entry) => entry.stampNs >= stampNs);
    const after = later === -1 ? undefined : this.#poses[later];
    const before = later === -1 ? this.#poses.at(-1) : this.#poses[later - 1];
    const near = (entry: typeof after): boolean => entry !== undefined && abs(entry.stampNs - stampNs) <= TOLERANCE_NS;
    if (before !== undefined && after !== undefined && near(before) && near(after)) {
      const t = Number(stampNs - before.stampNs) / Number(after.stampNs - before.stampNs);
      return interpolatePoses(before.pose, after.pose, t);
    }
    if (near(after)) return after!.pose;
    return near(before) ? before!.pose : undefined;
  }

  close(): void {
    clearInterval(this.#timer);
    if (this.#subscription !== undefined) this.#options.node.destroySubscription(this.#subscription);
    this.#subscription = undefined;
  }

  #findType(): void {
    const { ros, node, log, parameter } = this.#options;
    const type = node
      .getPublishersInfoByTopic(this.#topic)
      .map((publisher) => publisher.topic_type)
      .find((candidate) => candidate in POSE_OF);
    if (type === undefined) return;
    clearInterval(this.#timer);
    log.info(`${parameter}: listening to ${this.#topic} (${type})`);
    this.#subscription = node.createSubscription(
      type,
      this.#topic,
      { qos: createQos(ros, 50, 'best_effort', 'volatile') },
      (message: Record<string, unknown>) => this.#onPose(type, message),
    );
  }

  #onPose(type: string, message: Record<string, unknown>): void {
    const stampNs = stampNsOf((message['header'] as { stamp: StampMessage }).stamp);
    const pose = poseOf(POSE_OF[type]!(message));
    const orientation = normalizeQuaternion(pose.orientation);
    if (orientation === undefined || !isFinitePose(pose)) {
      const { log, parameter } = this.#options;
      log.warnEvery(`pose ${parameter}`, 10_000, `${parameter}: Expected a finite pose on ${this.#topic}, got none`);
      return;
    }
    const last = this.#poses.at(-1);
    // Time went back: a bag was looped, and what is remembered belongs to the last round.
    if (last !== undefined && stampNs <= last.stampNs) this.#poses.length = 0;
    this.#poses.push({ stampNs, pose: { position: pose.position, orientation } });
    if (this.#poses.length > KEPT) this.#poses.shift();
  }
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}
