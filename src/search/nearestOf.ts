import { CODE_BITS } from '../core/binaryCode.js';
import type { Nearest } from './CodeIndex.js';
import { NearestSelector } from './NearestSelector.js';
import type { Selection } from './Selection.js';

const starts = new Uint32Array(CODE_BITS + 2);

/**
 * The k nearest of a finished selection and of what other threads found, by ascending (distance, position).
 * fromOthers: position * 1024 + distance, in any order.
 */
export function nearestOf(selection: Selection, fromOthers: readonly number[], k: number): Nearest {
  if (fromOthers.length > 0) {
    const keys = [...fromOthers];
    selection.read((position, distance) => keys.push(position * 1024 + distance));
    const selector = new NearestSelector(k);
    for (const key of Float64Array.from(keys).sort()) {
      const distance = key % 1024;
      if (distance < selector.bound) selector.push(Math.floor(key / 1024), distance);
    }
    return selector.finish();
  }
  // A counting sort by distance keeps the ascending positions among equals.
  let count = 0;
  starts.fill(0);
  selection.read((_, distance) => {
    starts[distance + 1]!++;
    count++;
  });
  for (let distance = 1; distance < starts.length; distance++) starts[distance]! += starts[distance - 1]!;
  const positions = new Uint32Array(count);
  const distances = new Uint16Array(count);
  selection.read((position, distance) => {
    const at = starts[distance]!++;
    positions[at] = position;
    distances[at] = distance;
  });
  return { positions, distances };
}
