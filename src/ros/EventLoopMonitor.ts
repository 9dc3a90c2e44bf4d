import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';

const RESOLUTION_MS = 5;

export interface EventLoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** How late the main thread's event loop is: what a blocked callback costs every other. */
export class EventLoopMonitor {
  readonly #window: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #total: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#window.enable();
    this.#total.enable();
  }

  /** Since the last call. */
  takeWindow(): EventLoopDelay {
    const delay = read(this.#window);
    this.#window.reset();
    return delay;
  }

  /** Since activation. */
  total(): EventLoopDelay {
    return read(this.#total);
  }

  close(): void {
    this.#window.disable();
    this.#total.disable();
  }
}

/** The histogram holds times between two ticks of a timer; what exceeds its period is delay. */
function read(histogram: IntervalHistogram): EventLoopDelay {
  const delay = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  if (histogram.count === 0) return { p50Ms: 0, p99Ms: 0, maxMs: 0 };
  return {
    p50Ms: delay(histogram.percentile(50)),
    p99Ms: delay(histogram.percentile(99)),
    maxMs: delay(histogram.max),
  };
}
