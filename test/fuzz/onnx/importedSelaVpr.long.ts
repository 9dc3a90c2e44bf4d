import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import type { ModelManifest } from '../../../src/inference/ModelManifest.js';
import { formulaCheckpoint, writeSafetensors } from '../../conformance/onnx/formulaCheckpoint.js';

const FRAMES = 8;
/** Of the process that imports 429 MB of weights. */
const MOST_RESIDENT_MIB = 1024;
/** Prints the peak of a process's resident memory at its end, in KiB. */
const PEAK = "process.on('exit', () => console.error('peak ' + process.resourceUsage().maxRSS));";

function vpr(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const hook = `data:text/javascript,${encodeURIComponent(PEAK)}`;
  return spawnSync(process.execPath, ['--import', hook, 'bin/vpr.mjs', ...args], { encoding: 'utf8' });
}

describe('SelaVPR++ base on formula weights, imported and driven', function () {
  this.timeout(1_200_000);
  let folder: string;
  const at = (name: string): string => path.join(folder, name);

  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-selavpr-'));
    writeSafetensors(at('weights.safetensors'), formulaCheckpoint('selavprpp-base-gem'));
    const small = ['--seed', '3', '--frames', String(FRAMES), '--width', '128', '--height', '96', '--bag'];
    for (const more of [
      ['-o', at('first')],
      ['-o', at('second'), '--drive', '1', '--left', '0'],
    ]) {
      const { status, stderr } = vpr('sample', 'render', ...small, ...more);
      expect(status, stderr).to.equal(0);
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const precision of ['fp32', 'int8'] as const)
    it(`maps a drive and localizes in it (${precision}); the map refuses the queries of another model`, () => {
      const model = at(precision);
      const weights = at('weights.safetensors');
      const options = ['--size', '112', '--precision', precision, '--antialias', 'off'];
      const imported = vpr('model', 'import', '--arch', 'selavprpp-base-gem', weights, '-o', model, ...options);
      expect(imported.status, imported.stderr).to.equal(0);
      const peakMiB = Number(/^peak (\d+)$/m.exec(imported.stderr)![1]) / 1024;
      expect(peakMiB, 'MiB at most').to.be.above(100).and.below(MOST_RESIDENT_MIB);
      const manifest = JSON.parse(readFileSync(path.join(model, 'model.json'), 'utf8')) as ModelManifest;
      expect(manifest).to.include({ architecture: 'selavprpp-base-gem', precision, descriptorDimension: 2048 });
      expect(manifest.input).to.include({ height: 112, width: 112, resize: 'bilinear' });
      expect(manifest.binarizer).to.deep.equal({ kind: 'hash' });
      expect(vpr('model', 'verify', model).status).to.equal(0);

      const use = ['--model', model, '--map', at(`${precision}.vprmap`), '--json'];
      const truth = '/ground_truth/odom';
      const built = vpr('replay', at('first'), '--mode', 'mapping', '--pose-topic', truth, ...use);
      expect(built.status, built.stderr).to.equal(0);
      expect((JSON.parse(built.stdout) as { map: { references: number } }).map.references).to.equal(FRAMES);
      const judge = ['--ground-truth-topic', truth, '--positive-distance', '8'];
      const judged = vpr('replay', at('second'), ...judge, ...use);
      expect(judged.status, judged.stderr).to.equal(0);
      const { images, evaluation } = JSON.parse(judged.stdout) as {
        images: { processed: number; skipped: number };
        evaluation: { queries: number };
      };
      expect([images.processed, images.skipped, evaluation.queries]).to.deep.equal([FRAMES, 0, FRAMES]);

      const other = vpr('replay', at('second'), '--map', at(`${precision}.vprmap`), '--json');
      expect(other.status).to.equal(1);
      expect(other.stderr).to.match(/Expected a map built with the model '.*got one built with .*MAP_OTHER_MODEL/s);
    });
});
