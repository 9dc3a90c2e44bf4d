import { readFileSync } from 'node:fs';
import { CODE_BYTES } from '../core/binaryCode.js';
import { readNpy } from '../core/npy.js';
import { VprError } from '../core/VprError.js';
import type { DescriptorStore } from '../search/PlaceSearch.js';
import { UsageError, type Arguments } from './Command.js';
import { NpyRows } from './NpyRows.js';

/** What a search is timed on. */
export interface SearchArrays {
  /** [N, 64] and [Q, 64]. */
  readonly codes: Uint8Array;
  readonly queries: Uint8Array;
  readonly store: (DescriptorStore & { readonly close?: () => void }) | undefined;
  /** [Q, D], each of norm 1. */
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

/** The arrays of `--codes`, `--queries`, `--descriptors`, `--query-descriptors`. Throws UsageError, FILE_MISSING, ARGUMENT_INVALID. */
export function readSearchArrays(args: Arguments): SearchArrays {
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
export function makeSearchArrays(args: Arguments): SearchArrays {
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
