import { dotProduct, type Descriptor } from '../core/descriptor.js';
import type { ReferenceId } from '../core/reference.js';
import type { PlaceMap } from '../map/PlaceMap.js';
import type { ExcludedIds } from '../search/PlaceSearch.js';

/** Where the similarities of a query to places that it does not show lie. */
export interface Background {
  readonly median: number;
  /** Half-width: median minus the 16th percentile, at least MIN_SPREAD. The upper side would hold right matches. */
  readonly spread: number;
}

const SAMPLE = 64;
/** References that say something of all others. */
const LEAST = 4;
const MIN_SPREAD = 0.01;

/**
 * A fixed sample of the map's descriptors, evenly spread over its references: tells how similar this query is to just
 * any place, whatever the network, the map's size and the shortlist. Drawn again when the map has grown by half.
 */
export class BackgroundSample {
  #rows: { readonly id: ReferenceId; readonly descriptor: Descriptor }[] = [];
  #drawnAtSize = 0;

  /**
   * query: [D]. excluded: references that are not searched; the latest ones look like the query because the robot has hardly
   * moved, and would make every other place look strange. damaged: references that cannot be read. undefined with fewer
   * than LEAST others.
   */
  measure(
    query: Descriptor,
    map: Pick<PlaceMap, 'referenceIds' | 'readDescriptors' | 'dimension'>,
    excluded: ExcludedIds = [],
    damaged: ReadonlySet<ReferenceId> = new Set(),
  ): Background | undefined {
    const ids = map.referenceIds;
    if (ids.length < LEAST) return undefined;
    if (ids.length >= this.#drawnAtSize * 1.5 || ids.length < this.#drawnAtSize) this.#draw(map, damaged);
    const others = this.#rows.filter(({ id }) => !excluded.some(([first, last]) => id >= first && id <= last));
    if (others.length < LEAST) return undefined;
    const similarities = Float64Array.from(others, ({ descriptor }) => dotProduct(descriptor, query)).sort();
    const median = similarities[similarities.length >> 1]!;
    const low = similarities[Math.floor(similarities.length * 0.16)]!;
    return { median, spread: Math.max(MIN_SPREAD, median - low) };
  }

  reset(): void {
    this.#drawnAtSize = 0;
    this.#rows = [];
  }

  #draw(
    map: Pick<PlaceMap, 'referenceIds' | 'readDescriptors' | 'dimension'>,
    damaged: ReadonlySet<ReferenceId>,
  ): void {
    const size = map.referenceIds.length;
    const all = damaged.size === 0 ? map.referenceIds : map.referenceIds.filter((id) => !damaged.has(id));
    const count = Math.min(SAMPLE, all.length);
    const ids = Uint32Array.from({ length: count }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / count)]!);
    const rows = new Float32Array(count * map.dimension);
    map.readDescriptors(ids, rows);
    this.#rows = Array.from(ids, (id, i) => ({
      id,
      descriptor: rows.subarray(i * map.dimension, (i + 1) * map.dimension),
    }));
    this.#drawnAtSize = size;
  }
}
