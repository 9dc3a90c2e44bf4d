import { hasSimd } from '../hamming/scanKernels.js';
import { KernelRowSlots } from './KernelRowSlots.js';
import type { RowSlots, RowStorage } from './RowSlots.js';
import { ScalarRowSlots } from './ScalarRowSlots.js';

/** capacity: slots wanted; there may be fewer, where WebAssembly's 4 GiB end. */
export function createRowSlots(
  dimension: number,
  storage: RowStorage,
  capacity: number,
  options: { readonly scalar: boolean },
): RowSlots {
  return options.scalar || !hasSimd()
    ? new ScalarRowSlots(dimension, storage, capacity)
    : new KernelRowSlots(dimension, storage, capacity);
}
