import { CODE_BYTES } from '../core/binaryCode.js';
import { compileKernel } from '../simd/decodeKernel.js';
import { instantiateScan, SCAN_KERNELS, type ScanKernel, type ScanKernelName } from '../hamming/scanKernels.js';
import { BLOCK_CODES, BLOCK_CODE_BYTES, BLOCK_STRIDE } from '../hamming/scanState.js';
import { firstBlockAddress, queryAddress, selectionAddress } from './scanMemory.js';
import { Selection } from './Selection.js';

/** 2,048 codes: they and a query stay in the second-level cache; about 10 microseconds a scan. */
const TRIAL_BLOCKS = 16;
/**
 * V8 replaces the code of its baseline compiler in the background: known by a scan in less than half of the time of the
 * first ones, of which the fastest counts: one compiles, and any of them may have been suspended.
 */
const FASTER = 2;
const FIRST_RUNS = 3;
const TIMED_RUNS = 6;
const LONGEST_MS = 40;
/** A rival must be faster by this much, so that noise does not choose. */
const MARGIN = 0.85;

/** Scans trial codes with one kernel. */
class Trial {
  readonly kernel: ScanKernel;
  readonly #scan: () => void;
  #runs = 0;
  #firstMs = Infinity;
  #best = Infinity;
  #fastRuns = 0;

  constructor(kernel: ScanKernel) {
    this.kernel = kernel;
    const block = firstBlockAddress(1);
    const pages = Math.ceil((block + TRIAL_BLOCKS * BLOCK_STRIDE) / 65536);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const scan = instantiateScan(compileKernel(kernel.code, { shared: false }), memory);
    const bytes = new Uint8Array(memory.buffer);
    // The work does not depend on the bits, but for candidates; k = 1 and a query unlike all codes leave few of them.
    const codes = Uint8Array.from({ length: BLOCK_CODES * CODE_BYTES }, (_, i) => Math.imul(i, 2654435761) >>> 24);
    for (let i = 0; i < TRIAL_BLOCKS; i++) {
      const from = block + i * BLOCK_STRIDE;
      kernel.writeBlock(codes, bytes.subarray(from, from + BLOCK_CODE_BYTES));
    }
    kernel.writeQuery(codes.subarray(7, 7 + CODE_BYTES), bytes.subarray(queryAddress(0), queryAddress(1)));
    const selection = new Selection(memory.buffer, selectionAddress(0, 0));
    this.#scan = () => {
      selection.start(1);
      selection.scan(scan, block, 0, TRIAL_BLOCKS, queryAddress(0));
    };
  }

  get done(): boolean {
    return this.#fastRuns >= TIMED_RUNS;
  }

  /** Shortest time of a scan by optimised code, or undefined where not enough of them were seen. */
  get bestMs(): number | undefined {
    return this.done ? this.#best : undefined;
  }

  run(): void {
    const start = performance.now();
    this.#scan();
    const elapsed = performance.now() - start;
    if (this.#runs++ < FIRST_RUNS) {
      this.#firstMs = Math.min(this.#firstMs, elapsed);
      return;
    }
    this.#best = Math.min(this.#best, elapsed);
    if (elapsed * FASTER < this.#firstMs) this.#fastRuns++;
  }
}

/** What to take where measuring says nothing: see README.md of src/hamming for the reasons. */
function likelyKernel(): ScanKernelName {
  if (process.arch === 'arm64') return 'rows';
  // V8 12 keeps the order of loads and uses that the source has.
  return Number.parseInt(process.versions.v8, 10) >= 12 ? 'bit-sliced' : 'bit-sliced-ordered';
}

let chosen: ScanKernelName | undefined;

/** The kernel that is fastest on this engine and CPU, measured once a process, some 10 ms in all. */
export function chooseScanKernel(): ScanKernel {
  chosen ??= measure();
  return SCAN_KERNELS[chosen];
}

function measure(): ScanKernelName {
  const trials = Object.values(SCAN_KERNELS).map((kernel) => new Trial(kernel));
  const begin = performance.now();
  // In turn, so that the compiler works on all of them at once.
  while (performance.now() - begin < LONGEST_MS && trials.some((trial) => !trial.done))
    for (const trial of trials) if (!trial.done) trial.run();
  const likely = likelyKernel();
  const toBeat = trials.find(({ kernel }) => kernel.name === likely)?.bestMs;
  if (toBeat === undefined) return likely;
  return trials.reduce(
    (best, { kernel, bestMs }) => (bestMs !== undefined && bestMs < best.ms ? { name: kernel.name, ms: bestMs } : best),
    { name: likely, ms: toBeat * MARGIN },
  ).name;
}
