import { CODE_BYTES } from '../../../src/core/binaryCode.js';
import { scalarHammingDistances, wordsOf } from '../../../src/hamming/scalarHamming.js';
import type { CodeIndex, Nearest, PositionRange } from '../../../src/search/CodeIndex.js';
import { randomBytes } from './randomRows.js';

/** [n, 64] codes around a few centres, with few bits flipped each: many small and equal distances. */
export function clusteredCodes(n: number, random: () => number): Uint8Array {
  const centres = 1 + Math.floor(random() * 5);
  const centreCodes = randomBytes(centres * CODE_BYTES, random);
  const codes = new Uint8Array(n * CODE_BYTES);
  for (let row = 0; row < n; row++) {
    const centre = Math.floor(random() * centres) * CODE_BYTES;
    codes.set(centreCodes.subarray(centre, centre + CODE_BYTES), row * CODE_BYTES);
    for (let flips = Math.floor(random() * 12); flips > 0; flips--)
      codes[row * CODE_BYTES + Math.floor(random() * CODE_BYTES)]! ^= 1 << Math.floor(random() * 8);
  }
  return codes;
}

/** All distances by the scalar oracle, a full sort, the first k. */
export function nearestByOracle(
  codes: Uint8Array,
  query: Uint8Array,
  k: number,
  ranges: readonly PositionRange[],
  removed: ReadonlySet<number> = new Set(),
): Nearest {
  const n = codes.length / CODE_BYTES;
  const distances = new Uint16Array(n);
  scalarHammingDistances(wordsOf(query), wordsOf(codes), n, distances);
  const found = Array.from({ length: n }, (_, position) => position)
    .filter((position) => !removed.has(position) && ranges.some(([from, to]) => position >= from && position < to))
    .sort((a, b) => distances[a]! - distances[b]! || a - b)
    .slice(0, k);
  return { positions: Uint32Array.from(found), distances: Uint16Array.from(found, (position) => distances[position]!) };
}

function byPosition({ positions, distances }: Nearest): Nearest {
  const order = Array.from(positions.keys()).sort((a, b) => positions[a]! - positions[b]!);
  return {
    positions: Uint32Array.from(order, (i) => positions[i]!),
    distances: Uint16Array.from(order, (i) => distances[i]!),
  };
}

/** Why an index's answer, in either order, is not the oracle's; undefined when it is. */
export function differenceFromOracle(
  index: CodeIndex,
  codes: Uint8Array,
  queries: Uint8Array,
  k: number,
  ranges: readonly PositionRange[],
  removed: ReadonlySet<number> = new Set(),
): string | undefined {
  const n = queries.length / CODE_BYTES;
  for (const order of ['distance', 'position'] as const) {
    const results = index.nearest(queries, n, k, ranges, order);
    if (results.length !== n) return `${results.length} results for ${n} queries`;
    for (let query = 0; query < n; query++) {
      const code = queries.slice(query * CODE_BYTES, (query + 1) * CODE_BYTES);
      const nearest = nearestByOracle(codes, code, k, ranges, removed);
      const wanted = order === 'distance' ? nearest : byPosition(nearest);
      for (const field of ['distances', 'positions'] as const) {
        const got = results[query]![field];
        if (got.join() !== wanted[field].join())
          return `query ${query}, ${index.length} codes, k ${k}, by ${order}: ${field} ${got.join()} instead of ${wanted[field].join()}`;
      }
    }
  }
  return undefined;
}
