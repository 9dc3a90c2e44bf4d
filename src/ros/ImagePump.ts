import type { Recognition } from '../core/recognition.js';
import { messageOf, VprError } from '../core/VprError.js';
import type { Recognizer } from '../worker/protocol.js';
import type { CameraInput } from './CameraInput.js';
import type { WaitingImage } from './ImageSlot.js';
import type { NodeLog } from './NodeLog.js';
import type { PoseTrack } from './PoseTrack.js';

const WARNING_PERIOD_MS = 5_000;

export interface ImagePumpOptions {
  readonly recognizer: Recognizer;
  readonly cameras: readonly CameraInput[];
  /** Poses for new references, and odometry; absent where no topic is set. */
  readonly poses?: PoseTrack;
  readonly odometry?: PoseTrack;
  readonly log: NodeLog;
  readonly onResult: (recognition: Recognition, queueMs: number) => void;
  readonly nowMs?: () => number;
}

/** Hands the cameras' latest images to the worker, one at a time, in turns. */
export class ImagePump {
  readonly #options: ImagePumpOptions;
  readonly #nowMs: () => number;
  #next = 0;
  #busy: Promise<void> | undefined;
  #stopped = false;

  constructor(options: ImagePumpOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** An image has arrived somewhere, or the worker is free again. */
  kick(): void {
    if (this.#stopped || this.#busy !== undefined) return;
    const turn = this.#take();
    if (turn === undefined) return;
    this.#busy = this.#process(turn.camera, turn.waiting).finally(() => {
      this.#busy = undefined;
      this.kick();
    });
  }

  /** Takes no more images; resolves when the one in the worker is answered. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#busy;
  }

  #take(): { camera: CameraInput; waiting: WaitingImage } | undefined {
    const { cameras } = this.#options;
    for (let i = 0; i < cameras.length; i++) {
      const camera = cameras[(this.#next + i) % cameras.length]!;
      const waiting = camera.slot.take();
      if (waiting === undefined) continue;
      this.#next = (this.#next + i + 1) % cameras.length;
      return { camera, waiting };
    }
    return undefined;
  }

  async #process(camera: CameraInput, { image, arrivedMs }: WaitingImage): Promise<void> {
    const { recognizer, poses, odometry, log } = this.#options;
    const queueMs = this.#nowMs() - arrivedMs;
    const pose = poses?.at(image.stampNs);
    const odomFromBase = odometry?.at(image.stampNs);
    try {
      const recognition = await recognizer.recognize({
        ...image,
        ...(pose === undefined ? {} : { pose }),
        ...(odomFromBase === undefined ? {} : { odometry: odomFromBase }),
      });
      camera.statistics.processed++;
      // A result that comes after deactivate belongs to nobody.
      if (!this.#stopped) this.#options.onResult(recognition, queueMs);
    } catch (error) {
      camera.statistics.failed++;
      const code = error instanceof VprError ? ` (${error.code})` : '';
      log.warnEvery(`failed ${camera.name}`, WARNING_PERIOD_MS, `camera '${camera.name}': ${messageOf(error)}${code}`);
    }
  }
}
