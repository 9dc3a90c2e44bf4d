import type { StampedImage } from '../core/StampedImage.js';
import { releaseBuffer } from '../worker/releaseBuffer.js';

/** An image that waits for the worker. */
export interface WaitingImage {
  readonly image: StampedImage;
  /** Monotonic clock. */
  readonly arrivedMs: number;
}

/** The latest image of one camera: a newer one replaces it, so that the worker always gets what the robot sees now. */
export class ImageSlot {
  #waiting: WaitingImage | undefined;

  /** Returns whether an older image was dropped for it, with its memory. */
  put(waiting: WaitingImage): boolean {
    const dropped = this.#waiting;
    this.#waiting = waiting;
    if (dropped !== undefined) releaseBuffer(dropped.image.image.data);
    return dropped !== undefined;
  }

  take(): WaitingImage | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }

  get isEmpty(): boolean {
    return this.#waiting === undefined;
  }
}
