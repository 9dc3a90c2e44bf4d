import { doWhile, i16x8, i32, i32x4, i8x16, v128, type Code } from '../../simd/instructions.js';
import { WasmFunction, type Local } from '../../simd/WasmFunction.js';

const VECTOR = 16;

/** Byte indices that interleave the lower or the upper halves of two vectors. */
const interleave = (first: number): number[] =>
  Array.from({ length: VECTOR }, (_, i) => (i >> 1) + first + (i & 1) * VECTOR);

/**
 * rowSums(rows, stride, pairs, weights, sums, vectors)
 *
 * Weighted sums of rows of bytes, column by column: sums[x] = weight[0] * rows[0][x] + weight[1] * rows[1][x] + ...
 * rows: address of the first row; stride: bytes from one to the next; pairs: row pairs, at least 1; weights: address of
 * 2 * pairs i16; sums: address of 16 * vectors i32; vectors: columns / 16, at least 1.
 *
 * Two rows a turn, because i32x4.dot_i16x8_s adds two products: their bytes are interleaved, widened to i16, and multiplied
 * by the two weights. |sum| <= 255 * sum(|weight|), which the caller keeps below 2^31.
 */
export function rowSums(): WasmFunction {
  const f = new WasmFunction('rowSums', ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], []);
  const [rows, stride, pairs, weights, sums, vectors] = [0, 1, 2, 3, 4, 5].map((i) => f.parameter(i)) as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ];
  const [row, weight, left] = f.locals('i32', 3) as [Local, Local, Local];
  const [first, second, both, pair] = f.locals('v128', 4) as [Local, Local, Local, Local];
  const accumulators = f.locals('v128', 4) as [Local, Local, Local, Local];
  const zero = v128.const(new Array<number>(VECTOR).fill(0));

  const accumulate = (index: number, widened: Code): Code => {
    const sum = accumulators[index]!;
    return sum.set(i32x4.add(sum.get, i32x4.dotI16x8S(widened, pair.get)));
  };
  const addHalf = (index: number, firstByte: number): Code => [
    both.set(i8x16.shuffle(first.get, second.get, interleave(firstByte))),
    accumulate(index, i16x8.extendLowI8x16U(both.get)),
    accumulate(index + 1, i16x8.extendHighI8x16U(both.get)),
  ];

  f.setBody(
    doWhile(
      [
        accumulators.map((sum) => sum.set(zero)),
        row.set(rows.get),
        weight.set(weights.get),
        left.set(pairs.get),
        doWhile(
          [
            first.set(v128.load(row.get)),
            second.set(v128.load(i32.add(row.get, stride.get))),
            pair.set(v128.load32Splat(weight.get)),
            addHalf(0, 0),
            addHalf(2, VECTOR / 2),
            row.set(i32.add(row.get, i32.shl(stride.get, i32.const(1)))),
            weight.set(i32.add(weight.get, i32.const(4))),
          ],
          left.tee(i32.sub(left.get, i32.const(1))),
        ),
        accumulators.map((sum, i) => v128.store(sums.get, sum.get, i * VECTOR)),
        rows.set(i32.add(rows.get, i32.const(VECTOR))),
        sums.set(i32.add(sums.get, i32.const(4 * VECTOR))),
      ],
      vectors.tee(i32.sub(vectors.get, i32.const(1))),
    ),
  );
  return f;
}
