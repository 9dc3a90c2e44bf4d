/** How a second camera stands to a first one: a point p of the first lies at rotation * p + s * direction in the second, s > 0 unknown. */
export interface RelativeView {
  /** [3, 3] row-major. */
  readonly rotation: Float64Array;
  /** Unit vector. */
  readonly direction: Float64Array;
}

/** Rays of matched points: [n, 4] x, y of the first camera, x, y of the second, in units of the focal length. */
export type RayPairs = Float64Array;

/** exp of a rotation vector (Rodrigues), [3, 3] row-major. */
export function rotationOf(x: number, y: number, z: number): Float64Array {
  const angle = Math.sqrt(x * x + y * y + z * z);
  const a = angle < 1e-9 ? 1 : Math.sin(angle) / angle;
  const b = angle < 1e-6 ? 0.5 : (1 - Math.cos(angle)) / (angle * angle);
  return Float64Array.of(
    1 - b * (y * y + z * z),
    b * x * y - a * z,
    b * x * z + a * y,
    b * x * y + a * z,
    1 - b * (x * x + z * z),
    b * y * z - a * x,
    b * x * z - a * y,
    b * y * z + a * x,
    1 - b * (x * x + y * y),
  );
}

/** a * b, [3, 3] row-major. */
export function multiplyMatrices(a: Float64Array, b: Float64Array): Float64Array {
  const out = new Float64Array(9);
  for (let row = 0; row < 3; row++)
    for (let column = 0; column < 3; column++)
      for (let k = 0; k < 3; k++) out[row * 3 + column]! += a[row * 3 + k]! * b[k * 3 + column]!;
  return out;
}

/** Essential matrix [direction]x rotation, [3, 3] row-major: (x2, y2, 1) E (x1, y1, 1) = 0 for a right match. */
export function essentialOf({ rotation: r, direction: [tx, ty, tz] }: RelativeView): Float64Array {
  const e = new Float64Array(9);
  for (let c = 0; c < 3; c++) {
    e[c] = ty! * r[6 + c]! - tz! * r[3 + c]!;
    e[3 + c] = tz! * r[c]! - tx! * r[6 + c]!;
    e[6 + c] = tx! * r[3 + c]! - ty! * r[c]!;
  }
  return e;
}

/** Squared Sampson distance of a pair to an essential matrix, in squared units of the focal length. */
export function sampsonDistance(e: Float64Array, pairs: RayPairs, pair: number): number {
  const x1 = pairs[pair * 4]!;
  const y1 = pairs[pair * 4 + 1]!;
  const x2 = pairs[pair * 4 + 2]!;
  const y2 = pairs[pair * 4 + 3]!;
  const ax = e[0]! * x1 + e[1]! * y1 + e[2]!;
  const ay = e[3]! * x1 + e[4]! * y1 + e[5]!;
  const az = e[6]! * x1 + e[7]! * y1 + e[8]!;
  const bx = e[0]! * x2 + e[3]! * y2 + e[6]!;
  const by = e[1]! * x2 + e[4]! * y2 + e[7]!;
  const error = x2 * ax + y2 * ay + az;
  return (error * error) / (ax * ax + ay * ay + bx * bx + by * by + 1e-18);
}

/**
 * Whether a pair's rays meet in front of both cameras, by the depths at which they come nearest. Rays that are parallel
 * to within `parallel` (sine of the angle) say nothing and count as in front.
 */
export function isInFront(
  { rotation: r, direction: t }: RelativeView,
  pairs: RayPairs,
  pair: number,
  parallel: number,
): boolean {
  const x1 = pairs[pair * 4]!;
  const y1 = pairs[pair * 4 + 1]!;
  const ux = r[0]! * x1 + r[1]! * y1 + r[2]!;
  const uy = r[3]! * x1 + r[4]! * y1 + r[5]!;
  const uz = r[6]! * x1 + r[7]! * y1 + r[8]!;
  const vx = pairs[pair * 4 + 2]!;
  const vy = pairs[pair * 4 + 3]!;
  // depth1 * u + t = depth2 * v; both sides crossed with v and with u.
  const cx = uy - uz * vy;
  const cy = uz * vx - ux;
  const cz = ux * vy - uy * vx;
  const square = cx * cx + cy * cy + cz * cz;
  const lengths = (ux * ux + uy * uy + uz * uz) * (vx * vx + vy * vy + 1);
  if (square <= parallel * parallel * lengths) return true;
  const first = cx * (vy * t[2]! - t[1]!) + cy * (t[0]! - vx * t[2]!) + cz * (vx * t[1]! - vy * t[0]!);
  const second = cx * (uy * t[2]! - uz * t[1]!) + cy * (uz * t[0]! - ux * t[2]!) + cz * (ux * t[1]! - uy * t[0]!);
  return first > 0 && second > 0;
}

/** The view's rotation in axes of the camera's body (x forward, y left, z up) instead of optical ones, [3, 3] row-major. */
export function bodyRotation({ rotation: r }: Pick<RelativeView, 'rotation'>): Float64Array {
  // forward = optical z, left = -x, up = -y.
  const axis = [2, 0, 1] as const;
  const sign = [1, -1, -1] as const;
  return Float64Array.from({ length: 9 }, (_, i) => {
    const [row, column] = [Math.floor(i / 3), i % 3];
    return sign[row]! * sign[column]! * r[axis[row]! * 3 + axis[column]!]!;
  });
}
