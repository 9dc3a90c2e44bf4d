/** Position in metres, [x, y, z]. */
export type Vector3 = readonly [number, number, number];
/** Unit quaternion [x, y, z, w], Hamilton convention, as geometry_msgs/Quaternion. */
export type Quaternion = readonly [number, number, number, number];

/** A rigid transform. Named parentFromChild: `mapFromBase` maps base coordinates into the map frame (REP-105). */
export interface Pose {
  readonly position: Vector3;
  readonly orientation: Quaternion;
}

export const IDENTITY_POSE: Pose = { position: [0, 0, 0], orientation: [0, 0, 0, 1] };

export function isFinitePose(pose: Pose): boolean {
  return [...pose.position, ...pose.orientation].every(Number.isFinite);
}

/** Normalised copy; a quaternion of zero norm or not finite gives undefined. */
export function normalizeQuaternion(q: Quaternion): Quaternion | undefined {
  const norm = Math.hypot(...q);
  if (!(norm > 1e-9) || !Number.isFinite(norm)) return undefined;
  return [q[0] / norm, q[1] / norm, q[2] / norm, q[3] / norm];
}

/** Of a rotation matrix, [3, 3] row-major; w >= 0. */
export function rotationQuaternion(r: ArrayLike<number>): Quaternion {
  const squares = [
    1 + r[0]! - r[4]! - r[8]!,
    1 - r[0]! + r[4]! - r[8]!,
    1 - r[0]! - r[4]! + r[8]!,
    1 + r[0]! + r[4]! + r[8]!,
  ];
  // Four times the products of the parts; the largest part divides best.
  const products = [
    [squares[0]!, r[1]! + r[3]!, r[2]! + r[6]!, r[7]! - r[5]!],
    [r[1]! + r[3]!, squares[1]!, r[5]! + r[7]!, r[2]! - r[6]!],
    [r[2]! + r[6]!, r[5]! + r[7]!, squares[2]!, r[3]! - r[1]!],
    [r[7]! - r[5]!, r[2]! - r[6]!, r[3]! - r[1]!, squares[3]!],
  ] as const;
  const row = products[squares.indexOf(Math.max(...squares))]!;
  const scale = (row[3] < 0 ? -1 : 1) / Math.hypot(...row);
  return [row[0] * scale, row[1] * scale, row[2] * scale, row[3] * scale];
}

export function multiplyQuaternions(a: Quaternion, b: Quaternion): Quaternion {
  const [ax, ay, az, aw] = a;
  const [bx, by, bz, bw] = b;
  return [
    aw * bx + ax * bw + ay * bz - az * by,
    aw * by - ax * bz + ay * bw + az * bx,
    aw * bz + ax * by - ay * bx + az * bw,
    aw * bw - ax * bx - ay * by - az * bz,
  ];
}

export function rotateVector(q: Quaternion, v: Vector3): Vector3 {
  const [x, y, z, w] = q;
  // v + 2 w (u x v) + 2 u x (u x v), with u the vector part.
  const tx = 2 * (y * v[2] - z * v[1]);
  const ty = 2 * (z * v[0] - x * v[2]);
  const tz = 2 * (x * v[1] - y * v[0]);
  return [v[0] + w * tx + y * tz - z * ty, v[1] + w * ty + z * tx - x * tz, v[2] + w * tz + x * ty - y * tx];
}

/** aFromC = aFromB * bFromC. */
export function composePoses(aFromB: Pose, bFromC: Pose): Pose {
  const p = rotateVector(aFromB.orientation, bFromC.position);
  return {
    position: [aFromB.position[0] + p[0], aFromB.position[1] + p[1], aFromB.position[2] + p[2]],
    orientation: multiplyQuaternions(aFromB.orientation, bFromC.orientation),
  };
}

export function invertPose(pose: Pose): Pose {
  const [x, y, z, w] = pose.orientation;
  const orientation: Quaternion = [-x, -y, -z, w];
  const p = rotateVector(orientation, pose.position);
  return { position: [-p[0], -p[1], -p[2]], orientation };
}

/** Metres between the positions. */
export function distanceBetween(a: Pose, b: Pose): number {
  const [p, q] = [a.position, b.position];
  const [dx, dy, dz] = [p[0] - q[0], p[1] - q[1], p[2] - q[2]];
  // Math.hypot, which guards against overflow, takes ten times as long as a square root.
  return Math.sqrt(dx * dx + dy * dy + dz * dz);
}

/** Angle of the rotation between the orientations, radians, 0...pi. */
export function angleBetween(a: Pose, b: Pose): number {
  const [ax, ay, az, aw] = a.orientation;
  const [bx, by, bz, bw] = b.orientation;
  // atan2 of the relative quaternion's parts: acos of the dot product loses half the digits near zero.
  const relative = multiplyQuaternions([-ax, -ay, -az, aw], [bx, by, bz, bw]);
  return 2 * Math.atan2(Math.hypot(relative[0], relative[1], relative[2]), Math.abs(relative[3]));
}

/** Rotation about +z, radians, -pi...pi (REP-103: counter-clockwise from +x). */
export function yawOf(q: Quaternion): number {
  const [x, y, z, w] = q;
  return Math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z));
}

export function quaternionFromYaw(yaw: number): Quaternion {
  return [0, 0, Math.sin(yaw / 2), Math.cos(yaw / 2)];
}

/** Linear position and spherical-linear orientation; t in [0, 1]. */
export function interpolatePoses(a: Pose, b: Pose, t: number): Pose {
  const mix = (i: 0 | 1 | 2): number => a.position[i] + (b.position[i] - a.position[i]) * t;
  const qa = a.orientation;
  let qb = b.orientation;
  let cosine = qa[0] * qb[0] + qa[1] * qb[1] + qa[2] * qb[2] + qa[3] * qb[3];
  if (cosine < 0) {
    // q and -q are one rotation: take the nearer, or the interpolation goes the long way round.
    qb = [-qb[0], -qb[1], -qb[2], -qb[3]];
    cosine = -cosine;
  }
  const angle = Math.acos(Math.min(1, cosine));
  const near = angle < 1e-6;
  const wa = near ? 1 - t : Math.sin((1 - t) * angle) / Math.sin(angle);
  const wb = near ? t : Math.sin(t * angle) / Math.sin(angle);
  const orientation = normalizeQuaternion([
    wa * qa[0] + wb * qb[0],
    wa * qa[1] + wb * qb[1],
    wa * qa[2] + wb * qb[2],
    wa * qa[3] + wb * qb[3],
  ]);
  return { position: [mix(0), mix(1), mix(2)], orientation: orientation ?? qa };
}
