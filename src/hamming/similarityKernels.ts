import { compileKernel } from '../simd/decodeKernel.js';
import { similarityCode } from './similarityCode.js';

/** Values a step of the kernels: rows are padded with zeros to a multiple of it. */
export const SIMILARITY_STEP = 16;
/** Bytes in front of the values of an int8 row: its scale, f32, padded to a vector. */
export const INT8_HEAD_BYTES = 16;
/** Longest int8 row whose sums cannot overflow; see dotInt8. */
export const INT8_MAX_DIMENSION = 16384;
/** Greatest absolute value of an int8 row's query. */
export const INT8_QUERY_MAX = 8191;
/** A half float's bits, 13 to the left, are an f32 that is 2^112 too small. */
export const F16_QUERY_FACTOR = 2 ** 112;

/** Addresses in bytes; rows: address of n u32 addresses, n a multiple of 4; out: address of n f32; values: a multiple of 16. */
type Dot = (query: number, rows: number, n: number, values: number, out: number) => void;
type Pack = (source: number, target: number, values: number) => void;

/** See src/hamming/assembly/similarityKernel.ts. */
export interface SimilarityKernels {
  /** query: f32. */
  readonly dotF32: Dot;
  /** query: f32 times F16_QUERY_FACTOR. */
  readonly dotF16: Dot;
  /** query: i16 within INT8_QUERY_MAX; scale: of the query. */
  readonly dotInt8: (query: number, rows: number, n: number, values: number, out: number, scale: number) => void;
  /** source: f32. */
  readonly packF16: Pack;
  readonly packInt8: Pack;
}

/** The kernels on a memory of the caller's, which must not be shared. */
export function instantiateSimilarity(memory: WebAssembly.Memory): SimilarityKernels {
  const module = compileKernel(similarityCode, { shared: false });
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as SimilarityKernels;
}
