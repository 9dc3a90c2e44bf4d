import { compileKernel } from '../simd/decodeKernel.js';
import { similarityCode } from './similarityCode.js';

/** Longest int8 row whose sums cannot overflow; see dotInt8. */
export const INT8_MAX_DIMENSION = 16384;
/** Greatest absolute value of an int8 row. */
export const INT8_MAX = 127;
/** Greatest absolute value of an int8 row's query. */
export const INT8_QUERY_MAX = 8191;

/**
 * query: as the storage's query packer leaves it (f32 rows: f32); rows: address of n u32 addresses, n a multiple of 4;
 * out: address of n f32; values: a multiple of 16. Addresses in bytes.
 */
export type Dot = (query: number, rows: number, n: number, values: number, out: number) => void;
/** source: f32; values: a multiple of 16. */
export type Pack = (source: number, target: number, values: number) => void;

/** See src/hamming/assembly/similarityKernel.ts. */
export interface SimilarityKernels {
  readonly dotF32: Dot;
  readonly dotF16: Dot;
  readonly dotInt8: Dot;
  readonly packF16: Pack;
  readonly packInt8: Pack;
  readonly packF16Query: Pack;
  readonly packInt8Query: Pack;
}

/** The kernels on a memory of the caller's, which must not be shared. */
export function instantiateSimilarity(memory: WebAssembly.Memory): SimilarityKernels {
  const module = compileKernel(similarityCode, { shared: false });
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as SimilarityKernels;
}
