import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** Period of the timer that looks; each look wakes the thread up. */
const PERIOD_MS = 10;

export interface EventLoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** How late the main thread's event loop is: what a blocked callback costs every other. One timer for both histograms. */
export class EventLoopMonitor {
  readonly #window = createHistogram();
  readonly #total = createHistogram();
  readonly #timer: NodeJS.Timeout;
  #lastMs: number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#lastMs = nowMs();
    this.#timer = setInterval(() => {
      const now = nowMs();
      // What the time between two ticks has beyond the period is delay; a histogram holds whole numbers from 1.
      const delayNs = Math.max(1, Math.round((now - this.#lastMs - PERIOD_MS) * 1e6));
      this.#lastMs = now;
      this.#window.record(delayNs);
      this.#total.record(delayNs);
    }, PERIOD_MS);
    this.#timer.unref();
  }

  /** Since the last call, and since the last `restart`. */
  take(): { readonly window: EventLoopDelay; readonly total: EventLoopDelay } {
    const delays = { window: read(this.#window), total: read(this.#total) };
    this.#window.reset();
    return delays;
  }

  restart(): void {
    this.#total.reset();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function read(histogram: RecordableHistogram): EventLoopDelay {
  if (histogram.count === 0) return { p50Ms: 0, p99Ms: 0, maxMs: 0 };
  return {
    p50Ms: histogram.percentile(50) / 1e6,
    p99Ms: histogram.percentile(99) / 1e6,
    maxMs: histogram.max / 1e6,
  };
}
