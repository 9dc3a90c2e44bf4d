/**
 * WebAssembly instructions as nested byte lists, written as expressions: `v128.xor(a, b)` is the code of a, the code of
 * b, then the opcode. Opcodes: WebAssembly core specification 2.0, "Index of Instructions".
 */
export type Code = readonly (number | Code)[];

export type ValueType = 'i32' | 'i64' | 'f32' | 'v128';
export const VALUE_TYPE_BYTE: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, v128: 0x7b };

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  do {
    const low = value % 128;
    value = Math.floor(value / 128);
    bytes.push(value > 0 ? low | 0x80 : low);
  } while (value > 0);
  return bytes;
}

/** Signed LEB128 of a 32-bit integer. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  for (;;) {
    const low = value & 0x7f;
    value >>= 7;
    const done = (value === 0 && (low & 0x40) === 0) || (value === -1 && (low & 0x40) !== 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

const operation =
  (opcode: number) =>
  (...operands: Code[]): Code => [...operands, opcode];
const simd =
  (opcode: number) =>
  (...operands: Code[]): Code => [...operands, 0xfd, unsigned(opcode)];
/** alignment: log2 of the bytes; a hint only. */
const load =
  (opcode: Code, alignment: number) =>
  (address: Code, offset = 0): Code => [address, opcode, alignment, unsigned(offset)];
const store =
  (opcode: Code, alignment: number) =>
  (address: Code, value: Code, offset = 0): Code => [address, value, opcode, alignment, unsigned(offset)];
const simdLane =
  (opcode: number) =>
  (value: Code, lane: number): Code => [value, 0xfd, unsigned(opcode), lane];

export const i32 = {
  const: (value: number): Code => [0x41, signed(value)],
  load: load([0x28], 2),
  load8U: load([0x2d], 0),
  store: store([0x36], 2),
  eqz: operation(0x45),
  ltU: operation(0x49),
  gtU: operation(0x4b),
  leU: operation(0x4d),
  geU: operation(0x4f),
  ctz: operation(0x68),
  add: operation(0x6a),
  sub: operation(0x6b),
  mul: operation(0x6c),
  and: operation(0x71),
  or: operation(0x72),
  shl: operation(0x74),
  shrU: operation(0x76),
  wrapI64: operation(0xa7),
};

export const i64 = {
  const: (value: number): Code => [0x42, signed(value)],
  load: load([0x29], 3),
  eqz: operation(0x50),
  ctz: operation(0x7a),
  add: operation(0x7c),
  sub: operation(0x7d),
  and: operation(0x83),
  shrU: operation(0x88),
};

export const f32 = {
  load: load([0x2a], 2),
  store: store([0x38], 2),
  const: (value: number): Code => [0x43, ...new Uint8Array(Float32Array.of(value).buffer)],
  gt: operation(0x5e),
  add: operation(0x92),
  mul: operation(0x94),
  div: operation(0x95),
  max: operation(0x97),
  convertI32S: operation(0xb2),
};

export const v128 = {
  load: load([0xfd, 0x00], 4),
  store: store([0xfd, 0x0b], 4),
  load32Splat: load([0xfd, 0x09], 2),
  const: (bytes: readonly number[]): Code => [0xfd, 0x0c, ...bytes],
  not: simd(0x4d),
  and: simd(0x4e),
  /** a & ~b */
  andnot: simd(0x4f),
  or: simd(0x50),
  xor: simd(0x51),
  anyTrue: simd(0x53),
};

export const i8x16 = {
  /** lanes: 16 byte indices into the 32 bytes of a and b. */
  shuffle: (a: Code, b: Code, lanes: readonly number[]): Code => [a, b, 0xfd, 0x0d, ...lanes],
  popcnt: simd(0x62),
  narrowI16x8S: simd(0x65),
  add: simd(0x6e),
};

export const i16x8 = {
  loadExtend8x8S: load([0xfd, 0x01], 3),
  extaddPairwiseI8x16U: simd(0x7d),
  narrowI32x4S: simd(0x85),
  extendLowI8x16U: simd(0x89),
  extendHighI8x16U: simd(0x8a),
};

export const i32x4 = {
  loadExtend16x4S: load([0xfd, 0x03], 3),
  splat: simd(0x11),
  extractLane: simdLane(0x1b),
  ltS: simd(0x39),
  bitmask: simd(0xa4),
  extaddPairwiseI16x8U: simd(0x7f),
  shl: simd(0xab),
  shrS: simd(0xac),
  shrU: simd(0xad),
  add: simd(0xae),
  sub: simd(0xb1),
  dotI16x8S: simd(0xba),
};

export const i64x2 = {
  extractLane: simdLane(0x1d),
};

export const f32x4 = {
  splat: simd(0x13),
  extractLane: simdLane(0x1f),
  abs: simd(0xe0),
  add: simd(0xe4),
  mul: simd(0xe6),
  /** a < b ? b : a */
  pmax: simd(0xeb),
};

const BLOCK_EMPTY = 0x40;
const END = 0x0b;

/** while (condition) body. */
export const whileLoop = (condition: Code, ...body: Code[]): Code => [
  [0x02, BLOCK_EMPTY],
  [0x03, BLOCK_EMPTY],
  condition,
  0x45,
  [0x0d, 1],
  ...body,
  [0x0c, 0],
  END,
  END,
];

/** do body while (condition). */
export const doWhile = (body: Code, condition: Code): Code => [[0x03, BLOCK_EMPTY], body, condition, [0x0d, 0], END];

export const ifThen = (condition: Code, ...body: Code[]): Code => [condition, [0x04, BLOCK_EMPTY], ...body, END];

export const returnValue = (value: Code): Code => [value, 0x0f];
