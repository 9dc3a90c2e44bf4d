import { normalizeQuaternion, quaternionFromYaw, type Pose, type Quaternion } from '../core/pose.js';
import { utmFrameOf, utmFromGeodetic, type UtmFrame } from '../core/utm.js';
import { VprError } from '../core/VprError.js';
import { yawFromHeading } from './utmName.js';

export interface PoseRow {
  readonly pose: Pose;
  readonly stampNs?: bigint;
}

const COLUMNS = [
  'name',
  'stamp_ns',
  'stamp_s',
  'x',
  'y',
  'z',
  'qx',
  'qy',
  'qz',
  'qw',
  'yaw',
  'latitude',
  'longitude',
  'altitude',
  'heading',
];

/** Columns that say nothing without each other. */
const PAIRS = [
  ['x', 'y'],
  ['latitude', 'longitude'],
  ['qz', 'qw'],
] as const;

/** Stamps are nanoseconds in 64 bits. */
const MAX_STAMP_S = 9.2e9;

function isBeyond64Bits(stampNs: bigint): boolean {
  return BigInt.asIntN(64, stampNs) !== stampNs;
}

/** Fields of one line; a field in double quotes may hold commas, and "" for a quote. */
function fieldsOf(line: string): string[] {
  const fields: string[] = [];
  const field = /("(?:[^"]|"")*"|[^,]*)(?:,|$)/gy;
  while (field.lastIndex <= line.length) {
    const match = field.exec(line);
    if (match === null) return [line];
    const text = match[1]!.trim();
    fields.push(
      text.startsWith('"') && text.endsWith('"') && text.length > 1 ? text.slice(1, -1).replaceAll('""', '"') : text,
    );
    if (!match[0].endsWith(',')) break;
  }
  return fields;
}

/**
 * Reads poses by image name from CSV with a header line. Columns, in any order (README.md of this folder has examples):
 * name; x, y[, z] in metres, or latitude, longitude[, altitude] in degrees (to UTM metres, in the first row's zone and hemisphere);
 * orientation as qx, qy, qz, qw, or yaw (radians, counter-clockwise from +x), or heading (degrees clockwise from north), or
 * none; stamp_ns or stamp_s. Empty lines and lines that start with # are skipped.
 * Throws POSES_INVALID, naming the line, for anything else.
 */
export function parsePoseCsv(text: string, where: string): ReadonlyMap<string, PoseRow> {
  const invalid = (expected: string, got: string, line?: number): VprError =>
    new VprError(
      'POSES_INVALID',
      `Expected ${expected}, got ${got} [${where}${line === undefined ? '' : `, line ${line}`}]`,
    );
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const rows = new Map<string, PoseRow>();
  let header: string[] | undefined;
  let frame: UtmFrame | undefined;
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const fields = fieldsOf(line);
    if (header === undefined) {
      header = fields.map((name) => name.toLowerCase());
      const unknown = header.find((name) => !COLUMNS.includes(name));
      if (unknown !== undefined) throw invalid(`columns out of ${COLUMNS.join(', ')}`, `'${unknown}'`, i + 1);
      const has = (...names: string[]): boolean => names.every((name) => header!.includes(name));
      if (!has('name') || !(has('x', 'y') || has('latitude', 'longitude')))
        throw invalid('columns name and x, y or latitude, longitude', header.join(', '), i + 1);
      // One of two would be passed over, and the poses be wrong without a word.
      for (const [one, other] of PAIRS)
        if (has(one) !== has(other)) throw invalid(`columns ${one} and ${other} together`, header.join(', '), i + 1);
      continue;
    }
    if (fields.length !== header.length)
      throw invalid(`${header.length} fields`, `${fields.length} ('${line.slice(0, 60)}')`, i + 1);
    const columns = header;
    const field = (name: string): string | undefined => {
      const index = columns.indexOf(name);
      return index < 0 ? undefined : fields[index];
    };
    const number = (name: string): number | undefined => {
      const value = field(name);
      if (value === undefined) return undefined;
      if (value === '' || !Number.isFinite(Number(value))) throw invalid(`a number for ${name}`, `'${value}'`, i + 1);
      return Number(value);
    };
    const name = field('name')!;
    if (name === '') throw invalid('an image name', 'none', i + 1);
    if (rows.has(name)) throw invalid('one row for each image', `a second one for '${name}'`, i + 1);

    let position: [number, number, number];
    const latitude = number('latitude');
    const longitude = number('longitude');
    const x = number('x');
    if (x !== undefined) position = [x, number('y') ?? 0, number('z') ?? 0];
    else {
      if (Math.abs(latitude!) > 84 || Math.abs(longitude!) > 180)
        throw invalid('latitude within 84 and longitude within 180 degrees', `${latitude}, ${longitude}`, i + 1);
      frame ??= utmFrameOf(latitude!, longitude!);
      const { eastingM, northingM } = utmFromGeodetic(latitude!, longitude!, frame);
      position = [eastingM, northingM, number('altitude') ?? 0];
    }

    let orientation: Quaternion = [0, 0, 0, 1];
    const yaw = number('yaw');
    const heading = number('heading');
    const qw = number('qw');
    if (qw !== undefined) {
      const normalized = normalizeQuaternion([number('qx') ?? 0, number('qy') ?? 0, number('qz') ?? 0, qw]);
      if (normalized === undefined) throw invalid('a quaternion with length', 'zero', i + 1);
      orientation = normalized;
    } else if (yaw !== undefined) orientation = quaternionFromYaw(yaw);
    else if (heading !== undefined) orientation = quaternionFromYaw(yawFromHeading(heading));

    const stamp = field('stamp_ns');
    const seconds = number('stamp_s');
    if (stamp !== undefined && !/^-?\d{1,19}$/.test(stamp))
      throw invalid('whole nanoseconds for stamp_ns', `'${stamp}'`, i + 1);
    const tooLarge = stamp === undefined ? Math.abs(seconds ?? 0) > MAX_STAMP_S : isBeyond64Bits(BigInt(stamp));
    if (tooLarge) throw invalid('a stamp of at most 64 bits of nanoseconds', `'${stamp ?? field('stamp_s')!}'`, i + 1);
    const stampNs =
      stamp !== undefined ? BigInt(stamp) : seconds === undefined ? undefined : BigInt(Math.round(seconds * 1e9));
    rows.set(name, { pose: { position, orientation }, ...(stampNs === undefined ? {} : { stampNs }) });
  }
  if (header === undefined) throw invalid('a header line', 'an empty file');
  return rows;
}
