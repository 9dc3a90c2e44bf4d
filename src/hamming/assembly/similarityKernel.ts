import { f32, f32x4, i16x8, i32, i32x4, i8x16, ifThen, v128, whileLoop, type Code } from '../../simd/instructions.js';
import { WasmFunction, type Local } from '../../simd/WasmFunction.js';

/** Values that rows are padded to a multiple of, with zeros. */
const STEP = 16;
/** Rows compared at once: they share the query's loads, and their cache misses overlap. */
const ROWS = 4;
const ZERO = v128.const(new Array<number>(16).fill(0));
/** Bytes in front of integers: their scale, f32, padded to a vector. */
const HEAD = 16;

interface RowsBody {
  readonly before: Code;
  /** Values of the query that all rows share in a step. */
  readonly loadQuery: Code;
  /** Adds a step's values of one row. */
  readonly stepOfRow: (row: number) => Code;
  readonly advanceAll: Code;
  readonly stepValues: number;
  /** f32 result of a row. */
  readonly result: (row: number) => Code;
}

/**
 * name(query, rows, n, values, out): out[i], f32, from row i; rows: [n] u32 addresses; n: a multiple of 4; values: a
 * multiple of 16.
 */
function overRows(
  name: string,
  body: (f: WasmFunction, query: Local, rows: readonly Local[]) => RowsBody,
): WasmFunction {
  const f = new WasmFunction(name, ['i32', 'i32', 'i32', 'i32', 'i32'], []);
  const [query, rows, n, values, out] = [0, 1, 2, 3, 4].map((i) => f.parameter(i)) as [
    Local,
    Local,
    Local,
    Local,
    Local,
  ];
  const [left, queryAt] = f.locals('i32', 2) as [Local, Local];
  const rowsAt = f.locals('i32', ROWS);
  const { before, stepOfRow, loadQuery, advanceAll, stepValues, result } = body(f, queryAt, rowsAt);
  // The optimising compiler of V8 before 12 moves all loads of a loop body to its front and spills them, which takes
  // twice the time; a store holds the next row's loads back. It writes where the results will stand.
  const step = [loadQuery, rowsAt.map((_, row) => [stepOfRow(row), v128.store(out.get, ZERO)]), advanceAll];
  f.setBody(
    whileLoop(
      n.get,
      rowsAt.map((row, i) => row.set(i32.load(rows.get, 4 * i))),
      queryAt.set(query.get),
      left.set(values.get),
      before,
      whileLoop(left.get, step, left.set(i32.sub(left.get, i32.const(stepValues)))),
      rowsAt.map((_, i) => f32.store(out.get, result(i), 4 * i)),
      out.set(i32.add(out.get, i32.const(4 * ROWS))),
      rows.set(i32.add(rows.get, i32.const(4 * ROWS))),
      n.set(i32.sub(n.get, i32.const(ROWS))),
    ),
  );
  return f;
}

const advance = (address: Local, bytes: number): Code => address.set(i32.add(address.get, i32.const(bytes)));

/** Float rows: 8 partial sums a row in 2 vectors; then s0 + s1, then lanes (0 + 1) + (2 + 3), as scalarSimilarity does. */
function dotFloat(
  name: string,
  rowBytes: number,
  rowLoader: (f: WasmFunction) => { readonly before: Code; readonly loadRow: (row: Local, vector: number) => Code },
): WasmFunction {
  return overRows(name, (f, query, rows) => {
    const sums = rows.map(() => f.locals('v128', 2));
    const queryVectors = f.locals('v128', 2);
    const { before, loadRow } = rowLoader(f);
    const total = f.local('v128');
    const lane = (index: number): Code => f32x4.extractLane(total.get, index);
    return {
      before: [before, ...sums.flat().map((sum) => sum.set(ZERO))],
      loadQuery: queryVectors.map((vector, i) => vector.set(v128.load(query.get, 16 * i))),
      stepOfRow: (row) =>
        sums[row]!.map((sum, i) =>
          sum.set(f32x4.add(sum.get, f32x4.mul(queryVectors[i]!.get, loadRow(rows[row]!, i)))),
        ),
      advanceAll: [advance(query, 32), rows.map((row) => advance(row, 2 * rowBytes))],
      stepValues: 8,
      result: (row) => [
        total.set(f32x4.add(sums[row]![0]!.get, sums[row]![1]!.get)),
        f32.add(f32.add(lane(0), lane(1)), f32.add(lane(2), lane(3))),
      ],
    };
  });
}

const dotF32 = (): WasmFunction =>
  dotFloat('dotF32', 16, () => ({ before: [], loadRow: (row, vector) => v128.load(row.get, 16 * vector) }));

/**
 * Half floats: shifted left by 13, exponent and mantissa stand where f32 has them, but 112 too low in the exponent;
 * so the caller passes the query times 2^112 (|query| < 2^15), and every product is the same f32. The load extends the
 * sign, so bits 31...28 are copies of it: three of them are cleared.
 */
const dotF16 = (): WasmFunction =>
  dotFloat('dotF16', 8, (f) => {
    const mask = f.local('v128');
    return {
      before: mask.set(i32x4.splat(i32.const(0x8fffe000 | 0))),
      loadRow: (row, vector) =>
        v128.and(i32x4.shl(i32x4.loadExtend16x4S(row.get, 8 * vector), i32.const(13)), mask.get),
    };
  });

/**
 * int8 rows with a scale each, query in i16 of at most 8191 with its scale, as packInt8 and packInt8Query leave them. A lane gains at most 2 * 127 * 8191 = 2,080,514 a step and
 * accumulator; 2^31 / 2,080,514 = 1032 steps of 16 values, so rows of up to 16,384 values cannot overflow. Lanes are
 * added after conversion to f32, as their sum could pass 2^31.
 */
const dotInt8 = (): WasmFunction =>
  overRows('dotInt8', (f, query, rows) => {
    const sums = rows.map(() => f.locals('v128', 2));
    const scales = f.locals('f32', ROWS);
    const queryVectors = f.locals('v128', 2);
    const lane = (sum: Local, index: number): Code => f32.convertI32S(i32x4.extractLane(sum.get, index));
    const lanesOf = (sum: Local): Code =>
      f32.add(f32.add(lane(sum, 0), lane(sum, 1)), f32.add(lane(sum, 2), lane(sum, 3)));
    return {
      before: [
        ...sums.flat().map((sum) => sum.set(ZERO)),
        ...rows.map((row, r) => [scales[r]!.set(f32.mul(f32.load(row.get), f32.load(query.get))), advance(row, HEAD)]),
        advance(query, HEAD),
      ],
      loadQuery: queryVectors.map((vector, i) => vector.set(v128.load(query.get, 16 * i))),
      stepOfRow: (row) =>
        sums[row]!.map((sum, i) =>
          sum.set(
            i32x4.add(sum.get, i32x4.dotI16x8S(i16x8.loadExtend8x8S(rows[row]!.get, 8 * i), queryVectors[i]!.get)),
          ),
        ),
      advanceAll: [advance(query, 32), rows.map((row) => advance(row, 16))],
      stepValues: STEP,
      result: (row) => f32.mul(f32.add(lanesOf(sums[row]![0]!), lanesOf(sums[row]![1]!)), scales[row]!.get),
    };
  });

/**
 * packF16(source, target, values): f32 to half floats, to nearest even. Times 2^-112 the exponent is a half float's,
 * denormals included; then the mantissa is rounded at bit 13. |value| < 65504, as descriptors are.
 */
function packF16(): WasmFunction {
  const f = new WasmFunction('packF16', ['i32', 'i32', 'i32'], []);
  const [source, target, values] = [0, 1, 2].map((i) => f.parameter(i)) as [Local, Local, Local];
  const [low, high, scale, half, one, sign] = f.locals('v128', 6) as [Local, Local, Local, Local, Local, Local];
  const toHalf = (from: Local, offset: number): Code => [
    from.set(f32x4.mul(v128.load(source.get, offset), scale.get)),
    // (bits + 0xfff + bit 13) >> 13, sign apart.
    from.set(
      v128.or(
        i32x4.shrU(
          i32x4.add(i32x4.add(f32x4.abs(from.get), half.get), v128.and(i32x4.shrU(from.get, i32.const(13)), one.get)),
          i32.const(13),
        ),
        v128.and(i32x4.shrS(from.get, i32.const(16)), sign.get),
      ),
    ),
  ];
  // A set sign makes a lane negative with 15 significant bits, so the signed narrowing is exact.
  f.setBody(
    scale.set(f32x4.splat(f32.const(2 ** -112))),
    half.set(i32x4.splat(i32.const(0xfff))),
    one.set(i32x4.splat(i32.const(1))),
    sign.set(i32x4.splat(i32.const(-0x8000))),
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

/** packF16Query(source, target, values): f32 times 2^112, as dotF16 wants its query. */
function packF16Query(): WasmFunction {
  const f = new WasmFunction('packF16Query', ['i32', 'i32', 'i32'], []);
  const [source, target, values] = [0, 1, 2].map((i) => f.parameter(i)) as [Local, Local, Local];
  f.setBody(
    whileLoop(
      values.get,
      v128.store(target.get, f32x4.mul(v128.load(source.get), f32x4.splat(f32.const(2 ** 112)))),
      advance(source, 16),
      advance(target, 16),
      values.set(i32.sub(values.get, i32.const(4))),
    ),
  );
  return f;
}

interface Integers {
  readonly name: string;
  /** What the greatest absolute value becomes. */
  readonly greatest: number;
  /** Stores 16 values from vectors of 4 i32. */
  readonly storeStep: (target: Local, vectors: readonly [Code, Code, Code, Code]) => Code;
  readonly stepBytes: number;
}

/** name(source, target, values): the scale max|x| / greatest in f32, then round(x / scale), to nearest even, after the head. */
function packIntegers({ name, greatest, storeStep, stepBytes }: Integers): WasmFunction {
  const f = new WasmFunction(name, ['i32', 'i32', 'i32'], []);
  const [source, target, values] = [0, 1, 2].map((i) => f.parameter(i)) as [Local, Local, Local];
  const [at, left] = f.locals('i32', 2) as [Local, Local];
  const [mosts, factor, magic] = f.locals('v128', 3) as [Local, Local, Local];
  const most = f.local('f32');
  const lane = (index: number): Code => f32x4.extractLane(mosts.get, index);
  // Next to 1.5 * 2^23 floats are whole numbers: the addition rounds to nearest even, the low bits are the integer.
  const rounded = (offset: number): Code =>
    i32x4.sub(f32x4.add(f32x4.mul(v128.load(at.get, offset), factor.get), magic.get), magic.get);
  f.setBody(
    mosts.set(ZERO),
    at.set(source.get),
    left.set(values.get),
    whileLoop(
      left.get,
      mosts.set(f32x4.pmax(mosts.get, f32x4.abs(v128.load(at.get)))),
      advance(at, 16),
      left.set(i32.sub(left.get, i32.const(4))),
    ),
    most.set(f32.max(f32.max(lane(0), lane(1)), f32.max(lane(2), lane(3)))),
    f32.store(target.get, f32.div(most.get, f32.const(greatest))),
    factor.set(ZERO),
    // Zeros keep the factor 0: greatest / 0 would make NaN of every value.
    ifThen(f32.gt(most.get, f32.const(0)), factor.set(f32x4.splat(f32.div(f32.const(greatest), most.get)))),
    magic.set(f32x4.splat(f32.const(1.5 * 2 ** 23))),
    at.set(source.get),
    advance(target, HEAD),
    whileLoop(
      values.get,
      storeStep(target, [rounded(0), rounded(16), rounded(32), rounded(48)]),
      advance(at, 64),
      advance(target, stepBytes),
      values.set(i32.sub(values.get, i32.const(STEP))),
    ),
  );
  return f;
}

const packInt8 = (): WasmFunction =>
  packIntegers({
    name: 'packInt8',
    greatest: 127,
    storeStep: (target, [a, b, c, d]) =>
      v128.store(target.get, i8x16.narrowI16x8S(i16x8.narrowI32x4S(a, b), i16x8.narrowI32x4S(c, d))),
    stepBytes: 16,
  });

const packInt8Query = (): WasmFunction =>
  packIntegers({
    name: 'packInt8Query',
    greatest: 8191,
    storeStep: (target, [a, b, c, d]) => [
      v128.store(target.get, i16x8.narrowI32x4S(a, b)),
      v128.store(target.get, i16x8.narrowI32x4S(c, d), 16),
    ],
    stepBytes: 32,
  });

/** Dot products of a query with rows at any addresses, and the packing of f32 rows and queries for them. */
export function similarityFunctions(): WasmFunction[] {
  return [dotF32(), dotF16(), dotInt8(), packF16(), packInt8(), packF16Query(), packInt8Query()];
}
