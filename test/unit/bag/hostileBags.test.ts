import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import Database from 'better-sqlite3';
import { CdrWriter, EncapsulationKind } from '@foxglove/cdr';
import { McapWriter } from '@mcap/core';
import type { ImageSourceOptions } from '../../../src/bag/ImageSource.js';
import { openImageSource } from '../../../src/bag/openImageSource.js';
import { VprError } from '../../../src/core/VprError.js';

const WHOLE = 63;
const GOOD = 'test/data/bag';

let folder = '';

interface Outcome {
  /** Sentences of what was thrown (one) or skipped. */
  readonly sentences: readonly string[];
  readonly code: string;
  readonly images: number;
}

/** Reads everything of a source; whatever is thrown must be a VprError. */
async function read(file: string, options: ImageSourceOptions = {}): Promise<Outcome> {
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

function fileWith(bytes: Uint8Array | string, name = 'hostile'): string {
  const file = path.join(folder, name);
  writeFileSync(file, bytes);
  return file;
}

interface McapRecord {
  readonly opcode: number;
  readonly offset: number;
  readonly length: number;
}

/** The records of an mcap file outside its chunks. */
function recordsOf(bytes: Buffer): readonly McapRecord[] {
  const records: McapRecord[] = [];
  for (let offset = 8; offset + 9 < bytes.length - 8;) {
    const length = Number(bytes.readBigUInt64LE(offset + 1));
    records.push({ opcode: bytes[offset]!, offset, length });
    offset += 9 + length;
  }
  return records;
}

const KINDS: Readonly<Record<number, string>> = {
  1: 'Header',
  2: 'Footer',
  3: 'Schema',
  4: 'Channel',
  5: 'Message',
  6: 'Chunk',
  7: 'MessageIndex',
  8: 'ChunkIndex',
  11: 'Statistics',
  14: 'SummaryOffset',
  15: 'DataEnd',
};

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'vpr-hostile-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('damaged mcap files', () => {
  for (const name of ['mcap_lz4.mcap', 'mcap_unchunked.mcap']) {
    const bytes = readFileSync(`${GOOD}/${name}`);
    const records = recordsOf(bytes);
    for (const opcode of new Set(records.map((record) => record.opcode)))
      it(`reads what it can of ${name} with any byte of a ${KINDS[opcode] ?? opcode} record flipped`, async () => {
        const record = records.find((one) => one.opcode === opcode)!;
        const size = 9 + record.length;
        // Opcode, each byte of the length, and eight places in the content.
        const places = [0, 1, 2, 3, 8, ...Array.from({ length: 8 }, (_, i) => 9 + Math.floor((record.length * i) / 8))];
        for (const place of places.filter((at) => at < size)) {
          const damaged = Buffer.from(bytes);
          damaged[record.offset + place]! ^= 0xff;
          const { images, sentences } = await read(fileWith(damaged));
          if (images < WHOLE) expect(sentences, `byte ${place}`).not.to.be.empty;
          for (const sentence of sentences) expect(sentence).to.match(/^Expected .*, got .*\[.*\]$/);
        }
      });
  }

  it('skips a chunk whose bytes have another checksum, and reads the others', async () => {
    const bytes = readFileSync(`${GOOD}/mcap_uncompressed.mcap`);
    const chunk = recordsOf(bytes).filter(({ opcode }) => opcode === 6)[1]!;
    bytes[chunk.offset + chunk.length - 100]! ^= 1;
    const { sentences, images } = await read(fileWith(bytes));
    expect(sentences).to.have.length(1);
    expect(sentences[0]).to.match(
      /^Expected a whole chunk, got a chunk with checksum [0-9a-f]{8} instead of [0-9a-f]{8}; skipped it \[.*, offset \d+\]$/,
    );
    expect(images).to.be.greaterThan(30).and.lessThan(WHOLE);
  });

  it('refuses a chunk that says it becomes 10 GB, without the memory', async () => {
    const bytes = readFileSync(`${GOOD}/mcap_lz4.mcap`);
    const chunk = recordsOf(bytes).find(({ opcode }) => opcode === 6)!;
    bytes.writeBigUInt64LE(10_000_000_000n, chunk.offset + 9 + 16);
    const before = process.memoryUsage().rss;
    const { sentences, images } = await read(fileWith(bytes));
    expect(sentences[0]).to.match(
      /got lz4 data that says it becomes 10000000000 bytes \(at most 603979776 are read\); skipped it/,
    );
    expect(images).to.be.greaterThan(30);
    expect(process.memoryUsage().rss - before).to.be.lessThan(300e6);
  });

  it('refuses a chunk that becomes another size than it says', async () => {
    for (const name of ['mcap_lz4.mcap', 'mcap_zstd.mcap']) {
      const bytes = readFileSync(`${GOOD}/${name}`);
      const chunk = recordsOf(bytes).find(({ opcode }) => opcode === 6)!;
      bytes.writeBigUInt64LE(64n, chunk.offset + 9 + 16);
      expect((await read(fileWith(bytes))).sentences[0], name).to.match(/(lz4|zstd) data .*; skipped it/);
    }
  });

  it('skips a record that says it is longer than any may be, or ends there', async () => {
    const bytes = readFileSync(`${GOOD}/mcap_no_summary.mcap`);
    bytes.writeBigUInt64LE(2n ** 62n, recordsOf(bytes)[2]!.offset + 1);
    expect(await read(fileWith(bytes))).to.have.property('code', 'BAG_TRUNCATED');
  });
});

describe('damaged sqlite3 files', () => {
  const damage = (sql: string): string => {
    const file = path.join(folder, 'hostile.db3');
    copyFileSync(`${GOOD}/db3/db3.db3`, file);
    const database = new Database(file);
    database.unsafeMode(true);
    database.exec(sql);
    database.close();
    return file;
  };
  for (const [what, sql, code, sentence, images] of [
    ['no table of topics', 'DROP TABLE topics', 'BAG_INVALID', /got no such table: topics/, 0],
    ['no table of messages', 'DROP TABLE messages', 'BAG_INVALID', /got no such table: messages/, 0],
    [
      'topics without names',
      "UPDATE topics SET name = '', type = 7",
      'BAG_NO_IMAGES',
      /Expected a topic of sensor_msgs/,
      0,
    ],
    [
      'messages without bytes',
      'UPDATE messages SET data = 7 WHERE id % 2',
      'MESSAGE_INVALID',
      /with a time, got 1 bytes; skipped it/,
      31,
    ],
    [
      'messages that are text',
      "UPDATE messages SET data = 'x' WHERE id % 2",
      'MESSAGE_INVALID',
      /skipped it/,
      WHOLE - 1,
    ],
    [
      'empty messages',
      "UPDATE messages SET data = x''",
      'MESSAGE_INVALID',
      /Expected a 4-byte encapsulation header .*got 0 bytes/,
      0,
    ],
    [
      'a serialisation nobody knows',
      "UPDATE topics SET serialization_format = 'protobuf'",
      'BAG_NO_IMAGES',
      /Expected a topic of/,
      0,
    ],
  ] as const)
    it(`says what is wrong with ${what}`, async () => {
      const outcome = await read(damage(sql));
      expect(outcome.code).to.equal(code);
      expect(outcome.sentences[0]).to.match(sentence);
      if (what.startsWith('messages')) expect(outcome.images).to.be.greaterThan(20).and.lessThan(WHOLE);
      else expect(outcome.images).to.equal(images);
    });

  it('reads up to a corrupted page and says so', async () => {
    const bytes = readFileSync(`${GOOD}/db3/db3.db3`);
    for (const page of [1, 5, 12, 30]) {
      const damaged = Buffer.from(bytes);
      damaged.fill(0xff, page * 4096 + 8, page * 4096 + 200);
      const { sentences, images } = await read(fileWith(damaged));
      if (images < WHOLE) expect(sentences.join(), `page ${page}`).to.match(/sqlite3 database, got|Expected/);
    }
  });
});

function imageMessage(fields: {
  frame?: string;
  width?: number;
  height?: number;
  dataBytes?: number;
  stampS?: number;
}): Uint8Array {
  const writer = new CdrWriter({ kind: EncapsulationKind.CDR_LE });
  const { frame = 'camera', width = 2, height = 1, dataBytes = 6, stampS = 1 } = fields;
  writer
    .int32(stampS)
    .uint32(0)
    .string(frame)
    .uint32(height)
    .uint32(width)
    .string('rgb8')
    .uint8(0)
    .uint32(width * 3);
  writer.uint8Array(new Uint8Array(dataBytes), true);
  return writer.data;
}

function poseMessage(x: number, w: number, stampS: number): Uint8Array {
  const writer = new CdrWriter({ kind: EncapsulationKind.CDR_LE });
  writer.int32(stampS).uint32(0).string('map');
  for (const value of [x, 0, 0, 0, 0, 0, w]) writer.float64(value);
  return writer.data;
}

/** An mcap bag of these messages, a second apart. */
async function bagOf(entries: readonly (readonly [topic: string, type: string, data: Uint8Array])[]): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0n;
  const writer = new McapWriter({
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
  for (const [i, [topic, type, data]] of entries.entries()) {
    const key = `${topic} ${type}`;
    if (!channels.has(key)) {
      const schemaId = await writer.registerSchema({ name: type, encoding: 'ros2msg', data: new Uint8Array() });
      const channel = { topic, messageEncoding: 'cdr', schemaId, metadata: new Map<string, string>() };
      channels.set(key, await writer.registerChannel(channel));
    }
    const time = BigInt(i + 1) * 1_000_000_000n;
    await writer.addMessage({ channelId: channels.get(key)!, sequence: i, logTime: time, publishTime: time, data });
  }
  await writer.end();
  return fileWith(Buffer.concat(parts), 'made.mcap');
}

const IMAGE = 'sensor_msgs/msg/Image';
const POSE = 'geometry_msgs/msg/PoseStamped';

describe('damaged messages', () => {
  it('skips strings that say they go beyond the end', async () => {
    const bad = imageMessage({});
    new DataView(bad.buffer, bad.byteOffset).setUint32(12, 60_000, true);
    const { sentences, images } = await read(
      await bagOf([
        ['/a', IMAGE, imageMessage({})],
        ['/a', IMAGE, bad],
      ]),
    );
    expect(images).to.equal(1);
    expect(sentences).to.have.length(1);
    expect(sentences[0]).to.match(/^Expected 60000 bytes for header.frame_id at offset 16, got \d+ \[\/a, 2 s\]$/);
  });

  it('hands on images of no size and of an absurd one, for the decoder to refuse', async () => {
    const bag = await bagOf([
      ['/a', IMAGE, imageMessage({ width: 0, height: 0 })],
      ['/a', IMAGE, imageMessage({ width: 65535, height: 65535, dataBytes: 10 })],
    ]);
    expect((await read(bag)).images).to.equal(2);
  });

  it('keeps the order of the recording when stamps go backwards', async () => {
    const bag = await bagOf([9, 5, 7].map((stampS) => ['/a', IMAGE, imageMessage({ stampS })] as const));
    const source = await openImageSource(bag);
    const stamps: bigint[] = [];
    for await (const { stampNs } of source) stamps.push(stampNs);
    await source.close();
    expect(stamps).to.deep.equal([9_000_000_000n, 5_000_000_000n, 7_000_000_000n]);
  });

  it('reads the image messages of a topic that also carries another type', async () => {
    const bag = await bagOf([
      ['/a', POSE, poseMessage(1, 1, 1)],
      ['/a', IMAGE, imageMessage({ stampS: 2 })],
      ['/a', POSE, poseMessage(2, 1, 3)],
    ]);
    const source = await openImageSource(bag, { poseTopic: '/a' });
    expect(source.summary.topics.map(({ type, messages }) => [type, messages])).to.have.deep.members([
      [POSE, 2],
      [IMAGE, 1],
    ]);
    for await (const { pose } of source) expect(pose!.position[0]).to.equal(1.5);
    await source.close();
  });

  it('leaves out poses that are not finite or have no orientation, and counts them', async () => {
    const bag = await bagOf([
      ['/p', POSE, poseMessage(1, 1, 1)],
      ['/p', POSE, poseMessage(NaN, 1, 2)],
      ['/p', POSE, poseMessage(Infinity, 1, 3)],
      ['/p', POSE, poseMessage(1, 0, 4)],
      ['/i', IMAGE, imageMessage({ stampS: 1 })],
    ]);
    const { sentences, images } = await read(bag, { poseTopic: '/p' });
    expect(images).to.equal(1);
    expect(sentences).to.deep.equal([
      'Expected finite poses with unit quaternions, got 3 that are not, beside 1; left them out [/p]',
    ]);
  });

  it('refuses a pose topic without a single usable pose', async () => {
    const bag = await bagOf([
      ['/p', POSE, poseMessage(NaN, 1, 1)],
      ['/i', IMAGE, imageMessage({})],
    ]);
    expect(await read(bag, { poseTopic: '/p' })).to.have.property('code', 'POSES_INVALID');
  });

  it('names the topics that there are when one is missing', async () => {
    const bag = await bagOf([
      ['/front/image', IMAGE, imageMessage({})],
      ['/p', POSE, poseMessage(1, 1, 1)],
    ]);
    const { code, sentences } = await read(bag, { topics: ['/rear/image'] });
    expect(code).to.equal('TOPIC_MISSING');
    expect(sentences[0]).to.match(/^Expected an image topic \/rear\/image, got \/front\/image \[/);
    expect((await read(bag, { poseTopic: '/odom' })).sentences[0]).to.match(
      /^Expected a topic \/odom of .*, got \/p \[/,
    );
    expect((await read(bag, { cameras: ['rear'] })).sentences[0]).to.match(/^Expected a camera 'rear', got front \[/);
  });
});

describe('files that are no bags', () => {
  it('refuses an empty file', async () => {
    expect((await read(fileWith(''))).sentences[0]).to.match(/^Expected a bag file, got an empty file \[/);
  });

  it('refuses a folder that metadata.yaml lists as a file', async () => {
    mkdirSync(path.join(folder, 'part'));
    fileWith('rosbag2_bagfile_information:\n  relative_file_paths: [part]\n', 'metadata.yaml');
    expect((await read(folder)).sentences[0]).to.match(/^Expected a bag file, got a folder \[/);
  });

  it('refuses metadata that leaves the folder, lists nothing or is no YAML', async () => {
    for (const [text, sentence] of [
      [
        'rosbag2_bagfile_information:\n  relative_file_paths: [../../etc/passwd]\n',
        /got '..\/..\/etc\/passwd', which is outside/,
      ],
      ['rosbag2_bagfile_information: {}\n', /Expected relative_file_paths in the bag's metadata, got none/],
      ['rosbag2_bagfile_information: [unclosed\n', /Expected relative_file_paths in the bag's metadata, got /],
      [
        'rosbag2_bagfile_information:\n  relative_file_paths: [lost.mcap]\n',
        /^Expected a bag file, got nothing at that path/,
      ],
    ] as const) {
      fileWith(text, 'metadata.yaml');
      expect((await read(folder)).sentences[0]).to.match(sentence);
    }
  });

  it('refuses a file without permission to read it', async function () {
    if (process.getuid?.() === 0) {
      console.warn('SKIPPED: root may read every file');
      this.skip();
    }
    const file = fileWith('x');
    chmodSync(file, 0);
    expect((await read(file)).sentences[0]).to.match(/got no permission to read it/);
  });

  it('refuses zstd files that are cut off or hold no bag', async () => {
    const packed = readFileSync(`${GOOD}/db3_file_zstd/db3_file_zstd.db3.zstd`);
    expect((await read(fileWith(packed.subarray(0, packed.length >> 1)))).code).to.equal('BAG_INVALID');
    // A raw block of one byte: a frame that says so.
    const nothing = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x01, 0x09, 0x00, 0x00, 0x41);
    expect((await read(fileWith(nothing))).sentences[0]).to.match(/Expected an mcap, sqlite3 or ROS 1 bag/);
  });

  it('refuses a zstd file that says it becomes more than the disk holds', async () => {
    const frame = Buffer.alloc(40);
    frame.set([0x28, 0xb5, 0x2f, 0xfd, 0xc0, 0x58]);
    frame.writeBigUInt64LE(2n ** 60n, 6);
    const { code, sentences } = await read(fileWith(frame));
    expect(code).to.equal('DISK_FULL');
    expect(sentences[0]).to.match(
      /^Expected 115292150460684\d{4} bytes of free space in .* for the unpacked bag, got \d+ \[/,
    );
  });

  it('refuses a ROS 1 bag whose recording was cut off', async () => {
    const bytes = readFileSync(`${GOOD}/ros1_lz4.bag`);
    const at = bytes.indexOf('index_pos=') + 'index_pos='.length;
    bytes.writeBigUInt64LE(0n, at);
    expect((await read(fileWith(bytes))).sentences[0]).to.match(
      /got none: its recording was cut off; 'rosbag reindex' repairs it/,
    );
  });
});
