/** Stamps further apart than this many periods are a pause or a jump, not lost images. */
const LONGEST_GAP_PERIODS = 30;
const PERIODS_KEPT = 64;

/** Counts of one camera's images since activation, and what the stamps say of the ones that never came. */
export class CameraStatistics {
  received = 0;
  processed = 0;
  /** Replaced in the slot by a newer one before the worker was free. */
  dropped = 0;
  /** Messages that are no image: truncated, garbage. */
  invalid = 0;
  /** Images that could not be decoded or described. */
  failed = 0;
  /** Losses that the middleware reported. */
  lost = 0;
  /** Losses estimated from gaps between stamps. */
  missed = 0;
  lastStampNs: bigint | undefined;
  /** Monotonic clock. */
  lastArrivalMs: number | undefined;
  readonly #periodsNs: number[] = [];
  #windowStartMs: number;
  #windowReceived = 0;

  constructor(nowMs: number) {
    this.#windowStartMs = nowMs;
  }

  arrived(stampNs: bigint, nowMs: number): void {
    this.received++;
    this.#windowReceived++;
    this.lastArrivalMs = nowMs;
    const last = this.lastStampNs;
    this.lastStampNs = stampNs;
    if (last === undefined) return;
    const gapNs = Number(stampNs - last);
    if (gapNs <= 0) return;
    const period = this.#periodNs();
    if (period !== undefined && gapNs < period * LONGEST_GAP_PERIODS) this.missed += Math.round(gapNs / period) - 1;
    this.#periodsNs.push(gapNs);
    if (this.#periodsNs.length > PERIODS_KEPT) this.#periodsNs.shift();
  }

  /** Images a second since the last call. */
  takeRateHz(nowMs: number): number {
    const elapsedS = (nowMs - this.#windowStartMs) / 1000;
    const rate = elapsedS > 0 ? this.#windowReceived / elapsedS : 0;
    this.#windowReceived = 0;
    this.#windowStartMs = nowMs;
    return rate;
  }

  /** Rate at which the camera publishes, from the stamps: gaps of lost images do not lower it. */
  get publishedHz(): number | undefined {
    const period = this.#periodNs();
    return period === undefined ? undefined : 1e9 / period;
  }

  /** The lower quartile of the gaps: robust against losses as long as a quarter of the images have a neighbour. */
  #periodNs(): number | undefined {
    if (this.#periodsNs.length < 8) return undefined;
    const sorted = [...this.#periodsNs].sort((a, b) => a - b);
    return sorted[sorted.length >> 2];
  }
}
