import { BLOCK_CODES, BLOCK_LIVE_OFFSET, BLOCK_STRIDE, STATE } from '../scanState.js';
import { doWhile, i32, i64, ifThen, returnValue, v128, whileLoop, i64x2, type Code } from '../../simd/instructions.js';
import { spreadBit, takeCandidate, writeStartPlanes } from './selection.js';
import { WasmFunction, type Local } from '../../simd/WasmFunction.js';

const VECTOR = 16;

export interface BitSlicedOptions {
  /** Planes added in one turn of the inner loop: more save a few adders, fewer need fewer registers. */
  readonly planesATurn: 16 | 32 | 64 | 128;
  /**
   * Stores one vector every 4 planes. The optimising compiler of V8 before 12 moves all loads of a loop body to its front
   * and spills them; a store keeps its operands before it and later loads behind it.
   */
  readonly ordered: boolean;
}

interface Pair {
  /** A bit x, and x ^ y for its partner y of the same weight. */
  readonly bit: Local;
  readonly parity: Local;
}

/**
 * scan(block, blocks, masks, state, position) -> blocks left
 *
 * Distances of one query to 128 codes a block, all 128 at once: vector p of a block holds, for each code, the parity of
 * its bits 0...p; `masks` holds the same of the query. The distance is the sum of 512 one-bit planes, built by
 * carry-save adders (see README.md). It starts at (1024 - bound) & ~1 instead of 0, so that the carry out of bit 9 says
 * "not below the bound" without a comparison. Bounds: start <= 1022 + distance <= 512 < 2048, so one overflow bit is
 * enough; a code that passes has start + distance < 1024, so its ten planes hold the sum exactly.
 *
 * block, masks, state: addresses, multiples of 16; position: of the first code. Returns early, with the blocks that are
 * left, when the candidate list might not hold another block.
 */
export function bitSlicedScan({ planesATurn, ordered }: BitSlicedOptions): WasmFunction {
  const f = new WasmFunction('scan', ['i32', 'i32', 'i32', 'i32', 'i32'], ['i32']);
  const [block, blocks, masks, state, position] = [0, 1, 2, 3, 4].map((i) => f.parameter(i)) as [
    Local,
    Local,
    Local,
    Local,
    Local,
  ];
  const [plane, mask, turnsEnd] = f.locals('i32', 3) as [Local, Local, Local];
  /** Sums of weight 1, 2, 4 ... 512, bit-sliced; weight 1 is the running parity itself. */
  const sums = f.locals('v128', 10);
  const overflow = f.local('v128');
  const [carry, carry2, hits] = f.locals('v128', 3) as [Local, Local, Local];

  /** The next plane of query ^ code: the parity of the differing bits so far. */
  let planeIndex = 0;
  const nextDifference = (): Code => {
    const offset = VECTOR * planeIndex++;
    return v128.xor(v128.load(plane.get, offset), v128.load(mask.get, offset));
  };

  /** Temporaries are shared by all adders: each lives for a few instructions. */
  const [z, s1, e2] = f.locals('v128', 3) as [Local, Local, Local];

  /**
   * Weight 1, four differing bits x1 y1 x2 y2 on a running parity z: stored parities give x1^z, s1 = x1^y1^z, x2^s1
   * and s = x2^y2^s1 without an adder. Carries a = maj(z, x1, y1) and b = maj(s1, x2, y2), by
   *   b = s1 ^ e2,  a ^ b = (p1 | x1^z) ^ e2,  e2 = (x2^s1) & ~p2,  p1 = x1^y1 = z^s1,  p2 = x2^y2 = s1^s.
   * 4 differences and 6 gates for 4 planes.
   */
  const addPlanes = (to: Pair): Code => [
    to.parity.set(nextDifference()),
    s1.set(nextDifference()),
    to.bit.set(nextDifference()),
    z.set(sums[0]!.get),
    sums[0]!.set(nextDifference()),
    e2.set(v128.andnot(to.bit.get, v128.xor(s1.get, sums[0]!.get))),
    to.bit.set(v128.xor(s1.get, e2.get)),
    to.parity.set(v128.xor(v128.or(to.parity.get, v128.xor(z.get, s1.get)), e2.get)),
  ];

  /**
   * The same for pairs (x1, x1^y1), (x2, x2^y2) of carries and the running sum z of their weight: 8 gates where two full
   * adders take 10 (the "MDFA" of Demenkov, Kojevnikov, Kulikov and Yaroslavtsev, Inf. Process. Lett. 110 (2010)).
   */
  const addPairs = (first: Pair, second: Pair, sum: Local, to: Pair): Code => [
    s1.set(v128.xor(sum.get, first.parity.get)),
    z.set(v128.or(first.parity.get, v128.xor(first.bit.get, sum.get))),
    e2.set(v128.andnot(v128.xor(second.bit.get, s1.get), second.parity.get)),
    sum.set(v128.xor(s1.get, second.parity.get)),
    to.bit.set(v128.xor(s1.get, e2.get)),
    to.parity.set(v128.xor(z.get, e2.get)),
  ];

  const newPair = (): Pair => ({ bit: f.local('v128'), parity: f.local('v128') });
  /** A pair of carries of weight 2^level out of 2^(level + 1) planes. */
  const firsts = Array.from({ length: 8 }, newPair);
  const seconds = Array.from({ length: 8 }, newPair);
  const carries = (level: number, to: Pair): Code => {
    if (level === 1) return [addPlanes(to), ordered ? v128.store(state.get, to.parity.get, STATE.planes) : []];
    const first = firsts[level]!;
    const second = seconds[level]!;
    return [carries(level - 1, first), carries(level - 1, second), addPairs(first, second, sums[level - 1]!, to)];
  };

  /** Adds a carry of weight 2^level to the sums above by half adders. */
  const ripple = (from: number): Code => {
    const steps: Code[] = [];
    let [input, output] = [carry, carry2];
    for (let level = from; level < 10; level++) {
      steps.push(output.set(v128.and(sums[level]!.get, input.get)));
      steps.push(sums[level]!.set(v128.xor(sums[level]!.get, input.get)));
      [input, output] = [output, input];
    }
    return [...steps, overflow.set(v128.or(overflow.get, input.get))];
  };

  // 2^(top + 1) planes give one pair of weight 2^top; a full adder with the sum of that weight makes it one carry.
  const top = Math.log2(planesATurn) - 1;
  const last = newPair();
  const sum = sums[top]!;
  const turn: Code = [
    carries(top, last),
    carry.set(v128.or(v128.and(last.parity.get, sum.get), v128.andnot(last.bit.get, last.parity.get))),
    sum.set(v128.xor(sum.get, last.parity.get)),
    ripple(top + 1),
  ];

  const [word, half, base, distance] = [f.local('i64'), f.local('i32'), f.local('i32'), f.local('i32')];
  const lane = f.local('i64');
  /** Bit `lane` of the ten planes as a number, less the start; then into the selection. */
  const distanceOfLane: Code = Array.from({ length: 10 }, (_, level): Code => {
    const bit = i32.wrapI64(
      i64.and(i64.shrU(i64.load(base.get, STATE.planes + VECTOR * level), lane.get), i64.const(1)),
    );
    const weighted = level === 0 ? bit : i32.shl(bit, i32.const(level));
    return distance.set(level === 0 ? weighted : i32.add(distance.get, weighted));
  });
  const start = f.local('i32');
  const extractHalf = (index: 0 | 1): Code => [
    word.set(i64x2.extractLane(hits.get, index)),
    base.set(i32.add(state.get, i32.const(8 * index))),
    half.set(i32.add(position.get, i32.const(64 * index))),
    whileLoop(
      i32.eqz(i64.eqz(word.get)),
      lane.set(i64.ctz(word.get)),
      word.set(i64.and(word.get, i64.sub(word.get, i64.const(1)))),
      distanceOfLane,
      distance.set(i32.sub(distance.get, start.get)),
      takeCandidate(f, state, i32.add(half.get, i32.wrapI64(lane.get)), distance),
    ),
  ];

  // With an odd bound the start is rounded down, so a sum of 1023 (all ten planes set) is a distance equal to the bound.
  const full = sums.slice(1).reduce<Code>((all, sum) => v128.and(all, sum.get), sums[0]!.get);
  const extract: Code = [
    start.set(i32.and(i32.sub(i32.const(1024), i32.load(state.get, STATE.bound)), i32.const(-2))),
    hits.set(v128.andnot(hits.get, v128.and(full, spreadBit(i32.load(state.get, STATE.bound))))),
    ifThen(
      v128.anyTrue(hits.get),
      ...sums.map((sum, level) => v128.store(state.get, sum.get, STATE.planes + VECTOR * level)),
      extractHalf(0),
      extractHalf(1),
      writeStartPlanes(f, state),
    ),
  ];

  f.setBody(
    writeStartPlanes(f, state),
    whileLoop(
      blocks.get,
      // Nothing is below a bound of 0; and a whole block must fit into the candidate list.
      ifThen(i32.eqz(i32.load(state.get, STATE.bound)), returnValue(i32.const(0))),
      ifThen(
        i32.gtU(i32.add(i32.load(state.get, STATE.count), i32.const(BLOCK_CODES)), i32.load(state.get, STATE.capacity)),
        returnValue(blocks.get),
      ),
      sums[0]!.set(v128.const(new Array<number>(16).fill(0))),
      overflow.set(sums[0]!.get),
      ...sums.slice(1).map((sum, i) => sum.set(v128.load(state.get, STATE.startPlanes + VECTOR * i))),
      plane.set(block.get),
      mask.set(masks.get),
      turnsEnd.set(i32.add(block.get, i32.const(512 * VECTOR))),
      doWhile(
        [
          turn,
          mask.set(i32.add(mask.get, i32.const(planesATurn * VECTOR))),
          plane.set(i32.add(plane.get, i32.const(planesATurn * VECTOR))),
        ],
        i32.ltU(plane.get, turnsEnd.get),
      ),
      ifThen(v128.anyTrue(hits.tee(v128.andnot(v128.load(block.get, BLOCK_LIVE_OFFSET), overflow.get))), extract),
      block.set(i32.add(block.get, i32.const(BLOCK_STRIDE))),
      position.set(i32.add(position.get, i32.const(BLOCK_CODES))),
      blocks.set(i32.sub(blocks.get, i32.const(1))),
    ),
    i32.const(0),
  );
  return f;
}
