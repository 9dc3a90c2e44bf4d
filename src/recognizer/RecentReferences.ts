import type { ReferenceId } from '../core/reference.js';
import type { ExcludedIds } from '../search/PlaceSearch.js';

/** References of this run, by time: in slam mode the latest look like the query because the robot has hardly moved. */
export class RecentReferences {
  readonly #ids: ReferenceId[] = [];
  /** Ascending. */
  readonly #timesNs: bigint[] = [];

  /** timeNs: of the StreamClock, not before that of the reference before. */
  add(referenceId: ReferenceId, timeNs: bigint): void {
    this.#ids.push(referenceId);
    this.#timesNs.push(timeNs);
  }

  /** Ranges to leave out of a search at this time: references that are younger than recentS. */
  excluded(timeNs: bigint, recentS: number): ExcludedIds {
    const limitNs = timeNs - BigInt(Math.round(recentS * 1e9));
    let start = 0;
    let end = this.#ids.length;
    while (start < end) {
      const middle = (start + end) >> 1;
      if (this.#timesNs[middle]! <= limitNs) start = middle + 1;
      else end = middle;
    }
    return start === this.#ids.length ? [] : [[this.#ids[start]!, this.#ids.at(-1)!]];
  }
}
