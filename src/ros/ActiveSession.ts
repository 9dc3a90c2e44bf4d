import type { ParameterValue } from '../config/Parameter.js';
import type { NodeParameters } from '../config/parseParameters.js';
import type { Recognition } from '../core/recognition.js';
import type { StampedImage } from '../core/StampedImage.js';
import { VprError } from '../core/VprError.js';
import type { Recognizer } from '../worker/protocol.js';
import { AlignPoseService } from './adapters/AlignPoseService.js';
import { InitialPoseAdapter } from './adapters/InitialPoseAdapter.js';
import { RtabmapAdapter } from './adapters/RtabmapAdapter.js';
import { CameraInput } from './CameraInput.js';
import { ImagePump } from './ImagePump.js';
import { LatencyWindow } from './LatencyWindow.js';
import type { NodeLog } from './NodeLog.js';
import { PoseTrack } from './PoseTrack.js';
import { localizedPoseMessage } from './resultMessages.js';
import type { ResultPublisher } from './ResultPublisher.js';
import type { RosModule, RosNode } from './RosApi.js';
import type { StatePublisher } from './StatePublisher.js';

export interface ActiveSessionOptions {
  readonly ros: RosModule;
  readonly node: RosNode;
  readonly log: NodeLog;
  readonly parameters: NodeParameters;
  /** Current values by ROS name: dynamic ones change. */
  readonly values: () => Readonly<Record<string, ParameterValue>>;
  readonly recognizer: Recognizer;
  readonly results: ResultPublisher;
  readonly state: StatePublisher;
  /** An image of the stream became a reference. */
  readonly onGrown: () => void;
}

interface LocalizeAnswer {
  readonly success: boolean;
  readonly message: string;
}

/** What lives from activate to deactivate: cameras, pose topics, adapters, and the way of an image through them. */
export class ActiveSession {
  readonly cameras: readonly CameraInput[];
  /** Of the pose and odometry topics that are set. */
  readonly tracks: readonly PoseTrack[];
  readonly latency = new LatencyWindow();
  readonly #options: ActiveSessionOptions;
  readonly #opened: { close(): void }[] = [];
  readonly #poses: PoseTrack | undefined;
  readonly #pump: ImagePump;
  readonly #initialPose: InitialPoseAdapter;
  readonly #rtabmap: RtabmapAdapter;
  readonly #align: AlignPoseService | undefined;
  readonly #listeners = new Set<(recognition: Recognition) => void>();

  constructor(options: ActiveSessionOptions) {
    this.#options = options;
    const keep = <T extends { close(): void }>(opened: T): T => {
      this.#opened.push(opened);
      return opened;
    };
    try {
      const { ros, node, log, parameters, recognizer } = options;
      const watchdogS = (): number => options.values()['watchdog_s'] as number;
      const track = (parameter: string, topic: string): PoseTrack | undefined =>
        topic === '' ? undefined : keep(new PoseTrack({ ros, node, log, parameter, topic, watchdogS }));
      this.#poses = track('pose_topic', parameters.poseTopic);
      const odometry = track('odometry_topic', parameters.odometryTopic);
      this.tracks = [this.#poses, odometry].filter((one) => one !== undefined);
      const wantsInitialPose = (): boolean => options.values()['publish_initialpose_when_lost'] === true;
      this.#initialPose = keep(new InitialPoseAdapter(ros, node, wantsInitialPose));
      this.#rtabmap = keep(
        new RtabmapAdapter({
          ros,
          node,
          log,
          publishGlobalPose: parameters.publishRtabmapGlobalPose,
          baseFrame: parameters.baseFrame,
          publishLinks: parameters.publishRtabmapLinks,
        }),
      );
      this.#align = parameters.serveAlignPose ? keep(new AlignPoseService(node, log)) : undefined;
      const onImage = (): void => this.#pump.kick();
      this.cameras = parameters.cameras.map((camera) =>
        keep(new CameraInput({ ros, node, log, parameters: camera, watchdogS, onImage })),
      );
      this.#pump = new ImagePump({
        recognizer,
        cameras: this.cameras,
        ...(this.#poses === undefined ? {} : { poses: this.#poses }),
        ...(odometry === undefined ? {} : { odometry }),
        log,
        onResult: (recognition, queueMs) => this.#onResult(recognition, queueMs),
      });
    } catch (error) {
      // A topic that is no name, say: what was opened before it must not listen on.
      this.#closeAll();
      throw error;
    }
  }

  /** With its pose, as an image of the stream has it. */
  async nextImage(camera: string, timeoutMs: number): Promise<StampedImage> {
    const input = camera === '' ? this.cameras[0] : this.cameras.find(({ name }) => name === camera);
    if (input === undefined)
      throw new VprError(
        'ARGUMENT_INVALID',
        `Expected one of ${this.cameras.map(({ name }) => name).join(', ')} for 'camera', got '${camera}'`,
      );
    const image = await input.nextImage(timeoutMs);
    const pose = this.#poses?.at(image.stampNs);
    return pose === undefined ? image : { ...image, pose };
  }

  /** The recognizer knows nothing of the place any more: another map, a worker that was started again, `~/localize`. */
  forgetPlace(): void {
    this.#options.state.resetPlace();
    this.#initialPose.reset();
    this.#align?.reset();
  }

  /** Starts from scratch and waits for the first accepted place. */
  async localize(timeoutMs: number): Promise<LocalizeAnswer> {
    await this.#options.recognizer.resetFilter();
    this.forgetPlace();
    return new Promise((resolve) => {
      let last: Recognition | undefined;
      const end = (answer: LocalizeAnswer): void => {
        clearTimeout(timer);
        this.#listeners.delete(listen);
        resolve(answer);
      };
      const listen = (recognition: Recognition): void => {
        last = recognition;
        if (!recognition.accepted) return;
        const { placeId, label, confidence } = recognition;
        end({ success: true, message: `place ${placeId} (${label}), confidence ${confidence.toFixed(3)}` });
      };
      const timer = setTimeout(() => {
        const why = last === undefined ? 'no image was processed' : `the last image was rejected: ${last.rejectReason}`;
        end({ success: false, message: `no place within ${timeoutMs / 1000} s; ${why}` });
      }, timeoutMs);
      this.#listeners.add(listen);
    });
  }

  /** Unsubscribes, and waits for the image that the worker has. */
  async close(): Promise<void> {
    this.#closeAll();
    await this.#pump.stop();
  }

  #closeAll(): void {
    for (const opened of this.#opened) opened.close();
    this.#opened.length = 0;
  }

  #onResult(recognition: Recognition, queueMs: number): void {
    const { results, state, recognizer, log } = this.#options;
    this.latency.add(recognition.latency, queueMs);
    results.publish(recognition, recognizer, queueMs);
    state.see(recognition);
    const pose = localizedPoseMessage(recognition, recognizer.info.map.mapFrame);
    // Whoever starts from a pose needs its heading.
    const whole = recognition.pose?.headingUnknown === true ? undefined : pose;
    if (this.#initialPose.see(recognition.state, whole)) log.info('published initialpose');
    if (whole !== undefined) {
      this.#rtabmap.seePose(whole);
      this.#align?.see({ message: whole, confidence: recognition.confidence });
    }
    if (recognition.loopClosure !== undefined) this.#rtabmap.seeClosure(recognition.loopClosure);
    if (recognition.addedReferenceId !== undefined) this.#options.onGrown();
    for (const listen of this.#listeners) listen(recognition);
  }
}
