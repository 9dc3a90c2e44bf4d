import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import Database from 'better-sqlite3';
import { PlaceMap } from '../../src/map/PlaceMap.js';
import {
  bagOf,
  fileWith,
  GOOD,
  IMAGE,
  imageMessage,
  inFolder,
  POSE,
  poseMessage,
  useFolder,
} from '../unit/bag/bagFixtures.js';
import { sampleMeta, sampleReferences } from '../unit/map/mapFixtures.js';
import { vpr, type VprRun } from './vpr.js';

/** "nobody" on every Linux. */
const NOBODY = 65534;

function expectRefusal({ status, stdout, stderr }: VprRun, sentence: RegExp): void {
  expect(stderr).to.match(sentence);
  expect(stderr, 'a sentence, not a stack').not.to.contain('    at ');
  expect([status, stdout]).to.deep.equal([1, '']);
}

function sampleMap(name: string, sql = ''): string {
  const file = inFolder(name);
  const map = PlaceMap.create(file, sampleMeta());
  map.beginSession('first', '');
  map.appendReferences(sampleReferences(6));
  map.close();
  const database = new Database(file);
  database.exec(sql);
  database.close();
  return file;
}

describe('vpr on bad bags', () => {
  useFolder();

  it('builds a map from what is whole of a truncated bag, says where it ends, and ends with 1', () => {
    const map = inFolder('town.vprmap');
    const { status, stdout, stderr } = vpr(['map', 'build', `${GOOD}/mcap_truncated.mcap`, map]);
    expect(stderr).to.match(
      /^skipped: Expected the file to end with a footer, got its end inside a record; read what is whole \[.*, offset \d+ of \d+\]$/m,
    );
    expect(stdout).to.match(/^\d+ references from \d+ images/);
    expect(status).to.equal(1);
    const opened = PlaceMap.open(map, 'read');
    expect(opened.size).to.be.greaterThan(3);
    opened.close();
    expect(vpr(['replay', `${GOOD}/mcap_truncated.mcap`, '--json']).status).to.equal(1);
  });

  it('refuses a bag without images and leaves no map behind', async () => {
    const bag = await bagOf([['/odom', POSE, poseMessage(1, 1, 1)]]);
    const map = inFolder('none.vprmap');
    expectRefusal(
      vpr(['map', 'build', bag, map]),
      /^vpr map build: Expected a topic of sensor_msgs\/msg\/Image or CompressedImage, got \/odom \[.*\] \(BAG_NO_IMAGES\)$/m,
    );
    expect(existsSync(map)).to.equal(false);
  });

  it('makes no map of images that are all damaged, and ends with 1', async () => {
    const bag = await bagOf([['/a', IMAGE, imageMessage({ width: 64, height: 48, dataBytes: 10 })]]);
    const map = inFolder('none.vprmap');
    expectRefusal(
      vpr(['map', 'build', bag, map]),
      /^vpr map build: Expected an image that a map can be made of, got none; wrote no map \[.*\] \(BAG_NO_IMAGES\)$/m,
    );
    expect(existsSync(map)).to.equal(false);
  });

  it('skips and counts images whose size does not fit, with a sentence each, and ends with 0', async () => {
    const good = { width: 64, height: 48, dataBytes: 64 * 48 * 3 };
    const bag = await bagOf([
      ['/a', IMAGE, imageMessage({ ...good, stampS: 1 })],
      ['/a', IMAGE, imageMessage({ ...good, stampS: 2, dataBytes: 1000 })],
      ['/a', IMAGE, imageMessage({ stampS: 3, width: 0, height: 0, dataBytes: 0 })],
      ['/a', IMAGE, imageMessage({ stampS: 4, width: 65535, height: 65535, dataBytes: 10 })],
      ['/a', IMAGE, imageMessage({ ...good, stampS: 5 })],
    ]);
    const { status, stdout, stderr } = vpr(['map', 'build', bag, inFolder('town.vprmap')]);
    expect(stderr).to.match(/^skipped: Expected 9216 bytes for 48 rows of step 192, got 1000 \[\/a, 2 s\]$/m);
    expect(stderr).to.match(/^skipped: Expected at least 1x1 pixels for an image of rgb8, got 0x0 \[\/a, 3 s\]$/m);
    expect(stderr).to.match(/^skipped: Expected at most 144000000 pixels .*, got 65535x65535 \[\/a, 4 s\]$/m);
    expect(stdout).to.match(/ from 5 images in [\d.]+ s, 3 skipped \(2 IMAGE_INVALID, 1 IMAGE_TOO_LARGE\)$/m);
    expect(status).to.equal(0);
  });

  it('says what it got where a bag was due', () => {
    mkdirSync(inFolder('part'));
    fileWith('rosbag2_bagfile_information:\n  relative_file_paths: [part]\n', 'metadata.yaml');
    for (const [bag, sentence] of [
      [fileWith('', 'empty.mcap'), /Expected a bag file, got an empty file \[.*\] \(BAG_INVALID\)/],
      [inFolder('nothing.mcap'), /Expected a bag or image folder, got nothing at that path \[.*\] \(FILE_MISSING\)/],
      [inFolder('.'), /Expected a bag file, got a folder \[.*part\] \(FILE_UNREADABLE\)/],
      ['/dev/null', /Expected a bag file, got a special file \[\/dev\/null\] \(FILE_UNREADABLE\)/],
    ] as const)
      expectRefusal(vpr(['map', 'build', bag, inFolder('none.vprmap')]), sentence);
  });
});

describe('vpr on bad maps and models', () => {
  useFolder();

  it('refuses maps that it cannot use, with a sentence each', () => {
    const bag = `${GOOD}/mcap_lz4.mcap`;
    for (const [map, sentence] of [
      [
        sampleMap('other.vprmap'),
        /Expected a map built with the model '.+' .*, got one built with 'sample-model' .*MAP_OTHER_MODEL/,
      ],
      [
        sampleMap('newer.vprmap', 'PRAGMA user_version = 9'),
        /Expected map format version \d+ at most, got 9: a newer release.*MAP_VERSION/,
      ],
      [fileWith('', 'empty.vprmap'), /Expected .*, got an empty file.*MAP_CORRUPT/],
      [inFolder('.'), /Expected a place map, got a directory.*MAP_CORRUPT/],
    ] as const)
      expectRefusal(vpr(['replay', bag, '--map', map]), sentence);
  });

  it('names what is damaged: a page of the database, a descriptor that is not a number', () => {
    const nan = sampleMap('nan.vprmap');
    const database = new Database(nan);
    const data = Buffer.alloc(64);
    data.writeFloatLE(NaN, 8);
    database.prepare('UPDATE descriptor SET data = ? WHERE reference_id = 4').run(data);
    database.close();
    const page = sampleMap('page.vprmap');
    const bytes = readFileSync(page);
    bytes.fill(0xff, 3 * 4096, 4 * 4096);
    writeFileSync(page, bytes);
    for (const [map, line] of [
      [nan, /^descriptor: Expected an unchanged descriptor of reference 4, got a wrong checksum$/m],
      [page, /^pages: Expected readable pages, got: database disk image is malformed$/m],
    ] as const) {
      const { status, stdout } = vpr(['map', 'verify', map]);
      expect(stdout).to.match(line);
      expect(status).to.equal(1);
    }
  });

  it('refuses a model whose file is missing or changed', () => {
    const model = inFolder('model');
    cpSync('models/default', model, { recursive: true });
    const onnx = path.join(model, 'model.onnx');
    const bytes = readFileSync(onnx);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(onnx, bytes);
    const build = (): VprRun =>
      vpr(['map', 'build', `${GOOD}/mcap_lz4.mcap`, inFolder('none.vprmap'), '--model', model]);
    expectRefusal(
      build(),
      /Expected sha256 [0-9a-f]{64} for model\.onnx, got [0-9a-f]{64} \[.*\] \(MODEL_FILE_CHANGED\)/,
    );
    rmSync(onnx);
    expectRefusal(build(), /Expected the model's file model\.onnx, got none \[.*\] \(FILE_MISSING\)/);
    expect(existsSync(inFolder('none.vprmap'))).to.equal(false);
  });
});

describe('vpr without permission or space', () => {
  useFolder();

  it('says that it may not read a bag, nor write a map', function () {
    const isRoot = process.getuid?.() === 0;
    const run = (...args: readonly string[]): VprRun => vpr(args, isRoot ? { asUser: NOBODY } : {});
    if (isRoot && run('--help').status !== 0) {
      console.warn('SKIPPED: permissions cannot be tested where the user nobody cannot read this checkout');
      this.skip();
    }
    chmodSync(inFolder('.'), 0o755);
    cpSync(`${GOOD}/mcap_lz4.mcap`, inFolder('secret.mcap'));
    chmodSync(inFolder('secret.mcap'), 0);
    mkdirSync(inFolder('locked'));
    chmodSync(inFolder('locked'), 0o555);
    expectRefusal(
      run('map', 'build', inFolder('secret.mcap'), inFolder('locked/town.vprmap')),
      /Expected a bag file, got no permission to read it \[.*secret\.mcap\] \(FILE_UNREADABLE\)/,
    );
    expectRefusal(
      run('map', 'build', `${GOOD}/mcap_lz4.mcap`, inFolder('locked/town.vprmap')),
      /^vpr map build: Expected a folder that can be written for the map, got a read-only one \[.*town\.vprmap\] \(FILE_NOT_WRITABLE\)$/m,
    );
    chmodSync(inFolder('locked'), 0o755);
  });

  it('says that the disk is full, and keeps what was committed', function () {
    const disk = inFolder('disk');
    mkdirSync(disk);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', disk]).status !== 0) {
      console.warn('SKIPPED: a full disk needs the right to mount a tmpfs');
      this.skip();
    }
    try {
      const map = path.join(disk, 'town.vprmap');
      const every = ['--set', 'keyframe.interval_s=0'];
      const { status, stderr } = vpr(['map', 'build', `${GOOD}/mcap_lz4.mcap`, map, ...every]);
      expect(stderr).to.match(/^vpr map build: Expected .*space.*, got .* \[.*\] \(DISK_FULL\)$/m);
      expect(status).to.equal(1);
      const opened = PlaceMap.open(map, 'read');
      expect([...opened.references()].length).to.equal(opened.size);
      opened.close();
      const packed = `${GOOD}/db3_file_zstd/db3_file_zstd.db3.zstd`;
      const environment = process.env['TMPDIR'];
      process.env['TMPDIR'] = disk;
      try {
        expectRefusal(
          vpr(['map', 'build', packed, inFolder('none.vprmap')]),
          /Expected more than \d+ bytes of free space in .*disk for the unpacked bag, got 0 \[.*\] \(DISK_FULL\)/,
        );
      } finally {
        if (environment === undefined) delete process.env['TMPDIR'];
        else process.env['TMPDIR'] = environment;
      }
    } finally {
      spawnSync('umount', [disk]);
    }
  });
});
