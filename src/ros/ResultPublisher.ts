import type { Recognition } from '../core/recognition.js';
import { messageOf } from '../core/VprError.js';
import type { MapSummary, PlaceSummary, Recognizer } from '../worker/protocol.js';
import type { NodeLog } from './NodeLog.js';
import { placeMarkers } from './placeMarkers.js';
import { latchedQos, resultQos } from './qos.js';
import { localizedPoseMessage, loopClosureMessage, mapInfoMessage, placeMatchMessage } from './resultMessages.js';
import type { RosMessage, RosModule, RosNode, RosPublisher } from './RosApi.js';
import { stampMessage } from './stamp.js';

const PLACES_PERIOD_MS = 5_000;

/** The answers' topics. Pictures and markers are made only while somebody listens. */
export class ResultPublisher {
  readonly #node: RosNode;
  readonly #log: NodeLog;
  readonly #place: RosPublisher;
  readonly #closure: RosPublisher;
  readonly #pose: RosPublisher;
  readonly #mapInfo: RosPublisher;
  readonly #matchImage: RosPublisher;
  readonly #markers: RosPublisher;
  /** Of the map with so many references. */
  #places: { readonly references: number; readonly places: readonly PlaceSummary[] } | undefined;
  #placesSentMs = -Infinity;
  #busy = false;

  constructor(ros: RosModule, node: RosNode, log: NodeLog) {
    this.#node = node;
    this.#log = log;
    const qos = resultQos(ros);
    this.#place = node.createPublisher('vpr_node/msg/PlaceMatch', '~/place', { qos });
    this.#closure = node.createPublisher('vpr_node/msg/LoopClosure', '~/loop_closure', { qos });
    this.#pose = node.createPublisher('geometry_msgs/msg/PoseWithCovarianceStamped', '~/pose', { qos });
    this.#mapInfo = node.createPublisher('vpr_node/msg/MapInfo', '~/map_info', { qos: latchedQos(ros) });
    this.#matchImage = node.createPublisher('sensor_msgs/msg/CompressedImage', '~/match_image/compressed', { qos });
    this.#markers = node.createPublisher('visualization_msgs/msg/MarkerArray', '~/markers', { qos: latchedQos(ros) });
  }

  publish(recognition: Recognition, recognizer: Recognizer, queueMs: number): void {
    const { info } = recognizer;
    this.#place.publish(placeMatchMessage(recognition, info, queueMs));
    if (recognition.loopClosure !== undefined)
      this.#closure.publish(loopClosureMessage(recognition.loopClosure, info.map.mapFrame));
    const pose = localizedPoseMessage(recognition, info.map.mapFrame);
    if (pose !== undefined) this.#pose.publish(pose);
    this.#publishOnDemand(recognition, recognizer);
  }

  publishMap(map: MapSummary): void {
    this.#places = undefined;
    this.#mapInfo.publish(this.mapInfo(map));
  }

  mapInfo(map: MapSummary): RosMessage {
    return mapInfoMessage(map, this.#node.now().nanoseconds);
  }

  /** One at a time: a slow listener must not make the requests to the worker pile up. */
  #publishOnDemand(recognition: Recognition, recognizer: Recognizer): void {
    const wantsImage = this.#matchImage.subscriptionCount > 0 && recognition.referenceId !== 0;
    const wantsMarkers = this.#markers.subscriptionCount > 0;
    if (this.#busy || (!wantsImage && !wantsMarkers)) return;
    this.#busy = true;
    const work = async (): Promise<void> => {
      if (wantsImage) await this.#publishMatchImage(recognition, recognizer);
      if (wantsMarkers) await this.#publishMarkers(recognition, recognizer);
    };
    work()
      .catch((error: unknown) => this.#log.warnEvery('on demand', 10_000, `~/markers: ${messageOf(error)}`))
      .finally(() => {
        this.#busy = false;
      });
  }

  async #publishMatchImage(recognition: Recognition, recognizer: Recognizer): Promise<void> {
    const jpeg = await recognizer.thumbnail(recognition.referenceId);
    if (jpeg === undefined) return;
    this.#matchImage.publish({
      header: { stamp: stampMessage(recognition.stampNs), frame_id: recognition.frameId },
      format: 'jpeg',
      data: jpeg,
    });
  }

  async #publishMarkers(recognition: Recognition, recognizer: Recognizer): Promise<void> {
    const { references, mapFrame } = recognizer.info.map;
    const isNew = this.#places?.references !== references;
    if (isNew) this.#places = { references, places: await recognizer.places() };
    // Who comes later gets the last message alone, which may have no places: they are sent again and again.
    const nowMs = performance.now();
    const isDue = isNew || nowMs - this.#placesSentMs >= PLACES_PERIOD_MS;
    if (isDue) this.#placesSentMs = nowMs;
    this.#markers.publish(placeMarkers(isDue ? this.#places?.places : undefined, recognition, mapFrame));
  }
}
