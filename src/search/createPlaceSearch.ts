import { createCodeIndex, type KernelChoice } from './createCodeIndex.js';
import { DescriptorCache } from './DescriptorCache.js';
import type { DescriptorStore, PlaceSearch } from './PlaceSearch.js';
import { TwoStageSearch } from './TwoStageSearch.js';

export interface PlaceSearchOptions {
  /** Where float rows come from. */
  readonly store: DescriptorStore;
  /** Budget of the float rows kept in memory; 256 MiB by default. */
  readonly cacheBytes?: number;
  /** Threads that scan, the caller's included; 1 by default. */
  readonly threads?: number;
  /** `auto` (default) takes the kernel that is fastest here; all give the same answers. */
  readonly kernel?: KernelChoice;
}

/** An empty search over a store's references; codes are added by the caller. */
export function createPlaceSearch(options: PlaceSearchOptions): PlaceSearch {
  const { store, cacheBytes = 256 * 2 ** 20, threads = 1, kernel = 'auto' } = options;
  return new TwoStageSearch(createCodeIndex(kernel, threads), new DescriptorCache(store, cacheBytes), store.dimension);
}
