import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { CdrWriter, EncapsulationKind } from '@foxglove/cdr';
import { McapWriter, type McapWriterOptions } from '@mcap/core';
import type { ImageSourceOptions } from '../../../src/bag/ImageSource.js';
import { openImageSource } from '../../../src/bag/openImageSource.js';
import { VprError } from '../../../src/core/VprError.js';

/** Images of each bag in test/data/bag. */
export const WHOLE = 63;
export const GOOD = 'test/data/bag';

let folder = '';

/** Gives each test of a suite a folder of its own; to be called in the suite. */
export function useFolder(): void {
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'vpr-hostile-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
}

export function inFolder(name: string): string {
  return path.join(folder, name);
}

export interface Outcome {
  /** Sentences of what was thrown (one) or skipped. */
  readonly sentences: readonly string[];
  readonly code: string;
  readonly images: number;
}

/** Reads everything of a source; whatever is thrown must be a VprError. */
export async function read(file: string, options: ImageSourceOptions = {}): Promise<Outcome> {
  let images = 0;
  try {
    const source = await openImageSource(file, options);
    try {
      for await (const { image } of source) images += image.data.length > 0 ? 1 : 0;
      if (options.poseTopic !== undefined) await source.readPoses();
      const { first } = source.problems;
      return { sentences: first.map(({ message }) => message), code: first[0]?.code ?? '', images };
    } finally {
      await source.close();
    }
  } catch (error) {
    expect(error, String((error as Error).stack)).to.be.instanceOf(VprError);
    return { sentences: [(error as VprError).message], code: (error as VprError).code, images };
  }
}

export function fileWith(bytes: Uint8Array | string, name = 'hostile'): string {
  const file = path.join(folder, name);
  writeFileSync(file, bytes);
  return file;
}

export interface McapRecord {
  readonly opcode: number;
  readonly offset: number;
  readonly length: number;
}

/** The records of an mcap file outside its chunks. */
export function recordsOf(bytes: Buffer): readonly McapRecord[] {
  const records: McapRecord[] = [];
  for (let offset = 8; offset + 9 < bytes.length - 8;) {
    const length = Number(bytes.readBigUInt64LE(offset + 1));
    records.push({ opcode: bytes[offset]!, offset, length });
    offset += 9 + length;
  }
  return records;
}

/** A serialised sensor_msgs/Image. */
export function imageMessage(fields: {
  frame?: string;
  width?: number;
  height?: number;
  dataBytes?: number;
  stampS?: number;
  pixels?: Uint8Array;
}): Uint8Array {
  const writer = new CdrWriter({ kind: EncapsulationKind.CDR_LE });
  const { frame = 'camera', width = 2, height = 1, dataBytes = 6, stampS = 1, pixels } = fields;
  writer
    .int32(stampS)
    .uint32(0)
    .string(frame)
    .uint32(height)
    .uint32(width)
    .string('rgb8')
    .uint8(0)
    .uint32(width * 3);
  writer.uint8Array(pixels ?? new Uint8Array(dataBytes), true);
  return writer.data;
}

/** A serialised geometry_msgs/PoseStamped. */
export function poseMessage(x: number, w: number, stampS: number): Uint8Array {
  const writer = new CdrWriter({ kind: EncapsulationKind.CDR_LE });
  writer.int32(stampS).uint32(0).string('map');
  for (const value of [x, 0, 0, 0, 0, 0, w]) writer.float64(value);
  return writer.data;
}

/** An mcap bag of these messages, a second apart from the one after startS on; silent: topics without messages. */
export async function bagOf(
  entries: readonly (readonly [topic: string, type: string, data: Uint8Array])[],
  options: Partial<McapWriterOptions> = {},
  startS = 0,
  silent: readonly (readonly [topic: string, type: string])[] = [],
): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0n;
  const writer = new McapWriter({
    ...options,
    writable: {
      write: (bytes) => {
        parts.push(bytes.slice());
        size += BigInt(bytes.length);
        return Promise.resolve();
      },
      position: () => size,
    },
  });
  await writer.start({ profile: 'ros2', library: 'test' });
  const channels = new Map<string, number>();
  for (const [topic, type] of [...silent, ...entries]) {
    const key = `${topic} ${type}`;
    if (channels.has(key)) continue;
    const schemaId = await writer.registerSchema({ name: type, encoding: 'ros2msg', data: new Uint8Array() });
    const channel = { topic, messageEncoding: 'cdr', schemaId, metadata: new Map<string, string>() };
    channels.set(key, await writer.registerChannel(channel));
  }
  for (const [i, [topic, type, data]] of entries.entries()) {
    const key = `${topic} ${type}`;
    const time = BigInt(startS + i + 1) * 1_000_000_000n;
    await writer.addMessage({ channelId: channels.get(key)!, sequence: i, logTime: time, publishTime: time, data });
  }
  await writer.end();
  return fileWith(Buffer.concat(parts), 'made.mcap');
}

export const IMAGE = 'sensor_msgs/msg/Image';
export const POSE = 'geometry_msgs/msg/PoseStamped';

/** Bags of make_bags.py: path, and what the summary calls their storage. */
export const BAGS = [
  ['mcap_rosbags', 'mcap'],
  ['mcap_big_endian', 'mcap'],
  ['mcap_message_zstd', 'mcap'],
  ['mcap_file_zstd', 'mcap'],
  ['mcap_zstd.mcap', 'mcap'],
  ['mcap_lz4.mcap', 'mcap'],
  ['mcap_uncompressed.mcap', 'mcap'],
  ['mcap_unchunked.mcap', 'mcap'],
  ['mcap_no_summary.mcap', 'mcap'],
  ['mcap_unchunked_no_summary.mcap', 'mcap'],
  ['mcap_ros1.mcap', 'mcap'],
  ['mcap_split', 'mcap'],
  ['db3', 'sqlite3'],
  ['db3/db3.db3', 'sqlite3'],
  ['db3_message_zstd', 'sqlite3'],
  ['db3_message_zstd/db3_message_zstd.db3', 'sqlite3'],
  ['db3_file_zstd', 'sqlite3'],
  ['db3_file_zstd/db3_file_zstd.db3.zstd', 'sqlite3'],
  ['ros1_none.bag', 'ros1'],
  ['ros1_lz4.bag', 'ros1'],
  ['ros1_bz2.bag', 'ros1'],
] as const;
