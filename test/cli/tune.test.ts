import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { PlaceMap } from '../../src/map/PlaceMap.js';
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
    const rule = ['--frames', '40', '--positive-distance', '3', '--leave-out', 'similarity'];
    const outcome = vpr(['tune', '--sample-seeds', '1000-1001', ...rule, '--output', file, '--json']);
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

  it('stores nothing that was fitted without right answers, or by poses in another frame', () => {
    const drive = path.join(folder, 'drive');
    const map = path.join(folder, 'drive.vprmap');
    const size = ['--width', '160', '--height', '120'];
    const rendered = vpr(['sample', 'render', '--bag', '--seed', '7', '--frames', '16', ...size, '-o', drive]);
    expect(rendered.status, rendered.stderr).to.equal(0);
    const built = vpr(['map', 'build', drive, map, '--pose-topic', '/ground_truth/odom']);
    expect(built.status, built.stderr).to.equal(0);
    const args = ['tune', drive, '--map', map, '--ground-truth-topic'];
    // The whole drive is within a kilometre: no answer is wrong.
    const wrong = vpr([...args, '/ground_truth/odom', '--positive-distance', '1000']);
    expect(wrong.status).to.equal(1);
    expect(wrong.stderr).to.match(
      /Expected at least 20 right and 20 wrong answers .* got \d+ and 0:.*CALIBRATION_INVALID/,
    );
    const drifting = vpr([...args, '/odom']);
    expect(drifting.status).to.equal(1);
    expect(drifting.stderr).to.match(/Expected true poses in the map's frame 'map', got 'odom' .*POSES_INVALID/);
    const opened = PlaceMap.open(map, 'read');
    expect(opened.meta).not.to.have.property('calibration');
    opened.close();
  });

  it('names what it needs', () => {
    const nothing = vpr(['tune']);
    expect(nothing.status).to.equal(2);
    expect(nothing.stderr).to.contain('--sample-seeds');
    expect(vpr(['tune', '--sample-seeds', '1000-1001', '--leave-out', 'colour']).status).to.equal(2);
  });
});
