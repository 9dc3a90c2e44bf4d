import Database from 'better-sqlite3';
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PlaceMap } from '../../src/map/PlaceMap.js';
import { sampleMeta, sampleReferences, withFolder } from '../unit/map/mapFixtures.js';

const VPR = path.resolve('bin/vpr.mjs');

function vpr(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [VPR, ...args], { encoding: 'utf8' });
}

function withMap(use: (file: string, folder: string) => void): void {
  withFolder((folder) => {
    const file = path.join(folder, 'map.vpr');
    const map = PlaceMap.create(file, sampleMeta());
    map.beginSession('first', 'a test');
    map.appendReferences(sampleReferences(10));
    map.recordMatches([3], 5n);
    map.close();
    use(file, folder);
  });
}

/** Sets one reference's descriptor to zeros, as a damaged disk might. */
function damage(file: string, referenceId: number): void {
  const database = new Database(file);
  database.prepare('UPDATE descriptor SET data = zeroblob(64) WHERE reference_id = ?').run(referenceId);
  database.close();
}

describe('vpr map', () => {
  it('info says what a map holds', () =>
    withMap((file) => {
      const text = vpr('map', 'info', file, '--places');
      expect(text.status).to.equal(0);
      expect(text.stdout).to.match(/^references\s+10 in 5 places, 8 with pose$/m);
      expect(text.stdout).to.match(/^session 1\s+first: 10 references from a test$/m);
      const json = JSON.parse(vpr('map', 'info', file, '--json', '--stale').stdout) as {
        references: number;
        staleReferences: { referenceId: number }[];
      };
      expect(json).to.include({ references: 10, places: 5, sessions: 1, modelName: 'sample-model', storage: 'f32' });
      expect(json.staleReferences.map(({ referenceId }) => referenceId)).to.deep.equal([1, 2, 4, 5, 6, 7, 8, 9, 10]);
    }));

  it('verify ends with 0 for a whole map and with 1 and the reference for a damaged one', () =>
    withMap((file) => {
      const whole = vpr('map', 'verify', file);
      expect([whole.status, whole.stdout]).to.deep.equal([0, '10 of 10 references are whole, 0 problems\n']);
      damage(file, 4);
      const damaged = vpr('map', 'verify', file);
      expect(damaged.status).to.equal(1);
      expect(damaged.stdout).to.match(/unchanged descriptor of reference 4, got a wrong checksum/);
      expect((JSON.parse(vpr('map', 'verify', file, '--json').stdout) as { whole: number }).whole).to.equal(9);
    }));

  it('changes the map behind a link, and not while it is being written', () =>
    withMap((file, folder) => {
      const link = path.join(folder, 'current.vpr');
      symlinkSync(file, link);
      const writer = PlaceMap.open(file, 'append');
      const locked = vpr('map', 'remove', link, '--reference', '3');
      writer.close();
      expect([locked.status, locked.stderr]).to.satisfy(
        ([status, text]: [number, string]) => status === 1 && text.includes('MAP_LOCKED'),
      );
      const removed = vpr('map', 'remove', link, '--reference', '3');
      expect(removed.status, removed.stderr).to.equal(0);
      expect(lstatSync(link).isSymbolicLink()).to.equal(true);
      const map = PlaceMap.open(file, 'read');
      expect(map.size).to.equal(9);
      map.close();
    }));

  it('export writes a folder that NumPy and people can read', () =>
    withMap((file, folder) => {
      const out = path.join(folder, 'out');
      const result = vpr('map', 'export', file, out);
      expect([result.status, result.stderr]).to.deep.equal([0, '']);
      expect(readdirSync(out).sort()).to.deep.equal([
        'codes.npy',
        'descriptors.npy',
        'map.json',
        'references.csv',
        'thumbnails',
      ]);
      const references = sampleReferences(10);
      const descriptors = readFileSync(path.join(out, 'descriptors.npy'));
      expect(descriptors.subarray(10, 127).toString('latin1').trimEnd()).to.equal(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (10, 16), }",
      );
      expect(
        descriptors.subarray(128).equals(Buffer.concat(references.map((r) => Buffer.from(r.descriptor.buffer)))),
      ).to.equal(true);
      const codes = readFileSync(path.join(out, 'codes.npy'));
      expect(codes.subarray(128).equals(Buffer.concat(references.map((r) => r.code)))).to.equal(true);
      const lines = readFileSync(path.join(out, 'references.csv'), 'utf8').trimEnd().split('\n');
      expect(lines).to.have.length(11);
      expect(lines[2]).to.equal(
        `2,1,1,rear,${references[1]!.label},1700000000623456789,0.5,${2 - 1 / 3},0,0,0,${Math.sin(0.005)},${Math.cos(0.005)},thumbnails/2.jpg`,
      );
      expect(lines[5]).to.match(/,,,,,,,thumbnails\/5.jpg$/);
      expect(
        readFileSync(path.join(out, 'thumbnails', '2.jpg')).equals(Buffer.from(references[1]!.thumbnail!)),
      ).to.equal(true);
      const again = vpr('map', 'export', file, out);
      expect(again.status).to.equal(1);
      expect(again.stderr).to.match(/got one that has references.csv/);
      const inFile = vpr('map', 'export', file, path.join(file, 'out'));
      expect([inFile.status, inFile.stderr]).to.satisfy(
        ([status, text]: [number, string]) => status === 1 && /^vpr map export: .*FILE_NOT_WRITABLE\)\n$/.test(text),
      );
    }));

  it('export --map keeps what is whole of a damaged map', () =>
    withMap((file, folder) => {
      damage(file, 4);
      const target = path.join(folder, 'whole.vpr');
      const result = vpr('map', 'export', file, '--map', target);
      expect(result.status).to.equal(1);
      expect(result.stdout).to.match(/^9 references written to .*whole.vpr, 1 damaged ones left out$/m);
      expect(vpr('map', 'verify', target).status).to.equal(0);
      const map = PlaceMap.open(target, 'read');
      expect([...map.referenceIds]).to.deep.equal([1, 2, 3, 5, 6, 7, 8, 9, 10]);
      map.close();
    }));

  it('export keeps what is whole of a map whose meta is damaged', () =>
    withMap((file, folder) => {
      const database = new Database(file);
      database.exec("UPDATE meta SET value = '9' || value");
      database.close();
      const target = path.join(folder, 'salvaged.vpr');
      const unnamed = vpr('map', 'export', file, '--map', target);
      expect([unnamed.status, unnamed.stdout]).to.deep.equal([1, '']);
      expect(unnamed.stderr).to.match(
        /Expected the model of the map to be named for a new map, got .* \(MAP_CORRUPT\)/,
      );
      const out = path.join(folder, 'out');
      const exported = vpr('map', 'export', file, out);
      expect(exported.stdout).to.match(/^10 references written to .*, 0 damaged ones left out$/m);
      const json = JSON.parse(readFileSync(path.join(out, 'map.json'), 'utf8')) as Record<string, unknown>;
      expect(json).to.deep.include({ descriptorDimension: 16, storage: 'f32', lost: ['modelName', 'modelSha256'] });
      const named = vpr('map', 'export', file, '--map', target, '--model', 'models/default');
      expect(named.stdout).to.match(/^10 references written/);
      expect(vpr('map', 'verify', target).status).to.equal(0);
    }));

  it('remove takes references out of the map and keeps the old one', () =>
    withMap((file) => {
      const result = vpr('map', 'remove', file, '--reference', '2,9-10', '--region', '0,2,0.1', '--json');
      expect(JSON.parse(result.stdout)).to.deep.equal({ path: file, removed: 4, references: 6, places: 3 });
      expect(existsSync(`${file}.previous`)).to.equal(true);
      expect(vpr('map', 'diff', `${file}.previous`, file).stdout).to.match(/^4 only in the first: 1, 2, 9, 10$/m);
      expect(vpr('map', 'remove', file, '--region', '1,2').status).to.equal(2);
      expect(vpr('map', 'remove', file).status).to.equal(2);
    }));

  it('merge, replace-region and migrate write maps that verify', () =>
    withMap((file, folder) => {
      const [merged, again, small] = ['merged.vpr', 'again.vpr', 'small.vpr'].map((name) =>
        path.join(folder, name),
      ) as [string, string, string];
      const result = vpr('map', 'merge', file, file, '-o', merged, '--associate', 'appearance', '--deviations', '1');
      expect(result.stdout).to.match(/^20 references in 5 places \(10 \+ 10\); 5 places joined/);
      const limited = vpr(
        'map',
        'merge',
        file,
        file,
        '-o',
        again,
        '--distance',
        '0.1',
        '--max-per-place',
        '1',
        '--json',
      );
      expect(JSON.parse(limited.stdout)).to.deep.include({ references: 5, overLimit: 15 });
      expect(vpr('map', 'merge', file, file, '-o', again).stderr).to.match(/got one that exists .*MAP_EXISTS/);
      const replaced = vpr('map', 'replace-region', file, merged, '--region', '0,2,1', '--output', `${file}.2`);
      expect(replaced.stdout).to.match(/^4 references of the region taken from .*, 8 outside of it stay/);
      expect(vpr('map', 'migrate', file, '--storage', 'int8', '-o', small).status).to.equal(0);
      for (const written of [merged, again, `${file}.2`, small])
        expect(vpr('map', 'verify', written).status).to.equal(0);
      const diff = vpr('map', 'diff', file, small);
      expect([diff.status, diff.stdout.split('\n')[0]]).to.deep.equal([1, "storage: 'f32' -> 'int8'"]);
      expect(vpr('map', 'diff', file, file).status).to.equal(0);
    })).timeout(120_000);

  it('says in one sentence what is wrong with the file, and ends with 1', () =>
    withFolder((folder) => {
      const text = path.join(folder, 'text.vpr');
      writeFileSync(text, 'no map at all, but long enough');
      for (const [file, sentence] of [
        [
          path.join(folder, 'none.vpr'),
          /^vpr map info: Expected a place map, got no such file \[.*\] \(MAP_MISSING\)\n$/,
        ],
        [folder, /got a directory \[.*\] \(MAP_CORRUPT\)/],
        [text, /got another kind of file/],
      ] as const) {
        const result = vpr('map', 'info', file);
        expect([result.status, result.stdout]).to.deep.equal([1, '']);
        expect(result.stderr).to.match(sentence);
      }
      expect(existsSync(path.join(folder, 'none.vpr'))).to.equal(false);
      expect(vpr('map', 'export', text).status).to.equal(2);
      expect(vpr('map', 'info').status).to.equal(2);
    }));
});
