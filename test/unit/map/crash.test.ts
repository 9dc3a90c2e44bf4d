import Database from 'better-sqlite3';
import { expect } from 'chai';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { VprError } from '../../../src/core/VprError.js';
import { PlaceMap } from '../../../src/map/PlaceMap.js';
import { verifyMap } from '../../../src/map/verifyMap.js';
import { survivesKills } from './crashSuite.js';
import { sampleMeta, sampleReferences, withFolder } from './mapFixtures.js';

const CHILD = fileURLToPath(new URL('./appendUntilKilled.js', import.meta.url));

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'none';
  } catch (error) {
    return error instanceof VprError ? error.code : String(error);
  }
}

describe('a place map', () => {
  it('holds every committed reference after kill -9 at random moments', () => survivesKills(12, 1)).timeout(180_000);

  it('can be read and not written while another process appends, and written after that one was killed', async () => {
    const folder = path.join('/tmp', `vpr-two-${process.pid}`);
    mkdirSync(folder);
    try {
      const file = path.join(folder, 'map.vpr');
      const child = spawn(process.execPath, [CHILD, file], { stdio: ['ignore', 'pipe', 'inherit'] });
      await new Promise((resolve) => child.stdout.once('data', resolve));
      child.stdout.resume();
      expect(codeOf(() => PlaceMap.open(file, 'append'))).to.equal('MAP_LOCKED');
      const sizes = [0, 0, 0].map(() => {
        const reader = PlaceMap.open(file, 'read');
        let codes = 0;
        for (const block of reader.codes()) codes += block.referenceIds.length;
        expect(codes).to.be.at.least(reader.size);
        reader.close();
        return reader.size;
      });
      expect(sizes).to.deep.equal([...sizes].sort((a, b) => a - b));
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('close', resolve));
      expect(existsSync(`${file}-lock`)).to.equal(true);
      const writer = PlaceMap.open(file, 'append');
      expect(writer.size).to.be.at.least(sizes[2]!);
      writer.close();
      expect(existsSync(`${file}-lock`)).to.equal(false);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }).timeout(60_000);

  it('says that the disk is full, and keeps what was committed', function () {
    withFolder((folder) => {
      const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
      if (mount.status !== 0) {
        console.warn('SKIPPED: the disk-full test of the place map needs the right to mount a tmpfs');
        this.skip();
      }
      try {
        const file = path.join(folder, 'map.vpr');
        const map = PlaceMap.create(file, sampleMeta());
        map.beginSession('first', '');
        let committed = 0;
        const fill = (): void => {
          for (;;) {
            map.appendReferences(sampleReferences(20));
            committed += 20;
          }
        };
        expect(codeOf(fill)).to.equal('DISK_FULL');
        expect(committed).to.be.greaterThan(100);
        expect(map.size).to.equal(committed);
        const other = path.join(folder, 'other.vpr');
        expect(codeOf(() => map.saveAs(other))).to.equal('DISK_FULL');
        expect(existsSync(other)).to.equal(false);
        expect(codeOf(() => map.close())).to.be.oneOf(['none', 'DISK_FULL']);
        expect(codeOf(() => PlaceMap.create(other, sampleMeta()))).to.be.oneOf(['none', 'DISK_FULL']);
        const again = PlaceMap.open(file, 'read');
        expect(again.size).to.equal(committed);
        again.close();
        expect(verifyMap(file).problems).to.deep.equal([]);
      } finally {
        spawnSync('umount', [folder]);
      }
    });
  }).timeout(60_000);

  it('does not take the log of a killed writer into the map that replaces the old one', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'map.vpr');
      const old = PlaceMap.create(file, sampleMeta());
      old.beginSession('old', '');
      old.appendReferences(sampleReferences(5));
      old.close();
      // A writer that died: its last commit is in the log only.
      const dying = `
        const Database = require('better-sqlite3');
        const db = new Database(${JSON.stringify(file)});
        db.pragma('journal_mode = WAL');
        db.exec("UPDATE session SET name = 'from the log'");
        process.kill(process.pid, 'SIGKILL');`;
      spawnSync(process.execPath, ['-e', dying], { cwd: process.cwd() });
      expect(existsSync(`${file}-wal`)).to.equal(true);
      const fresh = PlaceMap.createTemporary(sampleMeta());
      fresh.beginSession('new', '');
      fresh.appendReferences(sampleReferences(3));
      fresh.saveAs(file);
      fresh.close();
      expect(existsSync(`${file}-wal`)).to.equal(false);
      const map = PlaceMap.open(file, 'read');
      expect(map.sessions().map(({ name }) => name)).to.deep.equal(['new']);
      expect(map.size).to.equal(3);
      map.close();
    }));

  it('refuses to write where it may not, with a sentence', function () {
    if (process.getuid?.() !== 0)
      console.warn('the read-only tests of the place map run as root on a read-only mount only');
    withFolder((folder) => {
      const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder]);
      if (mount.status !== 0) {
        console.warn('SKIPPED: the read-only test of the place map needs the right to mount a tmpfs');
        this.skip();
      }
      try {
        const file = path.join(folder, 'map.vpr');
        const crashed = path.join(folder, 'crashed.vpr');
        for (const name of [file, crashed]) {
          const map = PlaceMap.create(name, sampleMeta());
          map.beginSession('first', '');
          map.appendReferences(sampleReferences(4));
          map.close();
        }
        const wal = new Database(crashed);
        wal.pragma('journal_mode = WAL');
        wal.close();
        writeFileSync(`${crashed}-wal`, '');
        spawnSync('mount', ['-o', 'remount,ro', folder]);
        const reader = PlaceMap.open(file, 'read');
        expect(reader.size).to.equal(4);
        reader.close();
        expect(codeOf(() => PlaceMap.open(file, 'append'))).to.equal('FILE_NOT_WRITABLE');
        expect(codeOf(() => PlaceMap.create(path.join(folder, 'new.vpr'), sampleMeta()))).to.equal('FILE_NOT_WRITABLE');
        expect(codeOf(() => PlaceMap.createTemporary(sampleMeta()).saveAs(path.join(folder, 'new.vpr')))).to.equal(
          'FILE_NOT_WRITABLE',
        );
        expect(codeOf(() => PlaceMap.open(crashed, 'read'))).to.be.oneOf(['MAP_READ_ONLY', 'FILE_UNREADABLE']);
      } finally {
        spawnSync('umount', [folder]);
      }
    });
  });
});
