import { STATE } from '../scanState.js';
import { i32, ifThen, v128, whileLoop, i32x4, type Code } from '../../simd/instructions.js';
import type { Local, WasmFunction } from '../../simd/WasmFunction.js';

/**
 * Code that takes a code (position, distance) if its distance is below the bound, as NearestSelector.push does: append,
 * count in the histogram, and lower the bound while k candidates lie below it. The loop ends: `below` < k after as many
 * steps as the bound can fall, at most 513 over a whole scan.
 */
export function takeCandidate(f: WasmFunction, state: Local, position: Code, distance: Local): Code {
  const [slot, below, bound, counter] = f.locals('i32', 4) as [Local, Local, Local, Local];
  const histogramEntry = (at: Code): Code => i32.add(state.get, i32.shl(at, i32.const(2)));
  return ifThen(
    i32.ltU(distance.get, bound.tee(i32.load(state.get, STATE.bound))),
    // candidates[count++] = (position, distance)
    slot.set(i32.load(state.get, STATE.count)),
    i32.store(state.get, i32.add(slot.get, i32.const(1)), STATE.count),
    slot.set(i32.add(state.get, i32.shl(slot.get, i32.const(3)))),
    i32.store(slot.get, position, STATE.candidates),
    i32.store(slot.get, distance.get, STATE.candidates + 4),
    // histogram[distance]++
    counter.set(histogramEntry(distance.get)),
    i32.store(counter.get, i32.add(i32.load(counter.get, STATE.histogram), i32.const(1)), STATE.histogram),
    // below++, then the bound falls to the k-th smallest distance.
    below.set(i32.add(i32.load(state.get, STATE.below), i32.const(1))),
    whileLoop(
      i32.geU(below.get, i32.load(state.get, STATE.k)),
      bound.set(i32.sub(bound.get, i32.const(1))),
      below.set(i32.sub(below.get, i32.load(histogramEntry(bound.get), STATE.histogram))),
    ),
    i32.store(state.get, below.get, STATE.below),
    i32.store(state.get, bound.get, STATE.bound),
  );
}

/** 0 or all ones in every bit of a vector, from the lowest bit of an i32. */
export function spreadBit(bit: Code): Code {
  return i32x4.splat(i32.sub(i32.const(0), i32.and(bit, i32.const(1))));
}

/** Code that writes bits 1...9 of the counters' start, `(1024 - bound) & ~1`, as vectors. */
export function writeStartPlanes(f: WasmFunction, state: Local): Code {
  const start = f.local('i32');
  const planes = Array.from({ length: 9 }, (_, i): Code =>
    v128.store(state.get, spreadBit(i32.shrU(start.get, i32.const(i + 1))), STATE.startPlanes + i * 16),
  );
  return [start.set(i32.sub(i32.const(1024), i32.load(state.get, STATE.bound))), ...planes];
}
