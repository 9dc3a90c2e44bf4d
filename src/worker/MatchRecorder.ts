import type { Recognition } from '../core/recognition.js';
import type { ReferenceId } from '../core/reference.js';
import type { PlaceMap } from '../map/PlaceMap.js';

/** Matches that are written together: a count is not worth a transaction of its own. */
const BATCH = 64;

/**
 * Counts in the map which references are accepted as matches, so that those which never match any more can be found
 * (`vpr map info --stale`). A map that is open for reading is never written to.
 */
export class MatchRecorder {
  readonly #map: Pick<PlaceMap, 'isWritable' | 'recordMatches'>;
  #pending: ReferenceId[] = [];
  #lastStampNs = 0n;

  constructor(map: Pick<PlaceMap, 'isWritable' | 'recordMatches'>) {
    this.#map = map;
  }

  note({ accepted, referenceId, stampNs }: Pick<Recognition, 'accepted' | 'referenceId' | 'stampNs'>): void {
    if (!accepted || !this.#map.isWritable) return;
    this.#pending.push(referenceId);
    this.#lastStampNs = stampNs;
    if (this.#pending.length >= BATCH) this.flush();
  }

  /** Writes what is pending. Throws as PlaceMap.recordMatches does. */
  flush(): void {
    if (this.#pending.length === 0) return;
    this.#map.recordMatches(this.#pending, this.#lastStampNs);
    this.#pending = [];
  }
}
