import type { Nearest } from './CodeIndex.js';
import { NearestSelector } from './NearestSelector.js';
import type { Selection } from './Selection.js';

/**
 * The k nearest of a finished selection and of what other threads found, by ascending (distance, position).
 * fromOthers: position * 1024 + distance, in any order.
 */
export function nearestOf(selection: Selection, fromOthers: readonly number[], k: number): Nearest {
  if (fromOthers.length === 0) return selection.finish();
  const keys = [...fromOthers];
  selection.read((position, distance) => keys.push(position * 1024 + distance));
  const selector = new NearestSelector(k);
  for (const key of Float64Array.from(keys).sort()) {
    const distance = key % 1024;
    if (distance < selector.bound) selector.push(Math.floor(key / 1024), distance);
  }
  return selector.finish();
}
