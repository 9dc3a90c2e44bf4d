import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CODE_BYTES } from '../../core/binaryCode.js';
import { writeNpy } from '../../core/npy.js';
import { VprError } from '../../core/VprError.js';
import { percentile } from '../../evaluation/percentiles.js';
import { createPlaceSearch, type PlaceSearchOptions } from '../../search/createPlaceSearch.js';
import type { KernelChoice } from '../../search/createCodeIndex.js';
import type { DescriptorStore, PlaceSearch } from '../../search/PlaceSearch.js';
import type { RowStorage } from '../../search/RowSlots.js';
import { UsageError, type Command } from '../Command.js';
import { createProgress } from '../progress.js';
import { makeSearchArrays, readSearchArrays, type SearchArrays } from '../searchArrays.js';

/** Latencies of single queries, ms. */
interface Timing {
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly minMs: number;
  readonly runs: number;
}

/** Times `run` on every query in turn, again and again, after a round that counts for nothing. */
function time(queries: number, seconds: number, run: (query: number) => void): Timing {
  const progress = createProgress('timing', undefined);
  const elapsed: number[] = [];
  const warmUp = Math.max(queries, 64);
  for (let i = 0; i < warmUp; i++) run(i % queries);
  const begin = performance.now();
  for (let i = 0; elapsed.length < queries || elapsed.length < 100 || performance.now() - begin < seconds * 1000; i++) {
    const start = performance.now();
    run(i % queries);
    elapsed.push(performance.now() - start);
    progress.update(elapsed.length);
    if (performance.now() - begin > Math.max(60, seconds) * 1000) break;
  }
  progress.end();
  const sorted = elapsed.sort((a, b) => a - b);
  return {
    medianMs: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    minMs: sorted[0]!,
    runs: sorted.length,
  };
}

/** [Q, k] int32 from one list a query; all lists of one search have the same length. */
function writeMatrix(file: string, rows: readonly ArrayLike<number>[]): void {
  const width = rows[0]?.length ?? 0;
  const data = new Int32Array(rows.length * width);
  rows.forEach((row, i) => data.set(Array.from(row), i * width));
  writeFileSync(file, writeNpy(data, [rows.length, width]));
}

const NO_DESCRIPTORS: DescriptorStore = {
  dimension: 16,
  readDescriptors: () => {
    throw new RangeError('Expected a search by codes alone');
  },
};

export const command: Command = {
  name: 'bench search',
  summary: 'Time the search on your arrays, or on random ones, and write what it finds.',
  positionals: '',
  positionalCount: [0, 0],
  options: {
    codes: { type: 'string', value: 'FILE', description: 'codes of the references, .npy [N, 64] u8' },
    queries: { type: 'string', value: 'FILE', description: 'codes of the queries, .npy [Q, 64] u8' },
    descriptors: { type: 'string', value: 'FILE', description: 'float rows of the references, .npy [N, D] f32' },
    'query-descriptors': { type: 'string', value: 'FILE', description: 'float rows of the queries, .npy [Q, D] f32' },
    k: {
      type: 'integer',
      range: [1, 1000],
      short: 'k',
      value: 'K',
      description: 'references returned a query',
      default: 100,
    },
    threads: { type: 'integer', range: [1, 64], value: 'N', description: 'threads that scan codes', default: 1 },
    kernel: {
      type: 'string',
      description: 'how codes are scanned',
      default: 'auto',
      choices: ['auto', 'scalar', 'rows', 'bit-sliced', 'bit-sliced-ordered'],
    },
    storage: {
      type: 'string',
      description: 'how float rows are held in memory',
      default: 'f32',
      choices: ['f32', 'f16', 'int8'],
    },
    'cache-mb': {
      type: 'number',
      range: [0, 2 ** 20],
      value: 'MIB',
      description: 'budget of float rows in memory; 0: cold',
      default: 1024,
    },
    seconds: { type: 'number', range: [0, 86400], value: 'S', description: 'time at least so long', default: 2 },
    batch: { type: 'integer', range: [0, 1e6], value: 'B', description: 'also time B queries a call', default: 0 },
    size: {
      type: 'integer',
      range: [0, 2 ** 31],
      value: 'N',
      description: 'random references, without --codes',
      default: 10000,
    },
    dimension: {
      type: 'integer',
      range: [0, 2 ** 20],
      value: 'D',
      description: 'random descriptors of D values; 0: codes alone',
      default: 0,
    },
    seed: { type: 'integer', value: 'S', description: 'of the random arrays', default: 1 },
    out: {
      type: 'string',
      value: 'DIR',
      description: 'write ids.npy, distances.npy and reranked_ids.npy, [Q, K] int32',
    },
    json: { type: 'boolean', description: 'print one JSON object' },
  },
  details: [
    'ids are row numbers from 0, ascending by (distance, row); reranked_ids by falling similarity. With fewer than K',
    'references K is their number. medianMs and p99Ms are those of a whole query: the prefilter alone without',
    'descriptors, both stages with them.',
  ].join('\n'),
  async run(args) {
    const ofFiles = args.string('codes') !== undefined || args.string('queries') !== undefined;
    for (const rows of ['descriptors', 'query-descriptors'])
      if (!ofFiles && args.string(rows) !== undefined)
        throw new UsageError(`Expected --codes and --queries with --${rows}`);
    const arrays = ofFiles ? readSearchArrays(args) : makeSearchArrays(args);
    const n = arrays.codes.length / CODE_BYTES;
    const queries = arrays.queries.length / CODE_BYTES;
    if (queries === 0) throw new VprError('ARGUMENT_INVALID', 'Expected at least one query, got none');
    const k = args.number('k')!;
    const threads = args.number('threads')!;
    const options: PlaceSearchOptions = {
      store: arrays.store ?? NO_DESCRIPTORS,
      cacheBytes: args.number('cache-mb')! * 2 ** 20,
      cacheStorage: args.string('storage') as RowStorage,
      kernel: args.string('kernel') as KernelChoice,
      threads,
    };
    const search = createPlaceSearch(options);
    try {
      const loadMs = load(search, arrays.codes, n);
      await search.ready();
      const report = measure(search, arrays, { k, seconds: args.number('seconds')!, batch: args.number('batch')! });
      const out = args.string('out');
      if (out !== undefined) writeResults(out, search, arrays, k);
      const result = {
        references: n,
        queries,
        k,
        dimension: arrays.store?.dimension ?? null,
        storage: arrays.store === undefined ? null : options.cacheStorage,
        node: process.version,
        ...search.engine,
        loadMs,
        ...search.memoryUse(),
        ...report,
      };
      process.stdout.write(args.flag('json') ? `${JSON.stringify(result)}\n` : describe(result));
      return 0;
    } finally {
      await search.close();
      arrays.store?.close?.();
    }
  },
};

/** Milliseconds to add all codes; the reference id is the row number + 1. */
function load(search: PlaceSearch, codes: Uint8Array, n: number): number {
  const start = performance.now();
  const rows = 65536;
  for (let from = 0; from < n; from += rows) {
    const count = Math.min(rows, n - from);
    const ids = Uint32Array.from({ length: count }, (_, i) => from + i + 1);
    search.addBlock(ids, codes.subarray(from * CODE_BYTES, (from + count) * CODE_BYTES));
  }
  return performance.now() - start;
}

interface Measurement {
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly prefilter: Timing;
  readonly twoStage?: Timing;
  /** Per query, in calls of several. */
  readonly batch?: { readonly size: number; readonly medianMsAQuery: number };
}

function measure(
  search: PlaceSearch,
  { queries, queryDescriptors, store }: SearchArrays,
  { k, seconds, batch }: { k: number; seconds: number; batch: number },
): Measurement {
  const count = queries.length / CODE_BYTES;
  const code = (query: number): Uint8Array => queries.subarray(query * CODE_BYTES, (query + 1) * CODE_BYTES);
  const prefilter = time(count, seconds, (query) => void search.prefilter(code(query), k));
  let twoStage: Timing | undefined;
  if (store !== undefined && queryDescriptors !== undefined) {
    const d = store.dimension;
    twoStage = time(
      count,
      seconds,
      (query) =>
        void search.search(code(query), queryDescriptors.subarray(query * d, (query + 1) * d), { k, shortlist: k }),
    );
  }
  const { medianMs, p99Ms } = twoStage ?? prefilter;
  const batched =
    batch > 0
      ? time(Math.ceil(count / batch), seconds, (call) => {
          search.prefilterBatch(queries.subarray(call * batch * CODE_BYTES, (call + 1) * batch * CODE_BYTES), k);
        })
      : undefined;
  return {
    medianMs,
    p99Ms,
    prefilter,
    ...(twoStage === undefined ? {} : { twoStage }),
    ...(batched === undefined
      ? {}
      : { batch: { size: batch, medianMsAQuery: batched.medianMs / Math.min(batch, count) } }),
  };
}

function writeResults(folder: string, search: PlaceSearch, arrays: SearchArrays, k: number): void {
  mkdirSync(folder, { recursive: true });
  const rowNumbers = (ids: Uint32Array): Uint32Array => ids.map((id) => id - 1);
  const nearest = search.prefilterBatch(arrays.queries, k);
  writeMatrix(
    path.join(folder, 'ids.npy'),
    nearest.map(({ referenceIds }) => rowNumbers(referenceIds)),
  );
  writeMatrix(
    path.join(folder, 'distances.npy'),
    nearest.map(({ hamming }) => hamming),
  );
  if (arrays.queryDescriptors === undefined) return;
  const reranked = search.searchBatch(arrays.queries, arrays.queryDescriptors, { k, shortlist: k });
  writeMatrix(
    path.join(folder, 'reranked_ids.npy'),
    reranked.map(({ referenceIds }) => rowNumbers(referenceIds)),
  );
}

function describe(
  result: {
    references: number;
    queries: number;
    k: number;
    kernel: string;
    threads: number;
    loadMs: number;
  } & Measurement,
): string {
  const line = (name: string, { medianMs, p99Ms, minMs, runs }: Timing): string =>
    `${name.padEnd(11)} median ${medianMs.toFixed(4)} ms, p99 ${p99Ms.toFixed(4)} ms, min ${minMs.toFixed(4)} ms (${runs} runs)\n`;
  return [
    `${result.references} references, top ${result.k}, kernel ${result.kernel}, ${result.threads} thread(s), codes loaded in ${result.loadMs.toFixed(0)} ms\n`,
    line('prefilter', result.prefilter),
    result.twoStage === undefined ? '' : line('two-stage', result.twoStage),
    result.batch === undefined
      ? ''
      : `batch of ${result.batch.size}: median ${result.batch.medianMsAQuery.toFixed(4)} ms a query\n`,
  ].join('');
}
