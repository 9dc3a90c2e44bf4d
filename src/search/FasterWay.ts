/** How codes are scanned: by the owner alone, or by all threads. */
export type ScanWay = 'alone' | 'shared';

/** Scans of each way at first, of which the fastest counts: the first ones run code that is not optimised yet. */
const FIRST_SCANS = 16;
/** One scan in so many tries the way that was slower lately: few enough not to be seen in a 99th percentile. */
const PROBE_EVERY = 256;

/** Learns which way to scan is the faster one, and goes on learning: cores get busy, and memory is shared. */
export class FasterWay {
  readonly #blockMs = { alone: Infinity, shared: Infinity };
  readonly #scans = { alone: 0, shared: 0 };

  /** Milliseconds a block of scans by the owner alone; Infinity before the first. */
  get aloneBlockMs(): number {
    return this.#blockMs.alone;
  }

  choose(): ScanWay {
    const { alone, shared } = this.#scans;
    if (Math.min(alone, shared) < FIRST_SCANS) return shared < alone ? 'shared' : 'alone';
    const faster = this.#faster();
    if ((alone + shared) % PROBE_EVERY !== 0) return faster;
    return faster === 'alone' ? 'shared' : 'alone';
  }

  record(way: ScanWay, blockMs: number): void {
    const before = this.#blockMs[way];
    const first = this.#scans[way] < FIRST_SCANS;
    const probe = way !== this.#faster();
    this.#scans[way]++;
    if (first) this.#blockMs[way] = Math.min(before, blockMs);
    // A probe that was lucky is found out by the scans that follow it.
    else if (probe) this.#blockMs[way] = blockMs;
    // Exponential average over about 8 scans; one that was suspended counts as one of twice the time.
    else this.#blockMs[way] = before + (Math.min(blockMs, 2 * before) - before) / 8;
  }

  #faster(): ScanWay {
    return this.#blockMs.shared < this.#blockMs.alone ? 'shared' : 'alone';
  }
}
