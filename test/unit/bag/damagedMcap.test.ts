import { readFileSync, truncateSync } from 'node:fs';
import { compress, isLoaded } from '@foxglove/wasm-zstd';
import { expect } from 'chai';
import { RECORD_PREFIX_BYTES } from '../../../src/bag/mcapRecords.js';
import { bagOf, fileWith, GOOD, IMAGE, imageMessage, read, recordsOf, useFolder, WHOLE } from './bagFixtures.js';

const GAP =
  /^Expected a record that ends inside the file, got one that does not; left out \d+ bytes \[.*, offset \d+\]$/;

/**
 * Record kinds of mcap in a bag: opcode, name, images that a flipped byte leaves at least, the sentence that some byte
 * brings forth. What the index at the end repeats, and what holds no images, costs none.
 */
const KINDS = {
  'mcap_every_record.mcap': [
    [0x01, 'Header', WHOLE, GAP],
    [0x06, 'Chunk', 50, /^Expected a whole chunk, got lz4 data that cannot be decompressed \(.*\); skipped it \[/],
    [0x07, 'MessageIndex', WHOLE, undefined],
    [0x09, 'Attachment', WHOLE, undefined],
    [0x0c, 'Metadata', WHOLE, undefined],
    [0x0f, 'DataEnd', WHOLE, GAP],
    [0x03, 'Schema', WHOLE, undefined],
    [0x04, 'Channel', WHOLE, undefined],
    [0x0b, 'Statistics', WHOLE, undefined],
    [0x08, 'ChunkIndex', WHOLE, undefined],
    [0x0a, 'AttachmentIndex', WHOLE, undefined],
    [0x0d, 'MetadataIndex', WHOLE, undefined],
    [0x0e, 'SummaryOffset', WHOLE, undefined],
    [0x02, 'Footer', WHOLE, undefined],
  ],
  'mcap_every_record_unchunked.mcap': [
    [0x01, 'Header', WHOLE, GAP],
    [0x03, 'Schema', WHOLE, /^Expected a whole record, got a Schema record of \d+ bytes that needs \d+; skipped it \[/],
    [0x04, 'Channel', WHOLE - 1, /^Expected a whole record, got a Channel record of .*; skipped it \[/],
    [0x05, 'Message', WHOLE - 1, /^Expected 63 messages, as the summary says, got 62 \[/],
    [0x09, 'Attachment', WHOLE, GAP],
    [0x0c, 'Metadata', WHOLE, GAP],
    [0x0f, 'DataEnd', WHOLE, GAP],
    [0x0b, 'Statistics', WHOLE, undefined],
    [0x0a, 'AttachmentIndex', WHOLE, undefined],
    [0x0d, 'MetadataIndex', WHOLE, undefined],
    [0x0e, 'SummaryOffset', WHOLE, undefined],
    [0x02, 'Footer', WHOLE, undefined],
  ],
} as const;

describe('damaged mcap files', () => {
  useFolder();
  for (const [name, kinds] of Object.entries(KINDS)) {
    const bytes = readFileSync(`${GOOD}/${name}`);
    const records = recordsOf(bytes);
    it(`knows every record kind of ${name}`, () => {
      const listed = new Set<number>(kinds.map(([opcode]) => opcode));
      expect(new Set(records.map(({ opcode }) => opcode))).to.deep.equal(listed);
    });
    for (const [opcode, kind, least, sentence] of kinds)
      it(`loses no more of ${name} than a flipped byte of a ${kind} record holds`, async () => {
        const record = records.find((one) => one.opcode === opcode)!;
        const size = RECORD_PREFIX_BYTES + record.length;
        const seen: string[] = [];
        // Each byte of the prefix and of short records, every 13th of long ones.
        for (let at = 0; at < size; at += at < 100 ? 1 : 13) {
          const damaged = Buffer.from(bytes);
          damaged[record.offset + at]! ^= 0xff;
          const { images, sentences } = await read(fileWith(damaged));
          expect(images, `images with byte ${at} flipped`).to.be.at.least(least);
          if (images < WHOLE) expect(sentences, `byte ${at}`).not.to.be.empty;
          for (const one of sentences) expect(one).to.match(/^Expected .*, got .*\[.*\]$/);
          seen.push(...sentences);
        }
        if (sentence === undefined) expect(seen).to.deep.equal([]);
        else
          expect(
            seen.some((one) => sentence.test(one)),
            seen[0],
          ).to.equal(true);
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

  it('reads each chunk once where the index names one of them twice', async () => {
    const bytes = readFileSync(`${GOOD}/mcap_lz4.mcap`);
    const indexes = recordsOf(bytes).filter(({ opcode }) => opcode === 0x08);
    expect(indexes.length).to.be.greaterThan(1);
    // Offset and length of the chunk lie behind two times; without a checksum nothing says that this is damage.
    const [from, to] = [indexes[0]!, indexes[1]!].map(({ offset }) => offset + RECORD_PREFIX_BYTES + 16) as [
      number,
      number,
    ];
    bytes.copy(bytes, to, from, from + 16);
    bytes.writeUInt32LE(0, bytes.length - 8 - 4);
    expect(await read(fileWith(bytes))).to.deep.equal({ images: WHOLE, sentences: [], code: '' });
  });

  it('goes on behind a record that says it is longer than the file', async () => {
    const bytes = readFileSync(`${GOOD}/mcap_no_summary.mcap`);
    const chunk = recordsOf(bytes).filter(({ opcode }) => opcode === 6)[1]!;
    bytes.writeBigUInt64LE(2n ** 62n, chunk.offset + 1);
    const { sentences, images } = await read(fileWith(bytes));
    expect(sentences[0]).to.match(GAP);
    expect(images).to.be.greaterThan(30).and.lessThan(WHOLE);
  });

  it('reads the chunks behind a damaged one that alone defines their channels, without a summary', async () => {
    const frames = Array.from(
      { length: 12 },
      (_, i) => ['/a', IMAGE, imageMessage({ stampS: i, pixels: new Uint8Array(6).fill(i) })] as const,
    );
    const bytes = readFileSync(await bagOf(frames, { chunkSize: 200 }));
    const records = recordsOf(bytes);
    const unfinished = bytes.subarray(0, records.find(({ opcode }) => opcode === 0x0f)!.offset);
    const { offset, length } = records.find(({ opcode }) => opcode === 6)!;
    const whole = await read(fileWith(unfinished));
    expect([whole.images, whole.code]).to.deep.equal([12, 'BAG_TRUNCATED']);
    // The last pixel of the first chunk's last message.
    const damaged = Buffer.from(unfinished);
    damaged[offset + RECORD_PREFIX_BYTES + length - 1]! ^= 1;
    const { images, sentences } = await read(fileWith(damaged));
    expect(sentences[0]).to.match(/^Expected a whole chunk, got a chunk with checksum .*; skipped it \[/);
    expect(images).to.be.within(8, 11);
    // A chunk that says it is something else takes its definitions with it: that is told.
    const lost = Buffer.from(unfinished);
    lost[offset] = 0x86;
    const told: string[] = [];
    await read(fileWith(lost), { onProblem: ({ message }) => told.push(message) });
    expect(told.join()).to.match(/Expected a topic for each message, got \d+ messages without one; skipped them \[/);
  });

  it('tells of a chunk without summary whose type is another, whatever it then is', async () => {
    const bytes = readFileSync(`${GOOD}/mcap_no_summary.mcap`);
    for (const [i, { offset }] of recordsOf(bytes)
      .filter(({ opcode }) => opcode === 6)
      .entries())
      for (const bit of [0, 1, 2, 3, 4, 5, 6]) {
        const damaged = Buffer.from(bytes);
        damaged[offset]! ^= 1 << bit;
        const { images, sentences } = await read(fileWith(damaged));
        expect(images, `chunk ${i}, bit ${bit}`).to.be.lessThan(WHOLE);
        if (i > 0) expect(images, `chunk ${i}, bit ${bit}`).to.be.greaterThan(30);
        expect(sentences, `chunk ${i}, bit ${bit}`).not.to.be.empty;
      }
  });

  it('gives up looking in a file that is full of what looks like records', async () => {
    const bytes = Buffer.alloc(2_000_000);
    readFileSync(`${GOOD}/mcap_unchunked.mcap`).copy(bytes, 0, 0, 8);
    // Chunks without a name, each of half a megabyte and followed by nothing that is a record.
    for (let at = 40; at + 60 < bytes.length; at += 48) {
      bytes[at] = 6;
      bytes.writeUInt32LE(500_000, at + 1);
    }
    bytes.fill(0xff, 8, 40);
    const started = process.cpuUsage();
    const { sentences } = await read(fileWith(bytes));
    expect(sentences.join()).to.match(/got no topics/);
    expect(process.cpuUsage(started).user / 1e6).to.be.lessThan(5);
  });

  it('is soon through with zeros at the end, and with millions of records that nobody knows', async () => {
    const bytes = readFileSync(`${GOOD}/mcap_no_summary.mcap`);
    const dataEnd = recordsOf(bytes).find(({ opcode }) => opcode === 0x0f)!.offset;
    const file = fileWith(bytes.subarray(0, dataEnd), 'zeros');
    truncateSync(file, dataEnd + 100e6);
    const unknown = Buffer.alloc(9e6);
    for (let at = 0; at < unknown.length; at += RECORD_PREFIX_BYTES) unknown[at] = 0x80;
    const started = process.cpuUsage();
    expect(await read(file)).to.deep.equal({
      images: WHOLE,
      sentences: [
        `Expected the file to end with a footer, got its end inside a record; read what is whole [${file}, offset ${dataEnd} of ${dataEnd + 100e6}]`,
      ],
      code: 'BAG_TRUNCATED',
    });
    const filled = fileWith(Buffer.concat([bytes.subarray(0, dataEnd), unknown, bytes.subarray(dataEnd)]));
    expect(await read(filled)).to.deep.equal({ images: WHOLE, sentences: [], code: '' });
    // A read of the file for each of them takes a minute.
    expect(process.cpuUsage(started).user / 1e6).to.be.lessThan(8);
  });

  it('loses one broken chunk, not those after it, when threads unpack them', async () => {
    // Beyond 16 MiB, chunks are unpacked in threads.
    const frames = Array.from({ length: 24 }, (_, i) => {
      const pixels = new Uint8Array(640 * 512 * 3).fill(i);
      return ['/a', IMAGE, imageMessage({ width: 640, height: 512, stampS: i, pixels })] as const;
    });
    await isLoaded;
    const bag = await bagOf(frames, {
      chunkSize: 2_000_000,
      compressChunk: (chunk) => ({ compression: 'zstd', compressedData: compress(chunk) }),
    });
    expect(await read(bag)).to.deep.equal({ images: 24, sentences: [], code: '' });
    const bytes = readFileSync(bag);
    const chunks = recordsOf(bytes).filter(({ opcode }) => opcode === 6);
    expect(chunks.length).to.be.greaterThan(5);
    const { offset, length } = chunks[2]!;
    bytes[offset + length - 20]! ^= 0xff;
    const { sentences, images } = await read(fileWith(bytes));
    expect(sentences).to.have.length(1);
    expect(sentences[0]).to.match(/^Expected a whole chunk, got .*; skipped it \[/);
    expect(images).to.be.within(20, 23);
  });
});
