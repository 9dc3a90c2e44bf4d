import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { writeNpy } from '../../src/core/npy.js';
import { mulberry32 } from '../../src/core/mulberry32.js';
import type { ModelManifest } from '../../src/inference/ModelManifest.js';
import { formulaCheckpoint, writeSafetensors } from '../conformance/onnx/formulaCheckpoint.js';

function vpr(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/vpr.mjs', ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('vpr model import, list and fit-hash', function () {
  this.timeout(240_000);
  let folder: string;
  let checkpoint: string;
  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-import-'));
    checkpoint = path.join(folder, 'weights.safetensors');
    writeSafetensors(checkpoint, formulaCheckpoint('mixvpr'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('imports a checkpoint whose network it tells from the keys', () => {
    const model = path.join(folder, 'model');
    const { status, stdout, stderr } = vpr('model', 'import', checkpoint, '-o', model);
    expect(status, stderr).to.equal(0);
    expect(stderr).to.match(/keys are those of mixvpr/);
    expect(stdout).to.match(/^mixvpr: .* descriptor 4096/);
    const manifest = JSON.parse(readFileSync(path.join(model, 'model.json'), 'utf8')) as ModelManifest;
    expect(manifest.golden).to.have.length(2);
    expect(manifest.input).to.include({ height: 320, width: 320, resize: 'pil-bicubic' });
    expect(vpr('model', 'verify', model).status).to.equal(0);
  });

  it('refuses a checkpoint of another network, naming the key, and writes nothing', () => {
    const model = path.join(folder, 'wrong');
    const { status, stderr } = vpr('model', 'import', checkpoint, '--arch', 'netvlad', '-o', model);
    expect(status).to.equal(1);
    expect(stderr).to.match(/encoder\.0\.weight.*CHECKPOINT_KEY_MISSING/s);
    expect(existsSync(model)).to.equal(false);
  });

  it('refuses unknown networks as wrong usage', () => {
    expect(vpr('model', 'import', checkpoint, '--arch', 'resnet9000', '-o', folder).status).to.equal(2);
  });

  it('lists the networks', () => {
    const { status, stdout } = vpr('model', 'list', '--json');
    expect(status).to.equal(0);
    const names = (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
    expect(names).to.include.members([
      'selavprpp-base-gem',
      'selavprpp-large-salad',
      'boq-dinov2',
      'mixvpr',
      'netvlad',
    ]);
  });

  it('refuses to fit a projection to too few descriptors', () => {
    const next = mulberry32(1);
    const values = Float32Array.from({ length: 10 * 3248 }, () => next() / 2 ** 32);
    const file = path.join(folder, 'few.npy');
    writeFileSync(file, writeNpy(values, [10, 3248]));
    const model = path.join(folder, 'fitted');
    const fixed = path.join(folder, 'fixed');
    expect(vpr('model', 'build-default', '-o', fixed).status).to.equal(0);
    const { status, stderr } = vpr('model', 'fit-hash', fixed, '--descriptors', file, '-o', model);
    expect(status).to.equal(1);
    expect(stderr).to.match(/at least 4096 descriptors/);
  });
});
