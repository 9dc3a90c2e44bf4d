/**
 * A search on the arrays of a folder (see peer.py) that is timed when asked: compare.mjs starts it.
 *
 *   node searchProcess.mjs FOLDER OPTIONS      OPTIONS: JSON, { threads, cacheStorage, cacheBytes }
 *
 * Requests: { what: 'prefilter' | 'batch' | 'twoStage', seconds, runs }: the times of single calls (batch: of 8 queries), for
 * at least so long and so often. Answers: { medianMs, p99Ms }, of one query.
 */
import { readFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { NpyRows } from '../../dist/src/cli/NpyRows.js';
import { readNpy } from '../../dist/src/core/npy.js';
import { percentile } from '../../dist/src/evaluation/percentiles.js';
import { createPlaceSearch } from '../../dist/src/search/createPlaceSearch.js';

const K = 100;
const CODE_BYTES = 64;
const BATCH = 8;
/** Calls before the first timed one, so that the optimising compiler's code is in and the rows are. */
const WARM_UP = 200;
/** Rows are loaded so many at a time. */
const BLOCK = 65536;
const [folder, options] = [process.argv[2], JSON.parse(process.argv[3])];

const file = (name) => path.join(folder, `${name}.npy`);
const load = (name) => readNpy(readFileSync(file(name)), name).data;
const [codes, queries] = [load('codes'), load('queries')];
const rows = existsSync(file('descriptors')) ? new NpyRows(file('descriptors')) : undefined;
const queryDescriptors = rows === undefined ? undefined : load('query_descriptors');

const search = createPlaceSearch({ store: rows ?? { dimension: 16 }, ...options });
const n = codes.length / CODE_BYTES;
for (let from = 0; from < n; from += BLOCK) {
  const count = Math.min(BLOCK, n - from);
  const ids = Uint32Array.from({ length: count }, (_, i) => from + i + 1);
  search.addBlock(ids, codes.subarray(from * CODE_BYTES, (from + count) * CODE_BYTES));
}
await search.ready();

const count = queries.length / CODE_BYTES;
const code = (query, length = 1) => queries.subarray(query * CODE_BYTES, (query + length) * CODE_BYTES);
const ways = {
  prefilter: { queries: 1, run: (i) => search.prefilter(code(i % count), K) },
  batch: { queries: BATCH, run: (i) => search.prefilterBatch(code((i * BATCH) % (count - BATCH), BATCH), K) },
  twoStage: {
    queries: 1,
    run: (i) => {
      const query = i % count;
      const descriptor = queryDescriptors.subarray(query * rows.dimension, (query + 1) * rows.dimension);
      search.search(code(query), descriptor, { k: K, shortlist: K });
    },
  },
};

const warm = new Set();
function time({ what, seconds, runs }) {
  const way = ways[what];
  if (!warm.has(what)) for (let i = 0; i < WARM_UP; i++) way.run(i);
  warm.add(what);
  const elapsed = [];
  const begin = performance.now();
  for (let i = 0; i < runs || performance.now() - begin < seconds * 1000; i++) {
    const start = performance.now();
    way.run(i);
    elapsed.push((performance.now() - start) / way.queries);
  }
  elapsed.sort((a, b) => a - b);
  return { medianMs: percentile(elapsed, 0.5), p99Ms: percentile(elapsed, 0.99) };
}

console.log(JSON.stringify(search.engine));
for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(time(JSON.parse(line))));
await search.close();
