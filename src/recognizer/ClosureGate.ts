import type { PlaceId } from '../core/reference.js';

export interface ClosureGateSettings {
  readonly debounceS: number;
  readonly muteAfterRejections: number;
  readonly muteS: number;
}

interface PlaceRecord {
  rejections: number;
  mutedUntilNs: bigint;
}

/**
 * Remembers what a back end made of closures: places that it rejects again and again are muted for a while. Times are the
 * StreamClock's, nanoseconds: they do not jump.
 */
export class ClosureGate {
  readonly #places = new Map<PlaceId, PlaceRecord>();
  readonly #lastSentNs = new Map<PlaceId, bigint>();

  isMuted(placeId: PlaceId, timeNs: bigint): boolean {
    const record = this.#places.get(placeId);
    return record !== undefined && timeNs < record.mutedUntilNs;
  }

  /** Places that are muted at this time, ascending. */
  mutedPlaces(timeNs: bigint): PlaceId[] {
    return [...this.#places.keys()].filter((placeId) => this.isMuted(placeId, timeNs)).sort((a, b) => a - b);
  }

  report(placeId: PlaceId, accepted: boolean, timeNs: bigint, settings: ClosureGateSettings): void {
    if (accepted) {
      this.#places.delete(placeId);
      return;
    }
    const record = this.#places.get(placeId) ?? { rejections: 0, mutedUntilNs: -(2n ** 63n) };
    record.rejections++;
    if (record.rejections >= settings.muteAfterRejections) {
      record.mutedUntilNs = timeNs + BigInt(Math.round(settings.muteS * 1e9));
      record.rejections = 0;
    }
    this.#places.set(placeId, record);
  }

  /** True, and remembered as sent, unless one to this place went out less than debounceS ago. */
  trySend(placeId: PlaceId, timeNs: bigint, settings: ClosureGateSettings): boolean {
    const last = this.#lastSentNs.get(placeId);
    if (last !== undefined && Number(timeNs - last) / 1e9 < settings.debounceS) return false;
    this.#lastSentNs.set(placeId, timeNs);
    return true;
  }

  /** Forgets when closures went out (jumps in time), not what the back end rejected. */
  resetTimes(): void {
    this.#lastSentNs.clear();
  }
}
