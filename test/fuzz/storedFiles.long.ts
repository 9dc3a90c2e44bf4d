import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { parseGroundTruth } from '../../src/evaluation/groundTruth.js';
import { parseModelManifest } from '../../src/inference/readModelManifest.js';
import { PlaceMap } from '../../src/map/PlaceMap.js';
import { verifyMap } from '../../src/map/verifyMap.js';
import { VALID_MANIFEST } from '../unit/inference/validManifest.js';
import { sampleMeta, sampleReference } from '../unit/map/mapFixtures.js';
import { expectSafe } from './expectSafe.js';

describe('fuzzing maps, manifests and ground truths', function () {
  this.timeout(1_800_000);
  let folder = '';
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'vpr-fuzz-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('opens and verifies or refuses 3,000 mutated maps', async () => {
    const file = path.join(folder, 'sample.vprmap');
    const map = PlaceMap.create(file, sampleMeta());
    map.beginSession('one', 'sample');
    map.appendReferences(Array.from({ length: 12 }, (_, i) => sampleReference(i)));
    map.close();
    let found = 0;
    const refused = await expectSafe([readFileSync(file)], 3_000, (bytes) => {
      writeFileSync(file, bytes);
      if (verifyMap(file).problems.length > 0) found++;
      PlaceMap.open(file, 'read').close();
    });
    expect(refused).to.be.greaterThan(100);
    expect(found).to.be.greaterThan(100);
  });

  it('reads or refuses 10,000 mutated model manifests', async () => {
    const refused = await expectSafe([Buffer.from(JSON.stringify(VALID_MANIFEST))], 10_000, (bytes) =>
      parseModelManifest(Buffer.from(bytes).toString(), 'model.json'),
    );
    expect(refused).to.be.greaterThan(1000);
  });

  it('reads or refuses 10,000 mutated ground truths', async () => {
    const refused = await expectSafe([Buffer.from('{"positives": [[0, 1], [], [2, 5]]}')], 10_000, (bytes) =>
      parseGroundTruth(Buffer.from(bytes).toString(), 3, 6, 'ground_truth.json'),
    );
    expect(refused).to.be.greaterThan(1000);
  });
});
