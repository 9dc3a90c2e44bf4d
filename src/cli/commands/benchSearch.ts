import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CODE_BYTES } from '../../core/binaryCode.js';
import { readNpy, writeNpy } from '../../core/npy.js';
import { VprError } from '../../core/VprError.js';
import { percentile } from '../../evaluation/percentiles.js';
import { createPlaceSearch, type PlaceSearchOptions } from '../../search/createPlaceSearch.js';
import type { KernelChoice } from '../../search/createCodeIndex.js';
import type { DescriptorStore, PlaceSearch } from '../../search/PlaceSearch.js';
import type { RowStorage } from '../../search/RowSlots.js';
import { UsageError, type Arguments, type Command } from '../Command.js';
import { NpyRows } from '../NpyRows.js';
import { createProgress } from '../progress.js';

/** Latencies of single queries, ms. */
interface Timing {
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly minMs: number;
  readonly runs: number;
}

interface Arrays {
  readonly codes: Uint8Array;
  readonly queries: Uint8Array;
  readonly store: (DescriptorStore & { readonly close?: () => void }) | undefined;
  readonly queryDescriptors: Float32Array | undefined;
}

/** Codes [n, 64] u8 of a file. */
function readCodes(file: string): Uint8Array {
  const { shape, data } = readNpy(readFile(file), file);
  if (!(data instanceof Uint8Array) || shape.length !== 2 || shape[1] !== CODE_BYTES)
    throw new VprError(
      'ARGUMENT_INVALID',
      `Expected codes [N, ${CODE_BYTES}] of |u1, got [${shape.join(', ')}] [${file}]`,
    );
  return data;
}

function readFile(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new VprError('FILE_MISSING', `Expected a .npy file, got none that can be read [${file}]`, { cause });
  }
}

function readArrays(args: Arguments): Arrays {
  const [codes, queries] = [args.string('codes'), args.string('queries')];
  if (codes === undefined || queries === undefined) throw new UsageError('Expected --codes and --queries together');
  const [rows, queryRows] = [args.string('descriptors'), args.string('query-descriptors')];
  if ((rows === undefined) !== (queryRows === undefined))
    throw new UsageError('Expected --descriptors and --query-descriptors together');
  const arrays = { codes: readCodes(codes), queries: readCodes(queries) };
  if (rows === undefined || queryRows === undefined)
    return { ...arrays, store: undefined, queryDescriptors: undefined };
  const store = new NpyRows(rows);
  if (store.rows !== arrays.codes.length / CODE_BYTES)
    throw new VprError(
      'ARGUMENT_INVALID',
      `Expected a descriptor for each of ${arrays.codes.length / CODE_BYTES} codes, got ${store.rows} [${rows}]`,
    );
  const { shape, data } = readNpy(readFile(queryRows), queryRows);
  const wanted = [arrays.queries.length / CODE_BYTES, store.dimension];
  if (!(data instanceof Float32Array) || shape.join() !== wanted.join())
    throw new VprError(
      'ARGUMENT_INVALID',
      `Expected query descriptors [${wanted.join(', ')}] of <f4, got [${shape.join(', ')}] [${queryRows}]`,
    );
  return { ...arrays, store, queryDescriptors: data };
}

/** Seeded random codes and unit descriptors, for a machine without arrays. The descriptor of a row is made when asked for. */
function makeArrays(args: Arguments): Arrays {
  const n = args.number('size')!;
  const dimension = args.number('dimension')!;
  let state = (args.number('seed')! >>> 0) | 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 16;
  };
  const bytes = (count: number): Uint8Array => {
    const random = new Uint8Array(count);
    // By index: an array-like source takes minutes for the codes of ten million places.
    for (let i = 0; i < count; i++) random[i] = next();
    return random;
  };
  const row = (out: Float32Array): Float32Array => {
    for (let i = 0; i < out.length; i++) out[i] = next() / 32768 - 1;
    const norm = Math.hypot(...out);
    return out.map((value) => value / norm);
  };
  const queries = 64;
  const arrays = { codes: bytes(n * CODE_BYTES), queries: bytes(queries * CODE_BYTES) };
  if (dimension === 0) return { ...arrays, store: undefined, queryDescriptors: undefined };
  const pattern = row(new Float32Array(dimension));
  const store: DescriptorStore = {
    dimension,
    readDescriptors(ids, out) {
      // Rotations of one row: as costly to copy as a map in memory, without its bytes.
      ids.forEach((id, i) => {
        const shift = id % dimension;
        out.set(pattern.subarray(shift), i * dimension);
        out.set(pattern.subarray(0, shift), (i + 1) * dimension - shift);
      });
    },
  };
  const queryDescriptors = new Float32Array(queries * dimension);
  for (let q = 0; q < queries; q++) queryDescriptors.set(row(new Float32Array(dimension)), q * dimension);
  return { ...arrays, store, queryDescriptors };
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
    k: { type: 'number', short: 'k', value: 'K', description: 'references returned a query', default: 100 },
    threads: { type: 'number', value: 'N', description: 'threads that scan codes', default: 1 },
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
    'cache-mb': { type: 'number', value: 'MIB', description: 'budget of float rows in memory; 0: cold', default: 1024 },
    seconds: { type: 'number', value: 'S', description: 'time at least so long', default: 2 },
    batch: { type: 'number', value: 'B', description: 'also time B queries a call', default: 0 },
    size: { type: 'number', value: 'N', description: 'random references, without --codes', default: 10000 },
    dimension: {
      type: 'number',
      value: 'D',
      description: 'random descriptors of D values; 0: codes alone',
      default: 0,
    },
    seed: { type: 'number', value: 'S', description: 'of the random arrays', default: 1 },
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
    const arrays =
      args.string('codes') === undefined && args.string('queries') === undefined ? makeArrays(args) : readArrays(args);
    const n = arrays.codes.length / CODE_BYTES;
    const queries = arrays.queries.length / CODE_BYTES;
    if (queries === 0) throw new VprError('ARGUMENT_INVALID', 'Expected at least one query, got none');
    const k = args.number('k')!;
    if (!Number.isInteger(k) || k < 1 || k > 1000) throw new UsageError(`Expected 1...1000 for -k, got ${k}`);
    const threads = args.number('threads')!;
    if (!Number.isInteger(threads) || threads < 1 || threads > 64)
      throw new UsageError(`Expected 1...64 for --threads, got ${threads}`);
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
  { queries, queryDescriptors, store }: Arrays,
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

function writeResults(folder: string, search: PlaceSearch, arrays: Arrays, k: number): void {
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
