import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { parseGroundTruth } from '../../src/evaluation/groundTruth.js';
import { parseModelManifest } from '../../src/inference/readModelManifest.js';
import { PlaceMap } from '../../src/map/PlaceMap.js';
import { verifyMap } from '../../src/map/verifyMap.js';
import { sampleMeta, sampleReference } from '../unit/map/mapFixtures.js';
import { expectSafe } from './expectSafe.js';

const MANIFEST = {
  formatVersion: 1,
  name: 'sample',
  architecture: 'filters',
  files: [{ name: 'model.onnx', bytes: 3, sha256: 'a'.repeat(64) }],
  input: {
    name: 'image',
    layout: 'nchw-f32',
    height: 120,
    width: 160,
    resize: 'bilinear-aa',
    normalize: 'after-resize',
    mean: [0.5, 0.5, 0.5],
    std: [0.2, 0.2, 0.2],
  },
  descriptorDimension: 64,
  binarizer: { kind: 'hash' },
  precision: 'fp32',
  licence: 'Apache-2.0',
  provenance: {},
  golden: [{ inputSeed: 1, descriptorHead: [0.1, 0.2], code: '0'.repeat(128) }],
};

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
    const refused = await expectSafe([Buffer.from(JSON.stringify(MANIFEST))], 10_000, (bytes) =>
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
