import type { GreyImage } from '../../../src/core/image.js';
import { uniformNumbers } from '../../../src/core/mulberry32.js';

/** Rectangles of random brightness. */
export function rectangles(seed: number, size: readonly [number, number] = [160, 120], count = 120): GreyImage {
  const random = uniformNumbers(seed);
  const [columns, rows] = size;
  const data = new Uint8Array(columns * rows).fill(100);
  for (let n = 0; n < count; n++) {
    const [left, top] = [Math.floor(random() * columns), Math.floor(random() * rows)];
    const [right, bottom] = [left + 4 + Math.floor(random() * 14), top + 4 + Math.floor(random() * 14)];
    const grey = Math.floor(random() * 256);
    for (let y = top; y < Math.min(rows, bottom); y++)
      for (let x = left; x < Math.min(columns, right); x++) data[y * columns + x] = grey;
  }
  return { width: columns, height: rows, data };
}
