import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { PlaceMap } from '../../src/map/PlaceMap.js';
import { GOOD } from '../unit/bag/bagFixtures.js';
import { sampleMeta, sampleReferences } from '../unit/map/mapFixtures.js';
import { vpr } from './vpr.js';

describe('the command line', function () {
  this.timeout(120_000);
  let folder: string;
  let map: string;
  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-usage-'));
    map = path.join(folder, 'map.vprmap');
    const made = PlaceMap.create(map, sampleMeta());
    made.beginSession('first', '');
    made.appendReferences(sampleReferences(4));
    made.close();
    writeFileSync(path.join(folder, 'truth.json'), '{"positives": []}');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const refused = (args: readonly string[], status: number, sentence: RegExp | string): void => {
    const run = vpr(args);
    const where = `${args.join(' ')}: ${run.stderr}`;
    expect([run.status, run.stdout], where).to.deep.equal([status, '']);
    if (typeof sentence === 'string') expect(run.stderr).to.contain(sentence);
    else expect(run.stderr).to.match(sentence);
    expect(run.stderr, 'a sentence, not a stack').not.to.contain('    at ');
  };

  it('refuses wrong parameters as wrong usage, and those that an option says', () => {
    const bag = `${GOOD}/db3`;
    refused(['replay', bag, '--set', 'top_k=1000'], 2, /Expected .* for parameter 'top_k', got 1000/);
    refused(['map', 'build', bag, `${map}.2`, '--set', 'top_k=5.5'], 2, /for parameter 'top_k', got 5\.5/);
    refused(['tune', '--sample-seeds', '1000-1001', '--set', 'topk=5'], 2, /got 'topk' \(nearest: 'top_k'\)/);
    refused(['replay', bag, '--set', 'shortlist=5', '--set', 'top_k=6'], 2, /at most shortlist \(5\)/);
    for (const name of ['model', 'map', 'mode', 'pose_topic', 'odometry_topic'])
      refused(['replay', bag, '--set', `${name}=x`], 2, `in place of --set ${name}`);
  });

  it('refuses options that would do nothing', () => {
    const [bag, truth] = [`${GOOD}/db3`, path.join(folder, 'truth.json')];
    refused(['tune', '--data-set', folder, '--map', map], 2, 'Expected a BAG with --map');
    refused(['tune', '--data-set', folder, '--odometry-topic', '/odom'], 2, 'Expected a BAG with --odometry-topic');
    refused(['bench', 'search', '--descriptors', 'd.npy'], 2, 'Expected --codes and --queries with --descriptors');
    refused(['map', 'build', bag, `${map}.2`, '--poses', 'poses.csv'], 2, 'Expected an image folder with --poses');
    refused(['replay', bag, '--map', map, '--references', '1-2'], 2, 'with --references');
    refused(['replay', bag, '--mode', 'slam', '--queries', '1-2'], 2, 'with --queries');
    refused(['replay', bag, '--ground-truth', truth, '--ground-truth-topic', '/pose'], 2, 'Expected either');
    for (const [one, other] of [
      [
        ['--frames', '1'],
        ['--distance', '5'],
      ],
      [
        ['--frames', '1'],
        ['--ground-truth', truth],
      ],
      [
        ['--angle', '5'],
        ['--ground-truth', truth],
      ],
    ] as const)
      refused(['eval', bag, bag, ...one, ...other], 2, 'Expected one way to judge, got ');
  });

  it('tells wrong words from data that is not there', () => {
    refused(['toString'], 2, "got 'toString'");
    refused(['map', 'remove', map, '--stale'], 1, /Expected a map with match counts for --stale, .*ARGUMENT_INVALID/);
  });

  it('ends quietly where nobody takes its output, and with 1 where that cannot be written', async () => {
    const unread = spawn(process.execPath, ['bin/vpr.mjs', 'parameters'], { stdio: ['ignore', 'pipe', 'pipe'] });
    unread.stdout.destroy();
    let talk = '';
    unread.stderr.on('data', (chunk: Buffer) => (talk += chunk.toString()));
    expect(await once(unread, 'close')).to.deep.equal([0, null]);
    expect(talk).to.equal('');
    const full = openSync('/dev/full', 'w');
    const args = ['bin/vpr.mjs', 'parameters'];
    const { status, stderr } = spawnSync(process.execPath, args, { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' });
    closeSync(full);
    expect(status).to.equal(1);
    expect(stderr).to.match(/^vpr: Expected standard output that can be written, got: ENOSPC.*\n$/);
  });
});
