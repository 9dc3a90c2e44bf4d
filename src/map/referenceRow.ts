import { isFinitePose, type Pose } from '../core/pose.js';
import type { Reference } from '../core/reference.js';
import { checksumOfReference } from './checksum.js';
import { hasTypes } from './hasTypes.js';

export const REFERENCE_COLUMNS =
  'reference_id, place_id, session_id, camera, label, stamp_ns, x, y, z, qx, qy, qz, qw, has_thumbnail, code_crc, crc';

/** A row of the table `reference`, read with safe integers. */
export interface ReferenceRow {
  readonly reference_id: bigint;
  readonly place_id: bigint;
  readonly session_id: bigint;
  readonly camera: string;
  readonly label: string;
  readonly stamp_ns: bigint;
  readonly x: number | null;
  readonly y: number | null;
  readonly z: number | null;
  readonly qx: number | null;
  readonly qy: number | null;
  readonly qz: number | null;
  readonly qw: number | null;
  readonly has_thumbnail: bigint;
  readonly code_crc: bigint;
  readonly crc: bigint;
}

const COLUMN_TYPES = {
  reference_id: 'bigint',
  place_id: 'bigint',
  session_id: 'bigint',
  camera: 'string',
  label: 'string',
  stamp_ns: 'bigint',
  has_thumbnail: 'bigint',
  code_crc: 'bigint',
  crc: 'bigint',
} as const;

function isU32(value: bigint): boolean {
  return value >= 0n && value < 1n << 32n;
}

/** The record of a row, or undefined where it does not agree with its checksum. */
export function referenceOfRow(row: ReferenceRow): Reference | undefined {
  if (!hasTypes(row, COLUMN_TYPES)) return undefined;
  if (![row.reference_id, row.place_id, row.session_id, row.code_crc].every(isU32)) return undefined;
  const values = [row.x, row.y, row.z, row.qx, row.qy, row.qz, row.qw];
  const known = values.filter((value) => value !== null);
  if (!known.every((value) => typeof value === 'number')) return undefined;
  if (known.length !== 0 && known.length !== 7) return undefined;
  let pose: Pose | undefined;
  if (known.length === 7) {
    const [x, y, z, qx, qy, qz, qw] = known as [number, number, number, number, number, number, number];
    pose = { position: [x, y, z], orientation: [qx, qy, qz, qw] };
    if (!isFinitePose(pose)) return undefined;
  }
  const reference: Reference = {
    referenceId: Number(row.reference_id),
    placeId: Number(row.place_id),
    sessionId: Number(row.session_id),
    label: row.label,
    camera: row.camera,
    stampNs: row.stamp_ns,
    ...(pose === undefined ? {} : { pose }),
  };
  const crc = checksumOfReference(reference, Number(row.code_crc), row.has_thumbnail === 1n);
  return BigInt(crc) === row.crc ? reference : undefined;
}
