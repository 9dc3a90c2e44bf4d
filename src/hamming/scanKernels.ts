import { CODE_BYTES } from '../core/binaryCode.js';
import { bitSlicedCode } from './bitSlicedCode.js';
import type { KernelCode } from '../simd/decodeKernel.js';
import { orderedBitSlicedCode } from './orderedBitSlicedCode.js';
import { rowCode } from './rowCode.js';
import { BLOCK_CODES, BLOCK_CODE_BYTES } from './scanState.js';

/** See the kernels' sources: returns the blocks left when the candidate list might overflow, else 0. */
export type Scan = (block: number, blocks: number, query: number, state: number, position: number) => number;

/** One way to lay out codes and to scan them. */
export interface ScanKernel {
  readonly name: ScanKernelName;
  readonly code: KernelCode;
  /** Bytes of a query as the kernel wants it. */
  readonly queryBytes: number;
  /** Writes one query: code [64], out [queryBytes]. */
  writeQuery(code: Uint8Array, out: Uint8Array): void;
  /** Writes code `lane` (0...127) into a block of zeros: block [8192]. */
  writeCode(code: Uint8Array, block: Uint8Array, lane: number): void;
  /** Writes a whole block: codes [128, 64]. */
  writeBlock(codes: Uint8Array, block: Uint8Array): void;
}

export type ScanKernelName = 'bit-sliced' | 'bit-sliced-ordered' | 'rows';

/** Bit-sliced: vector p (16 bytes, lane i in bit i) holds the parity of bits 0...p of each of 128 codes. */
const BIT_SLICED = {
  queryBytes: BLOCK_CODE_BYTES,
  writeQuery(code: Uint8Array, out: Uint8Array): void {
    const words = new Int32Array(out.buffer, out.byteOffset, out.length / 4);
    let parity = 0;
    for (let byte = 0, at = 0; byte < CODE_BYTES; byte++) {
      const value = code[byte]!;
      for (let bit = 7; bit >= 0; bit--, at += 4) {
        parity ^= -((value >>> bit) & 1);
        words[at] = words[at + 1] = words[at + 2] = words[at + 3] = parity;
      }
    }
  },
  writeCode(code: Uint8Array, block: Uint8Array, lane: number): void {
    let parity = 0;
    for (let byte = 0, at = lane >>> 3; byte < CODE_BYTES; byte++) {
      for (let bit = 7; bit >= 0; bit--, at += 16) {
        parity ^= (code[byte]! >>> bit) & 1;
        block[at]! |= parity << (lane & 7);
      }
    }
  },
  writeBlock(codes: Uint8Array, block: Uint8Array): void {
    transposeBlock(codes, block);
    const words = new Uint32Array(block.buffer, block.byteOffset, BLOCK_CODE_BYTES / 4);
    for (let i = 4; i < words.length; i++) words[i]! ^= words[i - 4]!;
  },
};

/** Bits [128, 512] to [512, 128]: 8 x 8 bits at a time, as in Warren, Hacker's Delight, 2nd edition, section 7-3. */
function transposeBlock(codes: Uint8Array, block: Uint8Array): void {
  for (let lanes = 0; lanes < BLOCK_CODES / 8; lanes++) {
    for (let byte = 0; byte < CODE_BYTES; byte++) {
      const from = lanes * 8 * CODE_BYTES + byte;
      // Row r of the 8 x 8 bits is code `lanes * 8 + 7 - r`, so that the first code lands in the lowest bit.
      let high =
        (codes[from + 7 * CODE_BYTES]! << 24) |
        (codes[from + 6 * CODE_BYTES]! << 16) |
        (codes[from + 5 * CODE_BYTES]! << 8) |
        codes[from + 4 * CODE_BYTES]!;
      let low =
        (codes[from + 3 * CODE_BYTES]! << 24) |
        (codes[from + 2 * CODE_BYTES]! << 16) |
        (codes[from + CODE_BYTES]! << 8) |
        codes[from]!;
      let swap = (high ^ (high >>> 7)) & 0x00aa00aa;
      high ^= swap ^ (swap << 7);
      swap = (low ^ (low >>> 7)) & 0x00aa00aa;
      low ^= swap ^ (swap << 7);
      swap = (high ^ (high >>> 14)) & 0x0000cccc;
      high ^= swap ^ (swap << 14);
      swap = (low ^ (low >>> 14)) & 0x0000cccc;
      low ^= swap ^ (swap << 14);
      swap = (high & 0xf0f0f0f0) | ((low >>> 4) & 0x0f0f0f0f);
      low = ((high << 4) & 0xf0f0f0f0) | (low & 0x0f0f0f0f);
      high = swap;
      const to = byte * 8 * 16 + lanes;
      block[to] = high >>> 24;
      block[to + 16] = high >>> 16;
      block[to + 32] = high >>> 8;
      block[to + 48] = high;
      block[to + 64] = low >>> 24;
      block[to + 80] = low >>> 16;
      block[to + 96] = low >>> 8;
      block[to + 112] = low;
    }
  }
}

const ROWS = {
  queryBytes: CODE_BYTES,
  writeQuery: (code: Uint8Array, out: Uint8Array): void => out.set(code),
  writeCode: (code: Uint8Array, block: Uint8Array, lane: number): void => block.set(code, lane * CODE_BYTES),
  writeBlock: (codes: Uint8Array, block: Uint8Array): void => block.set(codes),
};

/** Every kernel, by name; all give the same answers. */
export const SCAN_KERNELS: Readonly<Record<ScanKernelName, ScanKernel>> = {
  'bit-sliced': { name: 'bit-sliced', code: bitSlicedCode, ...BIT_SLICED },
  'bit-sliced-ordered': { name: 'bit-sliced-ordered', code: orderedBitSlicedCode, ...BIT_SLICED },
  rows: { name: 'rows', code: rowCode, ...ROWS },
};

/** Whether this engine has WebAssembly with 128-bit SIMD. */
export function hasSimd(): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(rowCode.bytes);
}

export function instantiateScan(module: WebAssembly.Module, memory: WebAssembly.Memory): Scan {
  return new WebAssembly.Instance(module, { env: { memory } }).exports['scan'] as Scan;
}
