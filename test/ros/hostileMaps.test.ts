import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { PlaceMap } from '../../src/map/PlaceMap.js';
import { describeRos } from './describeRos.js';
import { NodeProcess } from './NodeProcess.js';
import { NodeSession } from './NodeSession.js';
import { until, type Message } from './RosPeer.js';
import { sampleDrives, type DriveMessage } from './sampleDrives.js';

const EVERY_IMAGE = { 'keyframe.interval_s': 0, 'keyframe.distance_m': 0 };

describeRos('maps of a hostile world', function () {
  this.timeout(120_000);
  let session: NodeSession;
  let images: readonly DriveMessage[];
  let folder: string;
  let mapPath: string;

  before(async () => {
    const drives = await sampleDrives();
    ({ folder, mapPath } = drives);
    images = drives.messages.compressed.filter(({ camera }) => camera === 'front');
    session = await NodeSession.begin();
  });
  afterEach(() => session.stop());
  after(() => session?.end());

  const load = (file: string): Promise<Message> => session.call('load_map', 'vpr_node/srv/LoadMap', { path: file });
  const save = (file: string): Promise<Message> => session.call('save_map', 'vpr_node/srv/SaveMap', { path: file });
  const copyOfMap = (name: string): string => {
    const file = path.join(folder, name);
    copyFileSync(mapPath, file);
    return file;
  };

  it('keeps answering when the map file is replaced on disk, and refuses maps that are none', async () => {
    const own = copyOfMap('replaced.vpr');
    await session.start({ map: own, cameras: ['front'] });
    await session.publishing(images, async () => {
      const [before] = await session.play([images[0]!]);
      const other = path.join(folder, 'other');
      writeFileSync(other, 'no map at all');
      renameSync(other, own);
      const [after] = await session.play([images[1]!]);
      expect(after!['candidates']).to.have.length((before!['candidates'] as unknown[]).length);
      const refused = await load(own);
      expect(refused['success']).to.equal(false);
      expect(refused['code']).to.match(/^MAP_|^FILE_/);
      await session.play([images[2]!]);
    });
  });

  it('refuses the map of another model with both names, and stays with its own', async () => {
    const foreign = path.join(folder, 'foreign.vpr');
    const source = PlaceMap.open(mapPath, 'read');
    const { meta } = source;
    source.close();
    PlaceMap.create(foreign, { ...meta, modelName: 'another-model', modelSha256: 'ab'.repeat(32) }).close();
    await session.start({ map: mapPath, cameras: ['front'] });
    const refused = await load(foreign);
    expect(refused).to.include({ success: false, code: 'MAP_OTHER_MODEL' });
    expect(refused['message']).to.include('another-model').and.include(meta.modelName);
    expect(refused['map']).to.include({ path: mapPath, references: 48 });
    await session.publishing(images, async () => {
      const [match] = await session.play([images[0]!]);
      expect(match!['map']).to.equal(mapPath);
    });
  });

  it('says why a map cannot be saved', async () => {
    await session.start({ mode: 'mapping', cameras: ['front'] });
    const answer = await save('/proc/nowhere/town.vpr');
    expect(answer).to.include({ success: false });
    expect(answer['code'], String(answer['message'])).to.match(/^[A-Z_]+$/);
  });

  it('leaves the target alone when the disk is full, and goes on', async function () {
    const disk = path.join(folder, 'full_disk');
    mkdirSync(disk);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=96k', 'tmpfs', disk]);
    if (mounted.status !== 0) {
      console.warn('\n*** a full disk is not tested: mounting a small tmpfs needs root ***\n');
      this.skip();
    }
    try {
      const target = path.join(disk, 'town.vpr');
      writeFileSync(target, 'the map of yesterday');
      writeFileSync(path.join(disk, 'ballast'), Buffer.alloc(64 * 1024));
      await session.start({ mode: 'mapping', cameras: ['front'], ...EVERY_IMAGE });
      await session.publishing(images, async () => {
        await session.play(images.slice(0, 6));
        const answer = await save(target);
        expect(answer['success'], String(answer['message'])).to.equal(false);
        expect(answer['code'], String(answer['message'])).to.match(/^[A-Z_]+$/);
        expect(readdirSync(disk).sort()).to.deep.equal(['ballast', 'town.vpr']);
        const [match] = await session.play([images[6]!]);
        expect(match!['added_reference_id']).to.equal(7);
      });
      const elsewhere = path.join(folder, 'elsewhere.vpr');
      expect(await save(elsewhere)).to.include({ success: true });
      expect(existsSync(elsewhere)).to.equal(true);
    } finally {
      await session.stop();
      spawnSync('umount', ['-l', disk]);
    }
  });

  it('lets go of a map that a full disk does not let it finish, says so, and opens again', async function () {
    const disk = path.join(folder, 'full_at_cleanup');
    mkdirSync(disk);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk]);
    if (mounted.status !== 0) {
      console.warn('\n*** a full disk at cleanup is not tested: mounting a small tmpfs needs root ***\n');
      this.skip();
    }
    try {
      const own = path.join(disk, 'town.vpr');
      copyFileSync(mapPath, own);
      // The matches of these images are counted in the map when it is closed.
      const eager = { acceptance_probability: 0.02, confirm_images: 1, temporal_filter: 'none' };
      await session.start({ map: own, mode: 'slam', cameras: ['front'], 'keyframe.interval_s': 1000, ...eager });
      await session.publishing(images, async () => {
        const matches = await session.play(images.slice(0, 6));
        expect(matches.some(({ accepted }) => accepted === true)).to.equal(true);
      });
      const ballast = openSync(path.join(disk, 'ballast'), 'w');
      for (const bytes of [4096, 1])
        expect(() => {
          for (;;) writeSync(ballast, Buffer.alloc(bytes));
        }).to.throw('ENOSPC');
      closeSync(ballast);
      for (const step of [4, 2]) expect(await session.change(step), session.node.log).to.equal(true);
      expect(session.node.log).to.include('(DISK_FULL)');
      rmSync(path.join(disk, 'ballast'));
      for (const step of [1, 3]) expect(await session.change(step), session.node.log).to.equal(true);
    } finally {
      await session.stop();
      spawnSync('umount', ['-l', disk]);
    }
  });

  it('refuses a second writer of one map file', async () => {
    const own = copyOfMap('shared.vpr');
    await session.start({ mode: 'mapping', map: own });
    const second = new NodeProcess({ mode: 'mapping', map: own }, { args: ['-r', '__node:=second'] });
    try {
      await until('the second to be refused', () => second.log.includes('MAP_LOCKED'), 40_000);
    } finally {
      await second.stop();
    }
  });

  it('loses nothing that was committed when it is killed while it maps', async () => {
    const own = copyOfMap('killed.vpr');
    await session.start({ mode: 'mapping', map: own, cameras: ['front'], ...EVERY_IMAGE });
    let added = 0;
    await session.publishing(images, async () => {
      const matches = await session.play(images.slice(0, 6));
      added = matches.at(-1)!['added_reference_id'] as number;
    });
    expect(added).to.be.above(48);
    await session.stop('SIGKILL');
    await session.start({ map: own, cameras: ['front'] });
    const info = await session.call('get_map_info', 'vpr_node/srv/GetMapInfo');
    expect((info['map'] as { references: number }).references).to.be.within(added - 1, added);
  });
});
