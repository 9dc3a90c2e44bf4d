import { popcount32 } from '../hamming/scalarHamming.js';
import { DESCRIPTOR_WORDS, type KeyPoints } from './KeyPoints.js';

/** Indices of key points that look alike: `from` of the one picture, `to` of the other. */
export interface KeyPointMatch {
  readonly from: number;
  readonly to: number;
  /** Bits that differ, 0...256. */
  readonly distance: number;
}

/** Bits of 256 that may differ. */
const MOST_DISTANCE = 72;
/** A match must be this much nearer than the second nearest. */
const RATIO = 0.9;

/** Pairs that are each other's nearest, clearly so; ascending `from`. */
export function matchKeyPoints(from: KeyPoints, to: KeyPoints): KeyPointMatch[] {
  const nearestFrom = new Int32Array(to.count).fill(-1);
  const nearestFromDistance = new Uint16Array(to.count).fill(0xffff);
  const best = new Int32Array(from.count).fill(-1);
  const bestDistance = new Uint16Array(from.count).fill(0xffff);
  const secondDistance = new Uint16Array(from.count).fill(0xffff);
  const a = from.descriptors;
  const b = to.descriptors;
  for (let i = 0; i < from.count; i++) {
    const p = i * DESCRIPTOR_WORDS;
    let [first, second, at] = [0xffff, 0xffff, -1];
    for (let j = 0; j < to.count; j++) {
      const q = j * DESCRIPTOR_WORDS;
      let distance = popcount32(a[p]! ^ b[q]!) + popcount32(a[p + 1]! ^ b[q + 1]!);
      distance += popcount32(a[p + 2]! ^ b[q + 2]!) + popcount32(a[p + 3]! ^ b[q + 3]!);
      // Half the bits tell most pairs apart.
      if (distance > MOST_DISTANCE && distance >= second) continue;
      distance += popcount32(a[p + 4]! ^ b[q + 4]!) + popcount32(a[p + 5]! ^ b[q + 5]!);
      distance += popcount32(a[p + 6]! ^ b[q + 6]!) + popcount32(a[p + 7]! ^ b[q + 7]!);
      if (distance < nearestFromDistance[j]!) {
        nearestFromDistance[j] = distance;
        nearestFrom[j] = i;
      }
      if (distance < first) {
        second = first;
        first = distance;
        at = j;
      } else if (distance < second) second = distance;
    }
    best[i] = at;
    bestDistance[i] = first;
    secondDistance[i] = second;
  }
  const matches: KeyPointMatch[] = [];
  for (let i = 0; i < from.count; i++) {
    const j = best[i]!;
    if (j < 0 || nearestFrom[j] !== i || bestDistance[i]! > MOST_DISTANCE) continue;
    if (bestDistance[i]! > RATIO * secondDistance[i]!) continue;
    matches.push({ from: i, to: j, distance: bestDistance[i]! });
  }
  return matches;
}
