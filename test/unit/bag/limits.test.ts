import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { CdrWriter, EncapsulationKind } from '@foxglove/cdr';
import {
  MAX_CHUNK_BYTES,
  MAX_FRAMES,
  MAX_SMALL_MESSAGE_BYTES,
  MAX_SUMMARY_BYTES,
  MAX_TEXT_FILE_BYTES,
  MAX_TRANSFORMS,
} from '../../../src/bag/bagLimits.js';
import { loadDecompressor } from '../../../src/bag/decompress.js';
import { RECORD_PREFIX_BYTES } from '../../../src/bag/mcapRecords.js';
import { readTransforms } from '../../../src/bag/readPose.js';
import { CdrCursor } from '../../../src/core/CdrCursor.js';
import { VprError } from '../../../src/core/VprError.js';
import { MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE, MAX_MESSAGE_BYTES, MAX_STRING_BYTES } from '../../../src/core/limits.js';
import { decodeImage } from '../../../src/image/decodeImage.js';
import { bytesRead } from '../bytesRead.js';
import {
  bagOf,
  fileWith,
  GOOD,
  IMAGE,
  imageMessage,
  inFolder,
  POSE,
  poseMessage,
  read,
  useFolder,
  WHOLE,
} from './bagFixtures.js';

/** The footer record and the magic behind it, which end every whole file. */
const FOOTER_AND_MAGIC_BYTES = RECORD_PREFIX_BYTES + 20 + 8;
const TF = 'tf2_msgs/msg/TFMessage';

/** One TFMessage: frame i has frame i - 1 as its parent. says: the length of the list, as the message has it. */
function chainMessage(frames: number, says = frames): Uint8Array {
  const writer = new CdrWriter({ kind: EncapsulationKind.CDR_LE, size: frames * 150 + 64 });
  writer.uint32(says);
  for (let i = 0; i < frames; i++) {
    writer
      .int32(1)
      .uint32(0)
      .string(i === 0 ? 'map' : `f${i}`)
      .string(i === frames - 1 ? 'base_link' : `f${i + 1}`);
    for (const value of [1, 0, 0, 0, 0, 0, 1]) writer.float64(value);
  }
  return writer.data;
}

/** A Zstandard frame of RLE blocks: a few bytes that become as many as one likes. says: undefined, or what the header says. */
function zstdBomb(bytes: number, says?: number): Buffer {
  const block = 128 * 1024;
  const count = Math.ceil(bytes / block);
  const header = Buffer.alloc(says === undefined ? 6 : 14);
  header.writeUInt32LE(0xfd2fb528, 0);
  // A window of 8 MiB; with a size of eight bytes, or without one.
  header.set([says === undefined ? 0x00 : 0xc0, 0x68], 4);
  if (says !== undefined) header.writeBigUInt64LE(BigInt(says), 6);
  const blocks = Buffer.alloc(count * 4);
  for (let i = 0; i < count; i++) {
    blocks.writeUIntLE((i === count - 1 ? 1 : 0) | (1 << 1) | (block << 3), i * 4, 3);
    blocks[i * 4 + 3] = 0x41;
  }
  return Buffer.concat([header, blocks]);
}

/** Most that the resident memory grew by while something ran. */
async function growthOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage().rss;
  await work();
  return process.memoryUsage().rss - before;
}

describe('limits of what a file may make us do', () => {
  useFolder();

  it('are these', () => {
    // As src/bag/README.md says them.
    expect([MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE]).to.deep.equal([144_000_000, 65_535]);
    expect([MAX_MESSAGE_BYTES, MAX_SMALL_MESSAGE_BYTES]).to.deep.equal([512 * 2 ** 20, 4 * 2 ** 20]);
    expect([MAX_STRING_BYTES, MAX_CHUNK_BYTES]).to.deep.equal([64 * 1024, 576 * 2 ** 20]);
    expect(MAX_SUMMARY_BYTES).to.equal(256 * 2 ** 20);
    expect([MAX_TRANSFORMS, MAX_FRAMES, MAX_TEXT_FILE_BYTES]).to.deep.equal([10_000, 1000, 256 * 2 ** 20]);
  });

  it('one image: 144 million pixels, 65,535 a side', async () => {
    for (const [width, height] of [
      [12_001, 12_000],
      [65_536, 1],
      [2 ** 31, 2 ** 31],
    ] as const) {
      const raw = { kind: 'raw', encoding: 'mono8', width, height, step: width, isBigEndian: false } as const;
      const sentence = await decodeImage({ ...raw, data: new Uint8Array(10) }, 'x').then(
        () => '',
        (error: Error) => error.message,
      );
      expect(sentence).to.equal(
        `Expected at most 144000000 pixels and 65535 a side for the image, got ${width}x${height} [x]`,
      );
    }
  });

  it('one string: 64 KiB', async () => {
    const { sentences } = await read(await bagOf([['/a', IMAGE, imageMessage({ frame: 'x'.repeat(65_536) })]]));
    expect(sentences).to.deep.equal(['Expected at most 65536 bytes for header.frame_id, got 65537 [/a, 1 s]']);
  });

  it('one message: 512 MiB, also when it is compressed; 4 MiB for poses', async () => {
    const bomb = zstdBomb(1000, 600 * 2 ** 20);
    expect((await read(await bagOf([['/a', IMAGE, bomb]]))).sentences).to.deep.equal([
      'Expected at most 536870912 bytes for the message, got 629145600 [/a, 1 s]',
    ]);
    const pose = Buffer.concat([poseMessage(1, 1, 1), Buffer.alloc(4 * 2 ** 20)]);
    const bag = await bagOf([
      ['/p', POSE, pose],
      ['/a', IMAGE, imageMessage({})],
    ]);
    expect((await read(bag, { poseTopic: '/p' })).sentences[0]).to.match(
      /^Expected poses, got none that can be used \[\/p,/,
    );
  });

  it('one chunk: 576 MiB, whatever it would become', async () => {
    const zstd = await loadDecompressor('zstd');
    const tenGigabytes = zstdBomb(10e9);
    expect(tenGigabytes.length).to.be.lessThan(400_000);
    const growth = await growthOf(async () => {
      expect(() => zstd(tenGigabytes, 10e9)).to.throw(
        RangeError,
        'zstd data that says it becomes 10000000000 bytes (at most 603979776 are read)',
      );
      // One that says it is small, and is not.
      expect(() => zstd(tenGigabytes, 1000)).to.throw(RangeError, 'zstd data that cannot be decompressed');
      await Promise.resolve();
    });
    expect(growth).to.be.lessThan(200e6);
  });

  it('the summary of an mcap file: 256 MiB; beyond that the file is read without it', async () => {
    const bytes = readFileSync(`${GOOD}/mcap_lz4.mcap`);
    const footer = bytes.subarray(bytes.length - FOOTER_AND_MAGIC_BYTES);
    const summaryOffset = Number(footer.readBigUInt64LE(RECORD_PREFIX_BYTES));
    for (const [size, most] of [
      [MAX_SUMMARY_BYTES - 1000, Infinity],
      [MAX_SUMMARY_BYTES + 1000, 2e6],
    ] as const) {
      // Zeros that take no space on the disk; the footer says that they are the summary.
      const file = fileWith(bytes.subarray(0, summaryOffset));
      truncateSync(file, summaryOffset + size);
      appendFileSync(file, footer);
      const before = bytesRead();
      expect(await read(file)).to.deep.equal({ images: WHOLE, sentences: [], code: '' });
      expect(bytesRead() - before)
        .to.be.at.least(most === Infinity ? size : 0)
        .and.at.most(most);
    }
  });

  it('transforms: 10,000 in a message, 1000 frames from the base to the map', async () => {
    const withImage = (tf: Uint8Array): Promise<string> =>
      bagOf([
        ['/tf', TF, tf],
        ['/a', IMAGE, imageMessage({})],
      ]);
    const long = await read(await withImage(chainMessage(900)), { poseTopic: '/tf' });
    expect(long).to.deep.include({ sentences: [], images: 1 });
    const longer = await read(await withImage(chainMessage(1200)), { poseTopic: '/tf' });
    expect(longer.code).to.equal('POSES_INVALID');
    expect(() => readTransforms(new CdrCursor(chainMessage(2, 4_000_000_000), '/tf, 1 s'))).to.throw(
      VprError,
      'Expected at most 10000 transforms in a message, got 4000000000',
    );
  });

  it('metadata whose aliases stand for gigabytes of text: no more time than their bytes take', async () => {
    const lists = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 10; i++)
      lists.push(
        `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    for (const [paths, got] of [
      ['*a9', 'no file name in place 1'],
      ['[made.mcap, *a9]', 'no file name in place 2'],
      ['{a: *a9}', 'a value of type object'],
      ["['']", 'no file name in place 1'],
    ] as const) {
      const text = `${lists.join('\n')}\nrosbag2_bagfile_information:\n  relative_file_paths: ${paths}\n`;
      expect(text.length).to.be.lessThan(1000);
      const { sentences } = await read(path.dirname(fileWith(text, 'metadata.yaml')));
      expect(sentences[0]).to.match(new RegExp(`^Expected relative_file_paths in the bag's metadata, got ${got} \\[`));
    }
  });

  it('metadata: 256 MiB, and as deep as it likes', async () => {
    writeFileSync(inFolder('metadata.yaml'), '');
    truncateSync(inFolder('metadata.yaml'), 256 * 2 ** 20 + 1);
    expect((await read(inFolder('.'))).sentences[0]).to.match(/got a file of more than 256 MiB/);
    fileWith(`a: ${'['.repeat(200_000)}`, 'metadata.yaml');
    expect((await read(inFolder('.'))).sentences[0]).to.match(
      /^Expected relative_file_paths in the bag's metadata, got /,
    );
  });
});
