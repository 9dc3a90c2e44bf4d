import type { ReferenceId } from '../core/reference.js';
import type { ExcludedIds } from '../search/PlaceSearch.js';

/** References of this run, by time: in slam mode the latest look like the query because the robot has hardly moved. */
export class RecentReferences {
  #ids: ReferenceId[] = [];
  #stampsNs: bigint[] = [];
  #start = 0;

  add(referenceId: ReferenceId, stampNs: bigint): void {
    this.#ids.push(referenceId);
    this.#stampsNs.push(stampNs);
  }

  /** Everything so far is old: the clock jumped. */
  clear(): void {
    this.#ids = [];
    this.#stampsNs = [];
    this.#start = 0;
  }

  /** Ranges to leave out of a search at this stamp. */
  excluded(stampNs: bigint, recentS: number): ExcludedIds {
    const limitNs = stampNs - BigInt(Math.round(recentS * 1e9));
    while (this.#start < this.#ids.length && this.#stampsNs[this.#start]! <= limitNs) this.#start++;
    return this.#start === this.#ids.length ? [] : [[this.#ids[this.#start]!, this.#ids.at(-1)!]];
  }
}
