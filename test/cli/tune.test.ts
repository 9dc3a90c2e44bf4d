import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { parseConfidenceModel } from '../../src/recognizer/ConfidenceModel.js';
import { FEATURES } from '../../src/recognizer/Evidence.js';
import { vpr } from './vpr.js';

describe('vpr tune', function () {
  this.timeout(240_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-tune-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('fits a confidence on rendered towns that the program can read, without the inputs that are left out', () => {
    const file = path.join(folder, 'calibration.json');
    const args = ['tune', '--sample-seeds', '1000-1001', '--frames', '16', '--leave-out', 'similarity'];
    const outcome = vpr([...args, '--output', file, '--json']);
    expect(outcome.status, outcome.stderr).to.equal(0);
    const model = parseConfidenceModel(readFileSync(file, 'utf8'), file);
    expect(JSON.parse(outcome.stdout)).to.deep.equal(JSON.parse(JSON.stringify(model)));
    expect(model.fittedOn).to.contain('1000').and.to.contain('1001');
    for (const kind of ['single', 'temporal'] as const) {
      const { weights, thresholds } = model[kind];
      expect(weights[FEATURES.indexOf('similarity')]).to.equal(0);
      expect(weights.some((weight) => weight !== 0)).to.equal(true);
      for (const threshold of Object.values(thresholds)) expect(threshold).to.be.within(0.5, 1);
    }
    expect(model.figures['queries']).to.be.greaterThan(150);
  });

  it('names what it needs', () => {
    const nothing = vpr(['tune']);
    expect(nothing.status).to.equal(2);
    expect(nothing.stderr).to.contain('--sample-seeds');
    expect(vpr(['tune', '--sample-seeds', '1000-1001', '--leave-out', 'colour']).status).to.equal(2);
  });
});
