import { VprError } from './VprError.js';

/**
 * NumPy's array file, format 1.0 and 2.0: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
 * Bytes in, bytes out; little-endian, C order.
 */

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** The header ends on a multiple of this. */
const ALIGNMENT = 64;

const TYPES = {
  '|u1': Uint8Array,
  '|i1': Int8Array,
  '<u2': Uint16Array,
  '<i2': Int16Array,
  '<u4': Uint32Array,
  '<i4': Int32Array,
  '<u8': BigUint64Array,
  '<i8': BigInt64Array,
  '<f4': Float32Array,
  '<f8': Float64Array,
} as const;

export type NpyType = keyof typeof TYPES;
export type NpyData =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

export interface NpyArray {
  readonly shape: readonly number[];
  readonly type: NpyType;
  /** Row-major (C order). */
  readonly data: NpyData;
}

function typeOf(data: NpyData): NpyType {
  for (const [type, constructor] of Object.entries(TYPES)) if (data instanceof constructor) return type as NpyType;
  throw new TypeError('Expected a typed array that NumPy knows');
}

/** The file of one array; the product of shape is the length of data. */
export function writeNpy(data: NpyData, shape: readonly number[]): Uint8Array {
  if (shape.reduce((product, size) => product * size, 1) !== data.length)
    throw new RangeError(`Expected ${shape.join(' x ')} values, got ${data.length}`);
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dictionary = `{'descr': '${typeOf(data)}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const prefix = MAGIC.length + 4;
  const padding = ALIGNMENT - ((prefix + dictionary.length + 1) % ALIGNMENT);
  const header = `${dictionary}${' '.repeat(padding)}\n`;
  const file = new Uint8Array(prefix + header.length + data.byteLength);
  file.set([...MAGIC, 1, 0, header.length & 255, header.length >>> 8]);
  file.set(new TextEncoder().encode(header), prefix);
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), prefix + header.length);
  return file;
}

/** Where and what the data of a file is. */
export interface NpyHeader {
  readonly shape: readonly number[];
  readonly type: NpyType;
  readonly itemBytes: number;
  /** Of the first value in the file. */
  readonly dataOffset: number;
}

/**
 * Reads one array. name: what errors call the file. Throws FILE_UNREADABLE for anything that is not a C-ordered,
 * little-endian array of numbers with all its data.
 */
export function readNpy(file: Uint8Array, name: string): NpyArray {
  const { shape, type, itemBytes, dataOffset } = readNpyHeader(file, name, file.length);
  const constructor = TYPES[type];
  const count = shape.reduce((product, size) => product * size, 1);
  // A view where the address allows it, so that a large array is in memory once.
  const offset = file.byteOffset + dataOffset;
  const data =
    offset % itemBytes === 0
      ? new constructor(file.buffer as ArrayBuffer, offset, count)
      : new constructor(file.slice(dataOffset, dataOffset + count * itemBytes).buffer, 0, count);
  return { shape, type, data };
}

/** The same checks for a file of which only the start (4 KiB are plenty) is at hand; fileBytes: its whole length. */
export function readNpyHeader(file: Uint8Array, name: string, fileBytes: number): NpyHeader {
  const fail = (expected: string, got: string): never => {
    throw new VprError('FILE_UNREADABLE', `Expected ${expected}, got ${got} [${name}]`);
  };
  if (file.length < 10 || MAGIC.some((byte, i) => file[i] !== byte)) fail('a NumPy array (.npy)', 'other bytes');
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const major = file[6]!;
  if (major !== 1 && major !== 2) fail('.npy format version 1 or 2', `version ${major}`);
  const start = major === 1 ? 10 : 12;
  if (file.length < start) fail('a whole .npy header', `${file.length} bytes`);
  const end = start + (major === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (end > file.length) fail(`a .npy header of ${end} bytes`, `${file.length} bytes`);
  const header = new TextDecoder('latin1').decode(file.subarray(start, end));

  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? fail("'descr' in the .npy header", `'${header.trim()}'`);
  if (!(type in TYPES)) fail(`an array of ${Object.keys(TYPES).join(' ')}`, `'${type}'`);
  const sizes = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1] ?? fail("'shape' in the .npy header", header.trim());
  const shape = sizes
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number);
  const isFortran = /'fortran_order':\s*True/.test(header);
  if (isFortran && shape.filter((size) => size > 1).length > 1) fail('an array in C order', 'Fortran order');

  const itemBytes = TYPES[type as NpyType].BYTES_PER_ELEMENT;
  const bytes = shape.reduce((product, size) => product * size, itemBytes);
  if (!Number.isSafeInteger(bytes) || fileBytes - end < bytes)
    fail(`${shape.join(' x ')} values of ${itemBytes} bytes`, `${fileBytes - end} bytes`);
  return { shape, type: type as NpyType, itemBytes, dataOffset: end };
}
