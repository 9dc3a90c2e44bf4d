import { compileKernel } from '../hamming/decodeKernel.js';
import { instantiateScan, SCAN_KERNELS, type ScanKernel, type ScanKernelName } from '../hamming/scanKernels.js';
import { Selection } from './Selection.js';
import { CODE_BYTES } from '../core/binaryCode.js';
import { BLOCK_CODES, BLOCK_STRIDE } from '../hamming/scanState.js';
import { firstBlockAddress, queryAddress, selectionAddress } from './scanMemory.js';

/** 2,048 codes: fits into the first-level caches' neighbourhood, about 10 microseconds a scan. */
const BLOCKS = 16;
/** Long enough for V8 to replace the code of its baseline compiler in the background. */
const LONGEST_MS = 25;
const TIMED_RUNS = 8;

/** Shortest time of one scan of the trial codes, ms. */
function timeKernel(kernel: ScanKernel): number {
  const first = firstBlockAddress(1);
  const memory = new WebAssembly.Memory({
    initial: Math.ceil((first + BLOCKS * BLOCK_STRIDE) / 65536),
    maximum: 65536,
  });
  const scan = instantiateScan(compileKernel(kernel.code, { shared: false }), memory);
  const bytes = new Uint8Array(memory.buffer);
  // Any bits will do, as the work does not depend on them; a multiplicative generator gives each code its own.
  let state = 1;
  const code = (): Uint8Array =>
    Uint8Array.from({ length: CODE_BYTES }, () => (state = (state * 48271) % 0x7fffffff) & 0xff);
  for (let block = 0; block < BLOCKS; block++)
    for (let lane = 0; lane < BLOCK_CODES; lane += 16)
      kernel.writeCode(code(), bytes.subarray(first + block * BLOCK_STRIDE, first + block * BLOCK_STRIDE + 8192), lane);
  kernel.writeQuery(code(), bytes.subarray(queryAddress(0), queryAddress(0) + kernel.queryBytes));
  const selection = new Selection(memory.buffer, selectionAddress(0, 0));
  let best = Infinity;
  const begin = performance.now();
  let initial = 0;
  // Until the optimised code is in: it takes less than half of the baseline code's time.
  for (let runs = 0, fast = 0; fast < TIMED_RUNS; runs++) {
    selection.start(1);
    const start = performance.now();
    selection.scan(scan, first, 0, BLOCKS, queryAddress(0));
    const elapsed = performance.now() - start;
    if (runs === 0) initial = elapsed;
    best = Math.min(best, elapsed);
    if (best < initial / 2) fast++;
    if (performance.now() - begin > LONGEST_MS) break;
  }
  return best;
}

let chosen: ScanKernelName | undefined;

/**
 * The kernel that is fastest on this engine and CPU, measured once a process in a few ms each.
 */
export function chooseScanKernel(): ScanKernel {
  if (chosen === undefined) {
    const times = Object.values(SCAN_KERNELS).map((kernel) => ({ name: kernel.name, ms: timeKernel(kernel) }));
    chosen = times.reduce((best, next) => (next.ms < best.ms ? next : best)).name;
  }
  return SCAN_KERNELS[chosen];
}
