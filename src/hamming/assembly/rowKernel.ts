import { BLOCK_CODES, BLOCK_CODE_BYTES, BLOCK_LIVE_OFFSET, BLOCK_STRIDE, STATE } from '../scanState.js';
import {
  doWhile,
  i16x8,
  i32,
  i32x4,
  i8x16,
  ifThen,
  returnValue,
  v128,
  whileLoop,
  type Code,
} from '../../simd/instructions.js';
import { takeCandidate } from './selection.js';
import { WasmFunction, type Local } from '../../simd/WasmFunction.js';

const VECTOR = 16;
const CODE = 64;
const CODES_A_STEP = 4;

/** Bytes of the given 32-bit lanes of two vectors, 0...3 of the first and 4...7 of the second. */
const lanes = (...picked: number[]): number[] => picked.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte));

/**
 * scan(block, blocks, query, state, position) -> blocks left
 *
 * The same as the bit-sliced scan on codes row by row, 4 codes a step: where the CPU counts the bits of bytes in one
 * instruction (NEON cnt), this needs fewer than the adders do. query: address of the code, 64 bytes.
 */
export function rowScan(): WasmFunction {
  const f = new WasmFunction('scan', ['i32', 'i32', 'i32', 'i32', 'i32'], ['i32']);
  const [block, blocks, query, state, position] = [0, 1, 2, 3, 4].map((i) => f.parameter(i)) as [
    Local,
    Local,
    Local,
    Local,
    Local,
  ];
  const [row, rowsEnd, hits, first, lane, distance] = f.locals('i32', 6) as [Local, Local, Local, Local, Local, Local];
  const queryVectors = f.locals('v128', 4);
  const counts = f.locals('v128', CODES_A_STEP) as [Local, Local, Local, Local];
  const [distances, limit] = f.locals('v128', 2) as [Local, Local];

  const differences = (code: number, vector: number): Code =>
    i8x16.popcnt(v128.xor(v128.load(row.get, code * CODE + vector * VECTOR), queryVectors[vector]!.get));
  // A byte lane sums 4 counts of at most 8: 32 <= 255, so u8 lanes cannot overflow before they are widened.
  const countCode = (code: number): Code =>
    counts[code]!.set(
      i32x4.extaddPairwiseI16x8U(
        i16x8.extaddPairwiseI8x16U(
          i8x16.add(
            i8x16.add(differences(code, 0), differences(code, 1)),
            i8x16.add(differences(code, 2), differences(code, 3)),
          ),
        ),
      ),
    );
  /** (a0 + a2, b0 + b2, a1 + a3, b1 + b3) */
  const fold = (a: Local, b: Local): Code =>
    i32x4.add(i8x16.shuffle(a.get, b.get, lanes(0, 4, 1, 5)), i8x16.shuffle(a.get, b.get, lanes(2, 6, 3, 7)));
  const [folded, foldedNext] = f.locals('v128', 2) as [Local, Local];

  const setLimit = limit.set(i32x4.splat(i32.load(state.get, STATE.bound)));
  const take: Code = [
    // The 4 live bits of these codes: they never cross a byte.
    first.set(i32.shrU(i32.sub(row.get, block.get), i32.const(6))),
    hits.set(
      i32.and(
        hits.get,
        i32.shrU(
          i32.load8U(i32.add(block.get, i32.shrU(first.get, i32.const(3))), BLOCK_LIVE_OFFSET),
          i32.and(first.get, i32.const(7)),
        ),
      ),
    ),
    v128.store(state.get, distances.get, STATE.planes),
    whileLoop(
      hits.get,
      lane.set(i32.ctz(hits.get)),
      hits.set(i32.and(hits.get, i32.sub(hits.get, i32.const(1)))),
      distance.set(i32.load(i32.add(state.get, i32.shl(lane.get, i32.const(2))), STATE.planes)),
      takeCandidate(f, state, i32.add(i32.add(position.get, first.get), lane.get), distance),
    ),
    setLimit,
  ];

  f.setBody(
    ...queryVectors.map((vector, i) => vector.set(v128.load(query.get, i * VECTOR))),
    setLimit,
    whileLoop(
      blocks.get,
      ifThen(i32.eqz(i32.load(state.get, STATE.bound)), returnValue(i32.const(0))),
      ifThen(
        i32.gtU(i32.add(i32.load(state.get, STATE.count), i32.const(BLOCK_CODES)), i32.load(state.get, STATE.capacity)),
        returnValue(blocks.get),
      ),
      row.set(block.get),
      rowsEnd.set(i32.add(block.get, i32.const(BLOCK_CODE_BYTES))),
      doWhile(
        [
          [0, 1, 2, 3].map(countCode),
          folded.set(fold(counts[0], counts[1])),
          foldedNext.set(fold(counts[2], counts[3])),
          distances.set(
            i32x4.add(
              i8x16.shuffle(folded.get, foldedNext.get, lanes(0, 1, 4, 5)),
              i8x16.shuffle(folded.get, foldedNext.get, lanes(2, 3, 6, 7)),
            ),
          ),
          ifThen(hits.tee(i32x4.bitmask(i32x4.ltS(distances.get, limit.get))), take),
          row.set(i32.add(row.get, i32.const(CODES_A_STEP * CODE))),
        ],
        i32.ltU(row.get, rowsEnd.get),
      ),
      block.set(i32.add(block.get, i32.const(BLOCK_STRIDE))),
      position.set(i32.add(position.get, i32.const(BLOCK_CODES))),
      blocks.set(i32.sub(blocks.get, i32.const(1))),
    ),
    i32.const(0),
  );
  return f;
}
