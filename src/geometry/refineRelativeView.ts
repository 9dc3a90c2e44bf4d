import { solveCholesky } from '../core/solveCholesky.js';
import { essentialOf, multiplyMatrices, rotationOf, type RayPairs, type RelativeView } from './RelativeView.js';

const PARAMETERS = 5;

/**
 * The relative view that fits pairs best, from a first guess: Gauss-Newton with damping over rotation and direction, the
 * epipolar errors divided by their gradients (Sampson) and weighted down where they are large. With five pairs it is the
 * minimal problem (Lui and Drummond, ISVC 2007, iterate so, too); with more, least squares.
 * chosen: indices of pairs, at least 5. tolerance: errors from which a pair loses weight, units of the focal length;
 * Infinity: none does. Undefined where the steps lead nowhere.
 */
export function refineRelativeView(
  pairs: RayPairs,
  chosen: ArrayLike<number>,
  guess: RelativeView,
  { steps, tolerance }: { readonly steps: number; readonly tolerance: number },
): RelativeView | undefined {
  let view = guess;
  let damping = 1e-3;
  let system = linearise(pairs, chosen, view, tolerance);
  for (let step = 0; step < steps; step++) {
    const move = solve(system.normal, system.gradient, damping);
    if (move === undefined) return undefined;
    const moved = moveView(view, system.basis, move);
    const next = linearise(pairs, chosen, moved, tolerance);
    if (next.cost <= system.cost) {
      const gain = system.cost - next.cost;
      view = moved;
      system = next;
      damping = Math.max(1e-9, damping / 8);
      if (gain <= 1e-9 * system.cost || system.cost < 1e-20) break;
    } else {
      damping *= 16;
      if (damping > 1e6) break;
    }
  }
  return view;
}

interface System {
  /** [5, 5] row-major and [5]. */
  readonly normal: Float64Array;
  readonly gradient: Float64Array;
  /** Two unit vectors at right angles to the direction. */
  readonly basis: readonly [Float64Array, Float64Array];
  readonly cost: number;
}

function linearise(pairs: RayPairs, chosen: ArrayLike<number>, view: RelativeView, tolerance: number): System {
  const { rotation: r, direction } = view;
  const [tx, ty, tz] = [direction[0]!, direction[1]!, direction[2]!];
  const e = essentialOf(view);
  const basis = tangents(direction);
  const [b, c] = basis;
  const normal = new Float64Array(PARAMETERS * PARAMETERS);
  const gradient = new Float64Array(PARAMETERS);
  const row = new Float64Array(PARAMETERS);
  let cost = 0;
  for (let n = 0; n < chosen.length; n++) {
    const at = chosen[n]! * 4;
    const x1 = pairs[at]!;
    const y1 = pairs[at + 1]!;
    const x2 = pairs[at + 2]!;
    const y2 = pairs[at + 3]!;
    const yx = r[0]! * x1 + r[1]! * y1 + r[2]!;
    const yy = r[3]! * x1 + r[4]! * y1 + r[5]!;
    const yz = r[6]! * x1 + r[7]! * y1 + r[8]!;
    // y x v, with v = (x2, y2, 1): the error is direction . (y x v).
    const wx = yy - yz * y2;
    const wy = yz * x2 - yx;
    const wz = yx * y2 - yy * x2;
    const error = tx * wx + ty * wy + tz * wz;
    const ax = ty * yz - tz * yy;
    const ay = tz * yx - tx * yz;
    const bx = e[0]! * x2 + e[3]! * y2 + e[6]!;
    const by = e[1]! * x2 + e[4]! * y2 + e[7]!;
    const gradientSquared = ax * ax + ay * ay + bx * bx + by * by + 1e-12;
    const squared = (error * error) / gradientSquared;
    const loss = 1 + squared / (tolerance * tolerance);
    const weight = 1 / (gradientSquared * loss);
    cost += tolerance === Infinity ? squared : tolerance * tolerance * Math.log(loss);
    // Turning y by a small vector w changes the error by w . (v (t . y) - t (v . y)).
    const ty0 = tx * yx + ty * yy + tz * yz;
    const vy0 = x2 * yx + y2 * yy + yz;
    row[0] = x2 * ty0 - tx * vy0;
    row[1] = y2 * ty0 - ty * vy0;
    row[2] = ty0 - tz * vy0;
    row[3] = b[0]! * wx + b[1]! * wy + b[2]! * wz;
    row[4] = c[0]! * wx + c[1]! * wy + c[2]! * wz;
    for (let i = 0; i < PARAMETERS; i++) {
      gradient[i]! -= weight * row[i]! * error;
      for (let j = 0; j <= i; j++) normal[i * PARAMETERS + j]! += weight * row[i]! * row[j]!;
    }
  }
  return { normal, gradient, basis, cost };
}

function tangents([x, y, z]: Float64Array): [Float64Array, Float64Array] {
  // Crossed with the axis that is farthest from it.
  const b = Math.abs(x!) < 0.6 ? Float64Array.of(0, z!, -y!) : Float64Array.of(-z!, 0, x!);
  const length = Math.hypot(b[0]!, b[1]!, b[2]!);
  for (let i = 0; i < 3; i++) b[i]! /= length;
  const c = Float64Array.of(y! * b[2]! - z! * b[1]!, z! * b[0]! - x! * b[2]!, x! * b[1]! - y! * b[0]!);
  return [b, c];
}

function moveView({ rotation, direction }: RelativeView, [b, c]: System['basis'], move: Float64Array): RelativeView {
  const moved = Float64Array.from(direction, (value, i) => value + move[3]! * b[i]! + move[4]! * c[i]!);
  const length = Math.hypot(moved[0]!, moved[1]!, moved[2]!);
  for (let i = 0; i < 3; i++) moved[i]! /= length;
  return { rotation: multiplyMatrices(rotationOf(move[0]!, move[1]!, move[2]!), rotation), direction: moved };
}

/** (normal + damping * its diagonal) x = gradient by Cholesky; undefined where that is not definite. */
function solve(normal: Float64Array, gradient: Float64Array, damping: number): Float64Array | undefined {
  const n = PARAMETERS;
  const l = Float64Array.from(normal);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = l[i * n + j]! + (i === j ? damping * normal[i * n + i]! + 1e-15 : 0);
      for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!;
      if (i === j && !(sum > 0)) return undefined;
      l[i * n + j] = i === j ? Math.sqrt(sum) : sum / l[j * n + j]!;
    }
  return solveCholesky(l, gradient);
}
