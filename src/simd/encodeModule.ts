import { unsigned, VALUE_TYPE_BYTE } from './instructions.js';
import type { WasmFunction } from './WasmFunction.js';

/** Pages that a 32-bit memory can have. */
const MOST_PAGES = 65536;
/** Limits flag: a maximum is given, the memory is not shared. `instantiateKernel` sets bit 1 for a shared memory. */
const LIMITS_WITH_MAXIMUM = 0x01;

const name = (text: string): number[] => [...unsigned(text.length), ...Buffer.from(text, 'latin1')];
const vector = (items: readonly (readonly number[])[]): number[] => [...unsigned(items.length), ...items.flat()];
const section = (id: number, content: readonly number[]): number[] => [id, ...unsigned(content.length), ...content];

export interface EncodedModule {
  readonly bytes: Uint8Array;
  /** Where the limits flag of the imported memory stands. */
  readonly limitsOffset: number;
}

/** A module that imports `env.memory` and exports its functions. */
export function encodeModule(functions: readonly WasmFunction[]): EncodedModule {
  const types = functions.map(({ parameterTypes, resultTypes }) => [
    0x60,
    ...vector(parameterTypes.map((type) => [VALUE_TYPE_BYTE[type]])),
    ...vector(resultTypes.map((type) => [VALUE_TYPE_BYTE[type]])),
  ]);
  const limits = [LIMITS_WITH_MAXIMUM, ...unsigned(1), ...unsigned(MOST_PAGES)];
  const head = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, ...section(1, vector(types))];
  const imports = section(2, vector([[...name('env'), ...name('memory'), 0x02, ...limits]]));
  const bytes = [
    ...head,
    ...imports,
    ...section(3, vector(functions.map((_, index) => unsigned(index)))),
    ...section(7, vector(functions.map((f, index) => [...name(f.name), 0x00, ...unsigned(index)]))),
    ...section(10, vector(functions.map((f) => f.encode()))),
  ];
  return { bytes: Uint8Array.from(bytes), limitsOffset: head.length + imports.length - limits.length };
}
