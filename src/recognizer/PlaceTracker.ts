import type { PlaceState, RejectReason } from '../core/recognition.js';
import type { Reference } from '../core/reference.js';

export interface Judgement {
  readonly state: PlaceState;
  readonly accepted: boolean;
  readonly rejectReason: RejectReason;
}

/**
 * States with hysteresis. A place is confirmed by several images in a row that fit together; a confirmed robot stays
 * LOCALIZED over single rejected images (each of which says that it was rejected) and is LOST after many in a row.
 */
export class PlaceTracker {
  #state: PlaceState = 'unknown';
  #confirmations = 0;
  #rejections = 0;
  #last: Reference | undefined;

  get state(): PlaceState {
    return this.#state;
  }

  reset(): void {
    this.#state = 'unknown';
    this.#confirmations = 0;
    this.#rejections = 0;
    this.#last = undefined;
  }

  /** The image's place was refused before it came to consistency. likely: still worth being called a candidate. */
  reject(rejectReason: RejectReason, likely: boolean, lostAfterImages: number): Judgement {
    this.#rejections++;
    this.#confirmations = 0;
    if (this.#state === 'localized') {
      if (this.#rejections >= lostAfterImages) this.#state = 'lost';
    } else if (this.#state !== 'lost') {
      this.#state = likely ? 'candidate' : 'unknown';
    } else if (likely) {
      this.#state = 'candidate';
    }
    return { state: this.#state, accepted: false, rejectReason };
  }

  /**
   * The image's place is good enough by itself. fits: whether it is near where the last such image put the robot, given
   * the motion. confirmImages: images in a row that confirm (1: at once).
   */
  accept(reference: Reference, fits: (last: Reference) => boolean, confirmImages: number): Judgement {
    const consistent = this.#last !== undefined && fits(this.#last);
    this.#confirmations = consistent ? this.#confirmations + 1 : 1;
    this.#rejections = 0;
    this.#last = reference;
    if (this.#confirmations >= confirmImages || (this.#state === 'localized' && consistent)) {
      this.#state = 'localized';
      return { state: this.#state, accepted: true, rejectReason: 'none' };
    }
    this.#state = 'candidate';
    return { state: this.#state, accepted: false, rejectReason: 'temporal' };
  }
}
