import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { uniformNumbers } from '../../src/core/mulberry32.js';
import { popcount32, wordsOf } from '../../src/hamming/scalarHamming.js';
import { PlaceMap } from '../../src/map/PlaceMap.js';

const DIMENSION = 64;
const REFERENCES = 4200;

describe('vpr map refit', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'vpr-refit-'));
  after(() => rmSync(folder, { recursive: true }));
  const vpr = (...args: string[]) => spawnSync(process.execPath, ['bin/vpr.mjs', ...args], { encoding: 'utf8' });

  it('recodes every reference by a projection that the new map keeps, and leaves the old map alone', () => {
    const file = path.join(folder, 'old.vprmap');
    const map = PlaceMap.create(file, {
      modelName: 'm',
      modelSha256: 'a'.repeat(64),
      descriptorDimension: DIMENSION,
      storage: 'f16',
      mapFrame: 'map',
      poseKind: 'mapFromBase',
      childFrame: '',
      binarizer: { kind: 'model' },
    });
    map.beginSession('s', '');
    const random = uniformNumbers(3);
    map.appendReferences(
      Array.from({ length: REFERENCES }, (_, i) => {
        const raw = Float32Array.from({ length: DIMENSION }, () => 0.5 + random());
        const length = Math.hypot(...raw);
        const descriptor = raw.map((value) => value / length);
        return { placeId: i + 1, label: '', camera: 'c', stampNs: BigInt(i), descriptor, code: new Uint8Array(64) };
      }),
    );
    map.close();
    const output = path.join(folder, 'new.vprmap');
    const run = vpr('map', 'refit', file, '--output', output, '--iterations', '2', '--json');
    expect(run.status, run.stderr).to.equal(0);
    expect(JSON.parse(run.stdout)).to.include({ references: REFERENCES, fittedOn: REFERENCES });
    const refitted = PlaceMap.open(output, 'read');
    try {
      expect(refitted.meta.binarizer.kind).to.equal('projection');
      const [block] = refitted.codes();
      const [first, second] = [block!.codes.subarray(0, 64), block!.codes.subarray(64, 128)];
      const other = wordsOf(second);
      const distance = wordsOf(first).reduce((sum, word, i) => sum + popcount32(word ^ other[i]!), 0);
      expect(distance).to.be.within(128, 384);
    } finally {
      refitted.close();
    }
    const old = PlaceMap.open(file, 'read');
    expect(old.meta.binarizer.kind).to.equal('model');
    old.close();
  });

  it('says how many references a fit needs', () => {
    const run = vpr('map', 'refit', path.join(folder, 'none.vprmap'));
    expect(run.status).to.equal(1);
    expect(run.stderr).to.match(/none\.vprmap/);
  });
});
