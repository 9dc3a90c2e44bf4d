import type { StageLatency } from '../core/recognition.js';

const KEPT = 200;

export interface LatencySummary {
  readonly images: number;
  readonly totalP50Ms: number;
  readonly totalP95Ms: number;
  readonly inferenceP50Ms: number;
  readonly queueP50Ms: number;
}

interface Entry {
  readonly latency: StageLatency;
  readonly queueMs: number;
}

/** Latencies of the last images. */
export class LatencyWindow {
  readonly #entries: Entry[] = [];

  add(latency: StageLatency, queueMs: number): void {
    this.#entries.push({ latency, queueMs });
    if (this.#entries.length > KEPT) this.#entries.shift();
  }

  summary(): LatencySummary {
    const percentile = (of: (entry: Entry) => number, fraction: number): number => {
      const sorted = this.#entries.map(of).sort((a, b) => a - b);
      return sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))] ?? 0;
    };
    return {
      images: this.#entries.length,
      totalP50Ms: percentile(({ latency }) => latency.totalMs, 0.5),
      totalP95Ms: percentile(({ latency }) => latency.totalMs, 0.95),
      inferenceP50Ms: percentile(({ latency }) => latency.inferenceMs, 0.5),
      queueP50Ms: percentile(({ queueMs }) => queueMs, 0.5),
    };
  }
}
