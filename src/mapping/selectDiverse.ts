import { dotProduct, type Descriptor } from '../core/descriptor.js';

/**
 * Indices of the `count` descriptors that cover the others best, ascending: first the one most like all others, then each
 * time the one least like any chosen (farthest-point selection; ties to the lower index). All of them when there are no more.
 */
export function selectDiverse(descriptors: readonly Descriptor[], count: number): number[] {
  if (!(count >= 1)) throw new RangeError(`Expected 1 or more descriptors to keep, got ${count}`);
  if (descriptors.length <= count) return descriptors.map((_, i) => i);
  const sum = new Float32Array(descriptors[0]!.length);
  for (const descriptor of descriptors) descriptor.forEach((value, d) => (sum[d]! += value));
  let next = 0;
  let best = -Infinity;
  descriptors.forEach((descriptor, i) => {
    const centrality = dotProduct(descriptor, sum);
    if (centrality > best) [next, best] = [i, centrality];
  });
  const likeness = new Float64Array(descriptors.length).fill(-Infinity);
  const chosen: number[] = [];
  for (;;) {
    chosen.push(next);
    likeness[next] = Infinity;
    if (chosen.length === count) return chosen.sort((a, b) => a - b);
    const last = descriptors[next]!;
    let least = Infinity;
    for (let i = 0; i < descriptors.length; i++) {
      if (likeness[i] === Infinity) continue;
      likeness[i] = Math.max(likeness[i]!, dotProduct(last, descriptors[i]!));
      if (likeness[i]! < least) [next, least] = [i, likeness[i]!];
    }
  }
}
