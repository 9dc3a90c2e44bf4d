import { isFinitePose, normalizeQuaternion, type Pose } from '../core/pose.js';
import type { NodeLog } from './NodeLog.js';
import { PoseHistory } from './PoseHistory.js';
import type { RosModule, RosNode, RosSubscription } from './RosApi.js';
import { createQos } from './qos.js';
import { poseOf, type PoseMessage } from './poseMessage.js';
import { stampNsOf, type StampMessage } from './stamp.js';
import { describeSilence, isSilent } from './topicWatchdog.js';

const GRAPH_PERIOD_MS = 200;
const WARNING_PERIOD_MS = 10_000;

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
  readonly watchdogS: () => number;
}

/** The last poses of a topic, whatever message type carries them. */
export class PoseTrack {
  /** The parameter that names the topic. */
  readonly name: string;
  readonly #options: PoseTrackOptions;
  readonly #topic: string;
  readonly #poses = new PoseHistory();
  readonly #openedMs = performance.now();
  #type: string | undefined;
  #subscription: RosSubscription | undefined;
  #timer: NodeJS.Timeout | undefined;
  #received = 0;
  #lastArrivalMs: number | undefined;
  #lastStampNs: bigint | undefined;
  #lastInvalid: string | undefined;

  constructor(options: PoseTrackOptions) {
    this.#options = options;
    this.name = options.parameter;
    this.#topic = options.node.resolveTopicName(options.topic);
    this.#timer = setInterval(() => this.#watch(), GRAPH_PERIOD_MS);
    this.#findType();
  }

  /** Poses since activation. */
  get received(): number {
    return this.#received;
  }

  /** Of the pose that came last. */
  get lastStampNs(): bigint | undefined {
    return this.#lastStampNs;
  }

  /** "/odom (nav_msgs/msg/Odometry)", or what is looked for. */
  get sourceText(): string {
    return `${this.#topic} (${this.#type ?? 'no poses published yet'})`;
  }

  /** Why there are no poses; undefined while there are. */
  silence(): string | undefined {
    const { node, watchdogS } = this.#options;
    const lastMs = this.#lastArrivalMs ?? this.#openedMs;
    const nowMs = performance.now();
    if (!isSilent(lastMs, nowMs, watchdogS())) return undefined;
    const publishers = node.getPublishersInfoByTopic(this.#topic);
    // Who has sent poses and is still there may rest: localizations are quiet while the robot stands.
    if (this.#received > 0 && publishers.some(({ topic_type }) => topic_type === this.#type)) return undefined;
    return describeSilence({
      name: this.name,
      topic: this.#topic,
      expectedType: this.#type ?? 'Odometry, PoseStamped or PoseWithCovarianceStamped',
      publishers,
      silentS: (nowMs - lastMs) / 1000,
      lastStampAgeS:
        this.#lastStampNs === undefined ? undefined : Number(node.now().nanoseconds - this.#lastStampNs) / 1e9,
      // Best effort and volatile receives from everybody.
      incompatibleQos: undefined,
      lastInvalid: this.#lastInvalid,
    });
  }

  /** The pose at a stamp: interpolated, or the nearest within a quarter of a second; undefined where there is none. */
  at(stampNs: bigint): Pose | undefined {
    return this.#poses.at(stampNs);
  }

  close(): void {
    clearInterval(this.#timer);
    if (this.#subscription !== undefined) this.#options.node.destroySubscription(this.#subscription);
    this.#subscription = undefined;
  }

  #watch(): void {
    if (this.#subscription === undefined) this.#findType();
    const silence = this.silence();
    if (silence !== undefined) this.#options.log.warnEvery(`silent ${this.name}`, WARNING_PERIOD_MS, silence);
  }

  #findType(): void {
    const { ros, node, log } = this.#options;
    const type = node
      .getPublishersInfoByTopic(this.#topic)
      .map((publisher) => publisher.topic_type)
      .find((candidate) => candidate in POSE_OF);
    if (type === undefined) return;
    this.#type = type;
    log.info(`${this.name}: listening to ${this.sourceText}`);
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
      this.#lastInvalid = `Expected a finite pose on ${this.#topic}, got none`;
      this.#options.log.warnEvery(`pose ${this.name}`, WARNING_PERIOD_MS, `${this.name}: ${this.#lastInvalid}`);
      return;
    }
    this.#received++;
    this.#lastArrivalMs = performance.now();
    this.#lastStampNs = stampNs;
    this.#lastInvalid = undefined;
    this.#poses.add(stampNs, { position: pose.position, orientation });
  }
}
