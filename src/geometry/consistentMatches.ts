import type { KeyPoints } from './KeyPoints.js';
import type { KeyPointMatch } from './matchKeyPoints.js';

/** How much nearer or farther the place may be seen. */
const SCALES = [0.8, 0.9, 1, 1.11, 1.25];
/** How far a match may lie from where the others put it, as a part of the picture's width: near things move more. */
const TOLERANCE = 0.12;

/**
 * The matches that one shift and scale of the picture brings near each other, the most there are: each match at each scale
 * is tried (Philbin et al., CVPR 2007). What is left is mostly right, so that few samples find the relative view.
 */
export function consistentMatches(from: KeyPoints, to: KeyPoints, matches: readonly KeyPointMatch[]): KeyPointMatch[] {
  const count = matches.length;
  const [x, y, u, v] = [0, 1, 2, 3].map(() => new Float64Array(count)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  matches.forEach((match, i) => {
    x[i] = from.x[match.from]!;
    y[i] = from.y[match.from]!;
    u[i] = to.x[match.to]!;
    v[i] = to.y[match.to]!;
  });
  const limit = (TOLERANCE * to.width) ** 2;
  const fits = (anchor: number, i: number, scale: number): boolean => {
    const dx = u[i]! - u[anchor]! - scale * (x[i]! - x[anchor]!);
    const dy = v[i]! - v[anchor]! - scale * (y[i]! - y[anchor]!);
    return dx * dx + dy * dy <= limit;
  };
  let best = { anchor: 0, scale: 1, count: 0 };
  // Pictures of one map have one width, but a query may come from another camera.
  const base = to.width / Math.max(1, from.width);
  for (let anchor = 0; anchor < count; anchor++)
    for (const relative of SCALES) {
      const scale = base * relative;
      let near = 0;
      for (let i = 0; i < count; i++) if (fits(anchor, i, scale)) near++;
      if (near > best.count) best = { anchor, scale, count: near };
    }
  return matches.filter((_, i) => fits(best.anchor, i, best.scale));
}
