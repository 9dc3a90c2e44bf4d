import { hasSimd, SCAN_KERNELS, type ScanKernelName } from '../hamming/scanKernels.js';
import { chooseScanKernel } from './chooseScanKernel.js';
import type { CodeIndex } from './CodeIndex.js';
import { KernelCodeIndex } from './KernelCodeIndex.js';
import { MAX_THREADS } from './scanMemory.js';
import { ScalarCodeIndex } from './ScalarCodeIndex.js';

/** How codes are scanned; `auto` measures which kernel this machine likes best. */
export type KernelChoice = 'auto' | 'scalar' | ScanKernelName;

/** threads: all that scan, the caller's included. Without SIMD: the scalar floor; without SharedArrayBuffer: one thread. */
export function createCodeIndex(kernel: KernelChoice, threads: number): CodeIndex {
  if (kernel === 'scalar' || !hasSimd()) return new ScalarCodeIndex();
  const canShare = typeof SharedArrayBuffer === 'function';
  return new KernelCodeIndex({
    kernel: kernel === 'auto' ? chooseScanKernel() : SCAN_KERNELS[kernel],
    threads: canShare ? Math.min(threads, MAX_THREADS) : 1,
  });
}
