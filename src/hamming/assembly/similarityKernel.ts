import { f32, f32x4, i16x8, i32, i32x4, i8x16, ifThen, v128, whileLoop, type Code } from './instructions.js';
import { WasmFunction, type Local } from './WasmFunction.js';

/** Values a step; rows are padded with zeros to a whole number of steps. */
const STEP = 16;
const ZERO = v128.const(new Array<number>(16).fill(0));
/** Bytes in front of an int8 row: its scale, f32, padded to a vector. */
const INT8_HEAD = 16;

/** f(query, rows, n, values, out): out[i], f32, from row i; rows: [n] u32 addresses; values: a multiple of 16. */
function overRows(
  name: string,
  extraParameters: readonly 'f32'[],
  body: (f: WasmFunction, query: Local, row: Local) => { before: Code; step: Code; result: Code },
): WasmFunction {
  const f = new WasmFunction(name, ['i32', 'i32', 'i32', 'i32', 'i32', ...extraParameters], []);
  const [query, rows, n, values, out] = [0, 1, 2, 3, 4].map((i) => f.parameter(i)) as [
    Local,
    Local,
    Local,
    Local,
    Local,
  ];
  const [row, left, queryAt] = f.locals('i32', 3) as [Local, Local, Local];
  const { before, step, result } = body(f, queryAt, row);
  f.setBody(
    whileLoop(
      n.get,
      row.set(i32.load(rows.get)),
      queryAt.set(query.get),
      left.set(values.get),
      before,
      whileLoop(left.get, step, left.set(i32.sub(left.get, i32.const(STEP)))),
      f32.store(out.get, result),
      out.set(i32.add(out.get, i32.const(4))),
      rows.set(i32.add(rows.get, i32.const(4))),
      n.set(i32.sub(n.get, i32.const(1))),
    ),
  );
  return f;
}

/** 16 partial sums in 4 vectors: (s0 + s1) + (s2 + s3), then lanes (0 + 1) + (2 + 3); scalarSimilarity does the same. */
function sumOf(f: WasmFunction, sums: readonly Local[]): { reduce: Code; value: Code } {
  const total = f.local('v128');
  const [s0, s1, s2, s3] = sums.map((sum) => sum.get) as [Code, Code, Code, Code];
  const lane = (index: number): Code => f32x4.extractLane(total.get, index);
  return {
    reduce: total.set(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3))),
    value: f32.add(f32.add(lane(0), lane(1)), f32.add(lane(2), lane(3))),
  };
}

const dotF32 = (): WasmFunction =>
  overRows('dotF32', [], (f, query, row) => {
    const sums = f.locals('v128', 4);
    const { reduce, value } = sumOf(f, sums);
    return {
      before: sums.map((sum) => sum.set(ZERO)),
      step: [
        ...sums.map((sum, i) =>
          sum.set(f32x4.add(sum.get, f32x4.mul(v128.load(query.get, 16 * i), v128.load(row.get, 16 * i)))),
        ),
        query.set(i32.add(query.get, i32.const(64))),
        row.set(i32.add(row.get, i32.const(64))),
      ],
      result: [reduce, value],
    };
  });

/**
 * Half floats: shifted left by 13, exponent and mantissa stand where f32 has them, but 112 too low in the exponent;
 * so the caller passes the query times 2^112 (|query| < 2^15), and every product is the same f32.
 */
const dotF16 = (): WasmFunction =>
  overRows('dotF16', [], (f, query, row) => {
    const sums = f.locals('v128', 4);
    const { reduce, value } = sumOf(f, sums);
    // The load extends the sign, so bits 31...28 are copies of it: three of them are cleared.
    const signExponentMantissa = i32x4.splat(i32.const(0x8fffe000 | 0));
    const half = (i: number): Code =>
      v128.and(i32x4.shl(i32x4.loadExtend16x4S(row.get, 8 * i), i32.const(13)), signExponentMantissa);
    return {
      before: sums.map((sum) => sum.set(ZERO)),
      step: [
        ...sums.map((sum, i) => sum.set(f32x4.add(sum.get, f32x4.mul(v128.load(query.get, 16 * i), half(i))))),
        query.set(i32.add(query.get, i32.const(64))),
        row.set(i32.add(row.get, i32.const(32))),
      ],
      result: [reduce, value],
    };
  });

/**
 * int8 rows with a scale each, query in i16 of at most 8191. A lane gains at most 2 * 127 * 8191 = 2,080,514 a step and
 * accumulator; 2^31 / 2,080,514 = 1032 steps of 16 values, so rows of up to 16,384 values cannot overflow. Lanes are
 * added after conversion to f32, as their sum could pass 2^31.
 */
const dotInt8 = (): WasmFunction =>
  overRows('dotInt8', ['f32'], (f, query, row) => {
    const queryScale = f.parameter(5);
    const sums = f.locals('v128', 2);
    const scale = f.local('f32');
    const lane = (sum: Local, index: number): Code => f32.convertI32S(i32x4.extractLane(sum.get, index));
    const lanesOf = (sum: Local): Code =>
      f32.add(f32.add(lane(sum, 0), lane(sum, 1)), f32.add(lane(sum, 2), lane(sum, 3)));
    return {
      before: [
        ...sums.map((sum) => sum.set(ZERO)),
        scale.set(f32.mul(f32.load(row.get), queryScale.get)),
        row.set(i32.add(row.get, i32.const(INT8_HEAD))),
      ],
      step: [
        ...sums.map((sum, i) =>
          sum.set(
            i32x4.add(sum.get, i32x4.dotI16x8S(i16x8.loadExtend8x8S(row.get, 8 * i), v128.load(query.get, 16 * i))),
          ),
        ),
        query.set(i32.add(query.get, i32.const(32))),
        row.set(i32.add(row.get, i32.const(16))),
      ],
      result: f32.mul(f32.add(lanesOf(sums[0]!), lanesOf(sums[1]!)), scale.get),
    };
  });

/**
 * packF16(source, target, values): f32 to half floats, to nearest even. Times 2^-112 the exponent is a half float's,
 * denormals included; then the mantissa is rounded at bit 13. |value| < 65504, as descriptors are.
 */
function packF16(): WasmFunction {
  const f = new WasmFunction('packF16', ['i32', 'i32', 'i32'], []);
  const [source, target, values] = [0, 1, 2].map((i) => f.parameter(i)) as [Local, Local, Local];
  const [low, high] = f.locals('v128', 2) as [Local, Local];
  const toHalf = (from: Local, offset: number): Code => [
    from.set(f32x4.mul(v128.load(source.get, offset), f32x4.splat(f32.const(2 ** -112)))),
    // (bits + 0xfff + bit 13) >> 13, sign apart.
    from.set(
      v128.or(
        i32x4.shrU(
          i32x4.add(
            i32x4.add(f32x4.abs(from.get), i32x4.splat(i32.const(0xfff))),
            v128.and(i32x4.shrU(from.get, i32.const(13)), i32x4.splat(i32.const(1))),
          ),
          i32.const(13),
        ),
        v128.and(i32x4.shrS(from.get, i32.const(16)), i32x4.splat(i32.const(-0x8000))),
      ),
    ),
  ];
  // A set sign makes a lane negative with 15 significant bits, so the signed narrowing is exact.
  f.setBody(
    whileLoop(
      values.get,
      toHalf(low, 0),
      toHalf(high, 16),
      v128.store(target.get, i16x8.narrowI32x4S(low.get, high.get)),
      source.set(i32.add(source.get, i32.const(32))),
      target.set(i32.add(target.get, i32.const(16))),
      values.set(i32.sub(values.get, i32.const(8))),
    ),
  );
  return f;
}

/** packInt8(source, target, values): the scale max|x| / 127 in f32, then round(x / scale) in int8 from byte 16 on. */
function packInt8(): WasmFunction {
  const f = new WasmFunction('packInt8', ['i32', 'i32', 'i32'], []);
  const [source, target, values] = [0, 1, 2].map((i) => f.parameter(i)) as [Local, Local, Local];
  const [at, left] = f.locals('i32', 2) as [Local, Local];
  const [greatest, factor] = [f.local('v128'), f.local('v128')];
  const most = f.local('f32');
  const lane = (index: number): Code => f32x4.extractLane(greatest.get, index);
  const rounded = (offset: number): Code =>
    i32x4.truncSatF32x4S(f32x4.nearest(f32x4.mul(v128.load(at.get, offset), factor.get)));
  f.setBody(
    greatest.set(ZERO),
    at.set(source.get),
    left.set(values.get),
    whileLoop(
      left.get,
      greatest.set(f32x4.max(greatest.get, f32x4.abs(v128.load(at.get)))),
      at.set(i32.add(at.get, i32.const(16))),
      left.set(i32.sub(left.get, i32.const(4))),
    ),
    most.set(f32.max(f32.max(lane(0), lane(1)), f32.max(lane(2), lane(3)))),
    f32.store(target.get, f32.div(most.get, f32.const(127))),
    factor.set(ZERO),
    // A row of zeros keeps the factor 0: 127 / 0 would make NaN of every value.
    ifThen(f32.gt(most.get, f32.const(0)), factor.set(f32x4.splat(f32.div(f32.const(127), most.get)))),
    at.set(source.get),
    whileLoop(
      values.get,
      v128.store(
        target.get,
        i8x16.narrowI16x8S(i16x8.narrowI32x4S(rounded(0), rounded(16)), i16x8.narrowI32x4S(rounded(32), rounded(48))),
        INT8_HEAD,
      ),
      at.set(i32.add(at.get, i32.const(64))),
      target.set(i32.add(target.get, i32.const(16))),
      values.set(i32.sub(values.get, i32.const(STEP))),
    ),
  );
  return f;
}

/** Dot products of a query with rows at any addresses, and the packing of f32 rows for storage. */
export function similarityFunctions(): WasmFunction[] {
  return [dotF32(), dotF16(), dotInt8(), packF16(), packInt8()];
}
