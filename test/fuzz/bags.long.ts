import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { decodeLz4Frame } from '../../src/bag/decodeLz4Frame.js';
import { OPCODE, parseChunk, RECORD_PREFIX_BYTES } from '../../src/bag/mcapRecords.js';
import { openImageSource } from '../../src/bag/openImageSource.js';
import { parsePoseCsv } from '../../src/bag/parsePoseCsv.js';
import { UnpackThreads } from '../../src/bag/UnpackThreads.js';
import { parseZstdFrame } from '../../src/bag/zstdFrame.js';
import { VprError } from '../../src/core/VprError.js';
import { recordsOf } from '../unit/bag/bagFixtures.js';
import { expectSafe } from './expectSafe.js';

const BAGS = [
  'mcap_zstd.mcap',
  'mcap_lz4.mcap',
  'mcap_uncompressed.mcap',
  'mcap_unchunked.mcap',
  'mcap_every_record.mcap',
  'mcap_every_record_unchunked.mcap',
  'mcap_no_summary.mcap',
  'mcap_truncated.mcap',
  'ros1_lz4.bag',
  'ros1_bz2.bag',
  'ros1_none.bag',
  'db3_message_zstd/db3_message_zstd.db3',
  'db3_file_zstd/db3_file_zstd.db3.zstd',
];
const CSV = 'name,stamp_s,x,y,z,qx,qy,qz,qw\n"a, b.jpg",1.5,1,2,3,0,0,0,1\nb.jpg,2.5,-1e3,2,3,0,0,0.5,0.5\n# end\n';

describe('fuzzing bags', function () {
  this.timeout(3_600_000);
  let folder = '';
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'vpr-fuzz-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('reads or refuses 15,000 mutated bags', async () => {
    const samples = BAGS.map((name) => readFileSync(`test/data/bag/${name}`));
    const file = path.join(folder, 'bag');
    let images = 0;
    const refused = await expectSafe(samples, 15_000, async (bytes) => {
      writeFileSync(file, bytes);
      const source = await openImageSource(file);
      try {
        for await (const image of source) images += image.image.data.length > 0 ? 1 : 0;
        for (const topic of source.summary.poseTopics) await source.readPoses(topic);
        for (const problem of source.problems.first) expect(problem).to.be.instanceOf(VprError);
      } finally {
        await source.close();
      }
    });
    expect(refused).to.be.greaterThan(50);
    expect(images).to.be.greaterThan(1000);
  });

  it('decodes or refuses 10,000 mutated LZ4 frames', async () => {
    const { frames } = JSON.parse(readFileSync('test/data/lz4/frames.json', 'utf8')) as {
      frames: { size: number; frame: string }[];
    };
    const samples = frames.map(({ frame }) => Buffer.from(frame, 'base64'));
    let decoded = 0;
    const refused = await expectSafe(samples, 10_000, (bytes, sample) => {
      try {
        decodeLz4Frame(bytes, frames[sample]!.size);
        decoded++;
      } catch (error) {
        if (error instanceof RangeError) throw new VprError('BAG_INVALID', error.message);
        throw error;
      }
    });
    expect(refused).to.be.greaterThan(1000);
    expect(decoded).to.be.greaterThan(100);
  });

  it('unpacks or refuses 5,000 mutated chunks in threads', async () => {
    const samples = ['mcap_zstd.mcap', 'mcap_lz4.mcap', 'mcap_uncompressed.mcap'].flatMap((name) => {
      const bytes = readFileSync(`test/data/bag/${name}`);
      const { offset, length } = recordsOf(bytes).find(({ opcode }) => opcode === OPCODE.chunk)!;
      const chunk = bytes.subarray(offset + RECORD_PREFIX_BYTES, offset + RECORD_PREFIX_BYTES + length);
      // Without the checksum that finds nearly every change.
      const unchecked = Uint8Array.from(chunk).fill(0, 24, 28);
      return [chunk, unchecked];
    });
    const threads = UnpackThreads.shared();
    let unpacked = 0;
    const refused = await expectSafe(samples, 5_000, async (bytes) => {
      try {
        const chunk = parseChunk(bytes);
        const isCompressed = chunk.compression !== '';
        const records = await threads.unpack(chunk);
        if (isCompressed) expect(records).to.have.length(chunk.uncompressedSize);
        unpacked++;
      } catch (error) {
        // As the reader of a file, which adds the place.
        if (!(error instanceof RangeError)) throw error;
        throw new VprError('BAG_INVALID', error.message);
      }
    });
    expect(refused).to.be.greaterThan(500);
    expect(unpacked).to.be.greaterThan(100);
  });

  it('reads or refuses 5,000 mutated metadata files', async () => {
    const samples = [
      readFileSync('test/data/bag/mcap_split/metadata.yaml'),
      readFileSync('test/data/bag/db3/metadata.yaml'),
    ];
    writeFileSync(path.join(folder, 'mcap_split_0.mcap'), readFileSync('test/data/bag/mcap_split/mcap_split_0.mcap'));
    await expectSafe(samples, 5_000, async (bytes) => {
      writeFileSync(path.join(folder, 'metadata.yaml'), bytes);
      await (await openImageSource(folder)).close();
    });
  });

  it('reads or refuses 10,000 mutated CSV files and zstd headers', async () => {
    const samples = [Buffer.from(CSV), Buffer.from('name,latitude,longitude\na.jpg,48.1,11.5\n')];
    const refused = await expectSafe(samples, 10_000, (bytes) => {
      parseZstdFrame(bytes);
      parsePoseCsv(Buffer.from(bytes).toString(), 'poses.csv');
    });
    expect(refused).to.be.greaterThan(500);
  });
});
