import { availableParallelism } from 'node:os';
import { createCodeIndex, type KernelChoice } from './createCodeIndex.js';
import { createRowSlots } from './createRowSlots.js';
import { DescriptorCache } from './DescriptorCache.js';
import type { DescriptorStore, PlaceSearch } from './PlaceSearch.js';
import { BATCH_ROWS, slotBytes, type RowStorage } from './RowSlots.js';
import { TwoStageSearch } from './TwoStageSearch.js';

/** More would wait for the same memory. */
const MOST_DEFAULT_THREADS = 8;

export interface PlaceSearchOptions {
  /** Where float rows come from. */
  readonly store: DescriptorStore;
  /** Budget of the float rows kept in memory; 256 MiB by default. */
  readonly cacheBytes?: number;
  /** Threads that scan, the caller's included; as many as there are cores (at most 8) by default. None starts for a small map. */
  readonly threads?: number;
  /** How those rows are held; f32 by default. f16 and int8 hold 2 and 4 times as many in the same budget. */
  readonly cacheStorage?: RowStorage;
  /** `auto` (default) takes the kernel that is fastest here; all give the same answers. */
  readonly kernel?: KernelChoice;
}

/** An empty search over a store's references; codes are added by the caller. */
export function createPlaceSearch(options: PlaceSearchOptions): PlaceSearch {
  const { store, cacheBytes = 256 * 2 ** 20, cacheStorage = 'f32', kernel = 'auto' } = options;
  const threads = options.threads ?? Math.min(MOST_DEFAULT_THREADS, availableParallelism());
  const capacity = Math.max(BATCH_ROWS, Math.floor(cacheBytes / slotBytes(store.dimension, cacheStorage)));
  const slots = createRowSlots(store.dimension, cacheStorage, capacity, { scalar: kernel === 'scalar' });
  return new TwoStageSearch(createCodeIndex(kernel, threads), new DescriptorCache(store, slots), store.dimension);
}
