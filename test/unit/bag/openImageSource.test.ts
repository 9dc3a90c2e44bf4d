import path from 'node:path';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { expect } from 'chai';
import { openImageSource } from '../../../src/bag/openImageSource.js';
import type { ImageSourceOptions } from '../../../src/bag/ImageSource.js';
import type { StampedImage } from '../../../src/core/StampedImage.js';
import { distanceBetween } from '../../../src/core/pose.js';
import { VprError } from '../../../src/core/VprError.js';

const DATA = process.env['VPR_DATA'] ?? '../shared/data';

async function readAll(file: string, options: ImageSourceOptions = {}): Promise<StampedImage[]> {
  const source = await openImageSource(file, options);
  const images: StampedImage[] = [];
  try {
    for await (const image of source) images.push(image);
  } finally {
    await source.close();
  }
  return images;
}

async function failure(action: Promise<unknown>): Promise<VprError> {
  try {
    await action;
  } catch (error) {
    expect(error).to.be.instanceOf(VprError);
    return error as VprError;
  }
  throw new Error('Expected a VprError, got success');
}

describe('openImageSource on real bags', () => {
  before(function () {
    if (existsSync(path.join(DATA, 'bags'))) return;
    console.warn(`SKIPPED: no real bags at ${DATA} (VPR_DATA)`);
    this.skip();
  });

  it('reads an mcap folder and its bare file alike', async () => {
    const folder = await readAll(path.join(DATA, 'bags/rtabmap_indoor_loop_mcap'));
    const file = await readAll(path.join(DATA, 'bags/rtabmap_indoor_loop_mcap/rtabmap_indoor_loop_mcap.mcap'));
    expect(folder).to.have.length(84);
    expect(folder[83]!.stampNs).to.equal(1_700_000_083_000_000_000n);
    expect(folder[0]!.camera).to.equal('camera');
    expect(file).to.deep.equal(folder);
  });

  it('reads two cameras from sqlite3, or one of them', async () => {
    const bag = path.join(DATA, 'bags/euroc_micro_jpeg_sqlite');
    expect(await readAll(bag)).to.have.length(190);
    const images = await readAll(bag, { cameras: ['cam1'], limit: 50 });
    expect(images.map(({ camera }) => camera)).to.deep.equal(Array(50).fill('cam1'));
  });

  it('reads the poses of a bag without images, and says that it has none', async () => {
    const source = await openImageSource(path.join(DATA, 'bags/evo_nav2_turtlebot.mcap'));
    expect(source.summary.poseTopics).to.deep.equal(['/amcl_pose', '/odom', '/tf']);
    const track = await source.readPoses('/odom');
    expect(track.poses).to.have.length(2639);
    expect([track.frameId, track.childFrameId]).to.deep.equal(['odom', 'base_link']);
    const error = await failure(source[Symbol.asyncIterator]().next());
    expect(error.code).to.equal('BAG_NO_IMAGES');
    await source.close();
  });
});

describe('openImageSource on folders', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'vpr-images-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('delivers images in name order with a second between them', async () => {
    for (const name of ['b.PNG', 'a.jpg', 'notes.txt']) await writeFile(path.join(folder, name), name);
    const images = await readAll(folder);
    expect(images.map(({ name, stampNs }) => [name, stampNs])).to.deep.equal([
      ['a.jpg', 0n],
      ['b.PNG', 1_000_000_000n],
    ]);
    expect(Buffer.from(images[1]!.image.data).toString()).to.equal('b.PNG');
  });

  it('takes poses and stamps from poses.csv', async () => {
    for (const name of ['a.jpg', 'b.jpg']) await writeFile(path.join(folder, name), name);
    await writeFile(path.join(folder, 'poses.csv'), '# drive 1\nname,x,y,yaw,stamp_s\nb.jpg,1.5,-2,0,7.25\n');
    const [a, b] = await readAll(folder);
    expect(a!.pose).to.equal(undefined);
    expect(b!.pose).to.deep.equal({ position: [1.5, -2, 0], orientation: [0, 0, 0, 1] });
    expect(b!.stampNs).to.equal(7_250_000_000n);
  });

  it('looks for a named CSV where the caller stands, whatever its name', async () => {
    await writeFile(path.join(folder, 'a.jpg'), 'a');
    await writeFile(path.join(folder, 'poses.csv'), 'name,x,y\na.jpg,1,2\n');
    const error = await failure(openImageSource(folder, { poseFile: 'poses.csv' }));
    expect([error.code, error.message.includes(folder)]).to.deep.equal(['FILE_MISSING', false]);
  });

  it('counts pictures that cannot be read in the positions of the others', async () => {
    for (const name of ['a.jpg', 'c.jpg']) await writeFile(path.join(folder, name), name);
    await mkdir(path.join(folder, 'b.jpg'));
    const source = await openImageSource(folder);
    for (const pass of [1, 2]) {
      const positions: number[] = [];
      for await (const { position } of source) positions.push(position);
      expect(positions, `pass ${pass}`).to.deep.equal([0, 2]);
      expect([source.pictures.met, ...source.pictures.unreadable.values()]).to.deep.equal([3, 1]);
    }
  });

  it('takes poses from UTM names', async () => {
    const name = '@0584000.50@4477000.25@17@T@40.4@-80.0@pano@@90@@@@201308@@.jpg';
    await writeFile(path.join(folder, name), 'x');
    const [image] = await readAll(folder);
    expect(image!.pose!.position).to.deep.equal([584000.5, 4477000.25, 0]);
    expect(image!.pose!.orientation[2]).to.be.closeTo(0, 1e-12);
  });

  it('keeps the poses of a drive across the equator together', async () => {
    for (const name of ['a.jpg', 'b.jpg']) await writeFile(path.join(folder, name), name);
    const rows = 'name,latitude,longitude\na.jpg,-0.00001,32.5\nb.jpg,0.00001,32.5\n';
    await writeFile(path.join(folder, 'poses.csv'), rows);
    const [a, b] = await readAll(folder);
    expect(distanceBetween(a!.pose!, b!.pose!)).to.be.closeTo(2.21, 0.01);
  });

  for (const [what, csv, sentence] of [
    ['a column that nobody knows', 'name,x,y,colour\n', /Expected columns out of name, .*got 'colour' .*line 1/],
    ['no position', 'name,x\n', /Expected columns name and x, y or latitude, longitude/],
    ['a missing field', 'name,x,y\na.jpg,1\n', /Expected 3 fields, got 2 \('a.jpg,1'\) .*line 2/],
    ['a word for a number', 'name,x,y\na.jpg,1,two\n', /Expected a number for y, got 'two'/],
    ['an infinite number', 'name,x,y\na.jpg,1,Infinity\n', /Expected a number for y, got 'Infinity'/],
    ['an image twice', 'name,x,y\na.jpg,1,2\na.jpg,1,2\n', /Expected one row for each image/],
    [
      'a latitude and no longitude',
      'name,x,y,latitude\n',
      /Expected columns latitude and longitude together, .*line 1/,
    ],
    ['an x that has no y', 'name,x,latitude,longitude\na.jpg,1,2,3\n', /Expected columns x and y together, .*line 1/],
    ['qz without qw', 'name,x,y,qz\na.jpg,1,2,1\n', /Expected columns qz and qw together, .*line 1/],
    ['a stamp without end', 'name,x,y,stamp_s\na.jpg,1,2,1e300\n', /64 bits of nanoseconds, got '1e300' .*line 2/],
    [
      'a stamp beyond 64 bits',
      'name,x,y,stamp_ns\na.jpg,1,2,9999999999999999999\n',
      /64 bits of nanoseconds, got '9999999999999999999' .*line 2/,
    ],
    ['no image of the folder', 'name,x,y\nz.jpg,1,2\n', /got none for any of them/],
    ['nothing', '', /Expected a header line, got an empty file/],
  ] as const)
    it(`refuses a CSV with ${what}`, async () => {
      await writeFile(path.join(folder, 'a.jpg'), 'a');
      await writeFile(path.join(folder, 'poses.csv'), csv);
      const error = await failure(openImageSource(folder));
      expect(error.code).to.equal('POSES_INVALID');
      expect(error.message).to.match(sentence);
    });

  it('refuses a folder without images', async () => {
    expect((await failure(openImageSource(folder))).code).to.equal('FOLDER_INVALID');
  });

  it('refuses a path that is not there', async () => {
    expect((await failure(openImageSource(path.join(folder, 'none')))).code).to.equal('FILE_MISSING');
  });

  it('refuses a file that is no bag', async () => {
    const file = path.join(folder, 'bag.mcap');
    await writeFile(file, 'not a bag at all');
    const error = await failure(openImageSource(file));
    expect(error.code).to.equal('BAG_INVALID');
    expect(error.message).to.match(/got bytes that start with 6e6f742061206261/);
  });
});
