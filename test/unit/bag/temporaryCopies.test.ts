import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import Database from 'better-sqlite3';
import { openImageSource } from '../../../src/bag/openImageSource.js';
import { GOOD, inFolder, read, useFolder, WHOLE } from './bagFixtures.js';

const PACKED = `${GOOD}/db3_file_zstd/db3_file_zstd.db3.zstd`;

/** Opens the bag that it is given, says so, and waits. */
const READER = `
  import { openImageSource } from ${JSON.stringify(new URL('../../../src/bag/openImageSource.js', import.meta.url).href)};
  const source = await openImageSource(process.argv[1]);
  for await (const image of source) break;
  process.stdout.write('open');
  if (process.argv[2] === 'wait') setInterval(() => undefined, 1000);
`;

describe('temporary copies of bags', () => {
  useFolder();

  const temporary = (): string => {
    mkdirSync(inFolder('tmp'));
    return inFolder('tmp');
  };

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    it(`are gone after ${signal}, which ends the process as ever`, async () => {
      const TMPDIR = temporary();
      const reader = spawn(process.execPath, ['--input-type=module', '-e', READER, PACKED, 'wait'], {
        env: { ...process.env, TMPDIR },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(reader.stdout, 'data');
      expect(readdirSync(TMPDIR)).to.have.length(1);
      reader.kill(signal);
      expect(await once(reader, 'exit')).to.deep.equal([null, signal]);
      expect(readdirSync(TMPDIR)).to.deep.equal([]);
    });

  it('are gone when a process ends without closing its bag', () => {
    const TMPDIR = temporary();
    const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', READER, PACKED], {
      env: { ...process.env, TMPDIR },
      encoding: 'utf8',
    });
    expect([status, stdout]).to.deep.equal([0, 'open']);
    expect(readdirSync(TMPDIR)).to.deep.equal([]);
  });

  it('need a TMPDIR, and name it where it is missing', async () => {
    const before = process.env['TMPDIR'];
    process.env['TMPDIR'] = inFolder('none');
    try {
      const { code, sentences } = await read(PACKED);
      expect(code).to.equal('FILE_NOT_WRITABLE');
      expect(sentences[0]).to.match(/^Expected a folder in .*none \(TMPDIR\) for a copy of the bag, got ENOENT.* \[/);
    } finally {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
    }
  });

  /** A database in WAL mode, whose log was emptied when it was closed. */
  const walBag = (): string => {
    mkdirSync(inFolder('wal'));
    const file = path.join(inFolder('wal'), 'wal.db3');
    copyFileSync(`${GOOD}/db3/db3.db3`, file);
    const database = new Database(file);
    expect(database.pragma('journal_mode = WAL', { simple: true })).to.equal('wal');
    database.close();
    return file;
  };

  it('spare the folder of a database in WAL mode the files of its log', async () => {
    const file = walBag();
    const source = await openImageSource(file);
    expect(source.summary.images).to.equal(WHOLE);
    let images = 0;
    for await (const image of source) images += image.name === '' ? 0 : 1;
    expect(images).to.equal(WHOLE);
    expect(readdirSync(path.dirname(file))).to.deep.equal(['wal.db3']);
    await source.close();
    expect(readdirSync(path.dirname(file))).to.deep.equal(['wal.db3']);
  });

  it('are not made of a database whose log holds messages: those are read', async () => {
    const file = walBag();
    const writer = new Database(file);
    writer.exec(`UPDATE topics SET name = name || '/late'`);
    const source = await openImageSource(file);
    expect(source.summary.topics.every(({ name }) => name.endsWith('/late'))).to.equal(true);
    expect((await read(file)).images).to.equal(WHOLE);
    await source.close();
    writer.close();
  });

  it('of references go when the queries of an evaluation cannot be opened, or its model', () => {
    const TMPDIR = temporary();
    writeFileSync(inFolder('model'), '');
    for (const words of [
      [PACKED, inFolder('none')],
      [PACKED, PACKED, '--model', inFolder('model')],
    ]) {
      const { status } = spawnSync(process.execPath, ['bin/vpr.mjs', 'eval', ...words], {
        env: { ...process.env, TMPDIR },
      });
      expect(status).to.equal(1);
      expect(readdirSync(TMPDIR)).to.deep.equal([]);
    }
  });
});
