/** A built WebAssembly module. */
export interface KernelCode {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where the limits flag of the imported memory stands. */
  readonly limitsOffset: number;
}

const SHARED = 0x03;

/** lines: base64 of the module. */
export function decodeKernel(limitsOffset: number, lines: readonly string[]): KernelCode {
  return { bytes: Uint8Array.from(Buffer.from(lines.join(''), 'base64')), limitsOffset };
}

/**
 * Compiles a kernel for a memory of its own or a shared one: the import of the module must say which, and that is one
 * bit of one byte.
 */
export function compileKernel({ bytes, limitsOffset }: KernelCode, options: { shared: boolean }): WebAssembly.Module {
  const code = bytes.slice();
  if (options.shared) code[limitsOffset] = SHARED;
  return new WebAssembly.Module(code);
}
