import type { CameraParameters } from '../config/parseParameters.js';
import { parseImageCdr } from '../core/parseImageCdr.js';
import type { StampedImage } from '../core/StampedImage.js';
import { messageOf } from '../core/VprError.js';
import { CameraStatistics } from './CameraStatistics.js';
import { ImageSlot } from './ImageSlot.js';
import { chooseImageSource, type ImageSource } from './imageTransport.js';
import type { NodeLog } from './NodeLog.js';
import { createQos, incompatibility } from './qos.js';
import type { RosEndpoint, RosModule, RosNode, RosSubscription, RosSubscriptionEvents } from './RosApi.js';
import { describeSilence, isSilent } from './topicWatchdog.js';

const GRAPH_PERIOD_MS = 200;
const WARNING_PERIOD_MS = 10_000;

export interface CameraInputOptions {
  readonly ros: RosModule;
  readonly node: RosNode;
  readonly log: NodeLog;
  readonly parameters: CameraParameters;
  readonly watchdogS: () => number;
  /** An image is in the slot. */
  readonly onImage: () => void;
  readonly nowMs?: () => number;
}

/**
 * One camera: finds its topic's transport, subscribes to serialised messages, reads their headers and keeps the latest
 * image in its slot. Pixels are never copied here.
 */
export class CameraInput {
  readonly name: string;
  readonly slot = new ImageSlot();
  readonly statistics: CameraStatistics;
  readonly #options: CameraInputOptions;
  readonly #baseTopic: string;
  readonly #nowMs: () => number;
  readonly #subscribedAtMs: number;
  #source: ImageSource | undefined;
  #subscription: RosSubscription | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Who waits for an image outside the stream, in the order they asked: each gets one of its own. */
  readonly #waiting: ((image: StampedImage) => void)[] = [];
  #lastInvalid: string | undefined;

  constructor(options: CameraInputOptions) {
    this.#options = options;
    this.name = options.parameters.name;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#subscribedAtMs = this.#nowMs();
    this.statistics = new CameraStatistics(this.#subscribedAtMs);
    this.#baseTopic = options.node.resolveTopicName(options.parameters.topic);
    this.#findSource();
    this.#timer = setInterval(() => this.#watch(), GRAPH_PERIOD_MS);
  }

  /** "/front/image_raw (sensor_msgs/msg/Image)", or what is looked for. */
  get sourceText(): string {
    if (this.#source === undefined) return `${this.#baseTopic} (no images published yet)`;
    return `${this.#source.topic} (${this.#source.type})`;
  }

  get isSilent(): boolean {
    return isSilent(this.statistics.lastArrivalMs ?? this.#subscribedAtMs, this.#nowMs(), this.#options.watchdogS());
  }

  /** Why nothing comes; undefined while images come. */
  silence(): string | undefined {
    if (!this.isSilent) return undefined;
    const topics = [this.#source?.topic ?? this.#baseTopic, ...(this.#source === undefined ? this.#compressed() : [])];
    const publishers = topics.flatMap((topic) => this.#options.node.getPublishersInfoByTopic(topic));
    return describeSilence({
      name: `camera '${this.name}'`,
      topic: this.#source?.topic ?? this.#baseTopic,
      expectedType: this.#source?.type ?? 'Image or CompressedImage',
      publishers,
      silentS: (this.#nowMs() - (this.statistics.lastArrivalMs ?? this.#subscribedAtMs)) / 1000,
      lastStampAgeS:
        this.statistics.lastStampNs === undefined
          ? undefined
          : Number(this.#options.node.now().nanoseconds - this.statistics.lastStampNs) / 1e9,
      incompatibleQos: this.#incompatibleQos(publishers),
      lastInvalid: this.#lastInvalid,
    });
  }

  /** The next image that arrives, taken out of the stream. Rejects when none comes in time. */
  nextImage(timeoutMs: number): Promise<StampedImage> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1);
        reject(new Error(`Expected an image of camera '${this.name}' within ${timeoutMs} ms, got none`));
      }, timeoutMs);
      const take = (image: StampedImage): void => {
        clearTimeout(timer);
        resolve(image);
      };
      this.#waiting.push(take);
    });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#unsubscribe();
  }

  #compressed(): string[] {
    return [`${this.#baseTopic}/compressed`];
  }

  #watch(): void {
    const { log, node, parameters } = this.#options;
    if (this.#source === undefined) {
      this.#findSource();
    } else if (parameters.imageTransport === 'auto' && this.isSilent) {
      // The camera came back with the other transport?
      if (!node.getPublishersInfoByTopic(this.#source.topic).some((one) => one.topic_type === this.#source?.type))
        this.#findSource();
    }
    // The event does not come for publishers that were there first, nor on every distribution.
    if (this.#source !== undefined && this.statistics.received === 0) this.#warnOfQos(this.#source);
    const silence = this.silence();
    if (silence !== undefined) log.warnEvery(`silent ${this.name}`, WARNING_PERIOD_MS, silence);
  }

  #findSource(): void {
    const { log, node, parameters } = this.#options;
    const source = chooseImageSource(this.#baseTopic, parameters.imageTransport, (topic) =>
      node.getPublishersInfoByTopic(topic).map((publisher) => publisher.topic_type),
    );
    if (source === undefined || (source.topic === this.#source?.topic && source.type === this.#source.type)) return;
    this.#unsubscribe();
    this.#source = source;
    this.#subscription = this.#subscribe(source);
    log.info(`camera '${this.name}': listening to ${this.sourceText}, ${this.#qosText()}`);
  }

  #qosText(): string {
    const { qosReliability, qosDurability, qosDepth } = this.#options.parameters;
    return `${qosReliability}, ${qosDurability}, keep last ${qosDepth}`;
  }

  #subscribe(source: ImageSource): RosSubscription {
    const { ros, node, parameters } = this.#options;
    const qos = createQos(ros, parameters.qosDepth, parameters.qosReliability, parameters.qosDurability);
    return node.createSubscription(
      source.type,
      source.topic,
      { qos, isRaw: true },
      (bytes: Uint8Array) => this.#onMessage(source, bytes),
      this.#events(source),
    );
  }

  #unsubscribe(): void {
    if (this.#subscription !== undefined) this.#options.node.destroySubscription(this.#subscription);
    this.#subscription = undefined;
  }

  /** QoS events, which rclnodejs has from Jazzy on; before, the watchdog is all there is. */
  #events(source: ImageSource): RosSubscriptionEvents | undefined {
    const { ros } = this.#options;
    let events: RosSubscriptionEvents;
    try {
      events = new ros.SubscriptionEventCallbacks();
    } catch {
      return undefined;
    }
    events.incompatibleQos = () => this.#warnOfQos(source);
    events.messageLost = (event) => {
      this.statistics.lost = Math.max(this.statistics.lost, Number(event['total_count'] ?? 0));
    };
    return events;
  }

  #warnOfQos({ topic }: ImageSource): void {
    const { log, node } = this.#options;
    const why = this.#incompatibleQos(node.getPublishersInfoByTopic(topic));
    if (why !== undefined)
      log.warnEvery(
        `QoS ${this.name}`,
        WARNING_PERIOD_MS,
        `camera '${this.name}': incompatible QoS on ${topic}: ${why}`,
      );
  }

  /** From the graph: the middleware's event says that there is a mismatch, not which, and not on every distribution. */
  #incompatibleQos(publishers: readonly RosEndpoint[]): string | undefined {
    const { qosReliability: reliability, qosDurability: durability } = this.#options.parameters;
    return publishers
      .map((publisher) => incompatibility({ reliability, durability }, publisher.qos_profile))
      .find((why) => why !== undefined);
  }

  #onMessage(source: ImageSource, bytes: Uint8Array): void {
    const { log } = this.#options;
    const nowMs = this.#nowMs();
    let parsed;
    try {
      parsed = parseImageCdr(source.type, bytes, source.topic);
      if (parsed.image.data.length === 0)
        throw new Error(`Expected pixels in the image, got 0 bytes [${source.topic}]`);
    } catch (error) {
      this.statistics.invalid++;
      this.#lastInvalid = messageOf(error);
      log.warnEvery(`invalid ${this.name}`, WARNING_PERIOD_MS, `camera '${this.name}': ${this.#lastInvalid}`);
      return;
    }
    this.statistics.arrived(parsed.stampNs, nowMs);
    this.#lastInvalid = undefined;
    const image: StampedImage = {
      image: parsed.image,
      camera: this.name,
      frameId: parsed.frameId,
      stampNs: parsed.stampNs,
      name: `${source.topic} @ ${parsed.stampNs}`,
    };
    const take = this.#waiting.shift();
    if (take !== undefined) {
      take(image);
      return;
    }
    if (this.slot.put({ image, arrivedMs: nowMs })) this.statistics.dropped++;
    this.#options.onImage();
  }
}
