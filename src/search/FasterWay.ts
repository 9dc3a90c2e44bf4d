/** How codes are scanned: by the owner alone, or by all threads. */
export type ScanWay = 'alone' | 'shared';

/** Scans of each way at first, of which the fastest counts: the first ones run code that is not optimised yet. */
const FIRST_SCANS = 16;
/**
 * So many scans in a row try the way that was slower lately, since threads are quicker when they have just been at work;
 * and so few of all that a 99th percentile does not show them.
 */
const PROBES = 4;
const PROBE_EVERY = 1024;

/** Learns which way to scan is the faster one, and goes on learning: cores get busy, and memory is shared. */
export class FasterWay {
  readonly #blockMs = { alone: Infinity, shared: Infinity };
  readonly #scans = { alone: 0, shared: 0 };
  #probing = false;

  /** Milliseconds a block of scans by the owner alone; Infinity before the first. */
  get aloneBlockMs(): number {
    return this.#blockMs.alone;
  }

  choose(): ScanWay {
    const { alone, shared } = this.#scans;
    if (alone < FIRST_SCANS) return 'alone';
    if (shared < FIRST_SCANS) return 'shared';
    const faster = this.#faster();
    if ((alone + shared) % PROBE_EVERY >= PROBES) return faster;
    return faster === 'alone' ? 'shared' : 'alone';
  }

  record(way: ScanWay, blockMs: number): void {
    const before = this.#blockMs[way];
    const isFirst = this.#scans[way] < FIRST_SCANS;
    const isProbe = !isFirst && way !== this.#faster();
    this.#scans[way]++;
    // A probe that was lucky is found out by the scans that follow it.
    if (isFirst || (isProbe && this.#probing)) this.#blockMs[way] = Math.min(before, blockMs);
    else if (isProbe) this.#blockMs[way] = blockMs;
    // Exponential average over about 8 scans; one that was suspended counts as one of twice the time.
    else this.#blockMs[way] = before + (Math.min(blockMs, 2 * before) - before) / 8;
    this.#probing = isProbe;
  }

  #faster(): ScanWay {
    return this.#blockMs.shared < this.#blockMs.alone ? 'shared' : 'alone';
  }
}
