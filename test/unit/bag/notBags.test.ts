import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { fileWith, GOOD, inFolder, read, useFolder } from './bagFixtures.js';

describe('files that are no bags', () => {
  useFolder();
  it('refuses an empty file', async () => {
    expect((await read(fileWith(''))).sentences[0]).to.match(/^Expected a bag file, got an empty file \[/);
  });

  it('refuses a pipe, without waiting for a writer', async () => {
    expect(spawnSync('mkfifo', [inFolder('pipe')]).status).to.equal(0);
    expect((await read(inFolder('pipe'))).sentences[0]).to.match(/^Expected a bag file, got a special file \[/);
  });

  it('refuses a folder that metadata.yaml lists as a file', async () => {
    mkdirSync(inFolder('part'));
    fileWith('rosbag2_bagfile_information:\n  relative_file_paths: [part]\n', 'metadata.yaml');
    expect((await read(inFolder('.'))).sentences[0]).to.match(/^Expected a bag file, got a folder \[/);
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
      expect((await read(inFolder('.'))).sentences[0]).to.match(sentence);
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

  it('names what repairs a ROS 1 bag whose index is damaged', async () => {
    const bytes = readFileSync(`${GOOD}/ros1_none.bag`);
    const index = Number(bytes.readBigUInt64LE(bytes.indexOf('index_pos=') + 'index_pos='.length));
    // Names of fields, lengths and numbers of the first connection record.
    for (let at = index; at < index + 20; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 0xff;
      const { code, sentences } = await read(fileWith(damaged));
      expect(code).to.equal('BAG_INVALID');
      expect(sentences[0]).to.match(/^Expected a ROS 1 bag, got .*; 'rosbag reindex' repairs a damaged index \[/);
      expect(sentences[0]).not.to.include('undefined');
    }
  });
});
