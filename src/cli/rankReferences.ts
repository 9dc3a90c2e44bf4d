import { CODE_BYTES } from '../core/binaryCode.js';
import { createPlaceSearch } from '../search/createPlaceSearch.js';
import type { DescriptorStore } from '../search/PlaceSearch.js';
import { searchExact } from '../search/searchExact.js';
import type { DescribedSource } from './describeSource.js';

/** Rankings of all references for one query, by row of the described references, best first. */
export interface QueryRanking {
  /** Prefilter, then float re-rank of the shortlist. */
  readonly twoStage: readonly number[];
  /** Float search over all references. */
  readonly exact: readonly number[];
  /** Hamming distance alone. */
  readonly hash: readonly number[];
  /** Similarity of the two-stage search's best; -Infinity without references. */
  readonly similarity: number;
  readonly hamming: number;
  readonly searchMs: number;
}

/** Searches every query among the references in the three ways, to depth k; two stages to that of the shortlist, where it is shorter. */
export async function rankReferences(
  references: DescribedSource,
  queries: DescribedSource,
  { k, shortlist }: { readonly k: number; readonly shortlist: number },
): Promise<QueryRanking[]> {
  const { dimension, descriptors } = references;
  const ids = Uint32Array.from({ length: references.images.length }, (_, row) => row + 1);
  const store: DescriptorStore = {
    dimension,
    readDescriptors(wanted, out) {
      wanted.forEach((id, i) => out.set(descriptors.subarray((id - 1) * dimension, id * dimension), i * dimension));
    },
  };
  const search = createPlaceSearch({ store });
  search.addBlock(ids, references.codes);
  const rowsOf = (found: Uint32Array): number[] => Array.from(found, (id) => id - 1);
  const exact = ids.length === 0 ? [] : searchExact(store, ids, queries.descriptors, k);
  const rankings = queries.images.map((_, query): QueryRanking => {
    const code = queries.codes.subarray(query * CODE_BYTES, (query + 1) * CODE_BYTES);
    const descriptor = queries.descriptors.subarray(query * dimension, (query + 1) * dimension);
    const startMs = performance.now();
    const found = search.search(code, descriptor, { k: Math.min(k, shortlist), shortlist });
    const searchMs = performance.now() - startMs;
    return {
      twoStage: rowsOf(found.referenceIds),
      exact: rowsOf(exact[query]?.referenceIds ?? new Uint32Array(0)),
      hash: rowsOf(search.prefilter(code, k).referenceIds),
      similarity: found.similarity[0] ?? -Infinity,
      hamming: found.hamming[0] ?? 0,
      searchMs,
    };
  });
  await search.close();
  return rankings;
}
