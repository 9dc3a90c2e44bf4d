import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { mulberry32 } from '../../src/core/mulberry32.js';
import { writeNpy } from '../../src/core/npy.js';
import type { ModelManifest } from '../../src/inference/ModelManifest.js';
import type { Checkpoint, CheckpointTensor } from '../../src/onnx/checkpoint/Checkpoint.js';
import { randomWeight } from '../../src/onnx/layers/RandomWeights.js';
import { formulaCheckpoint, writeSafetensors } from '../conformance/onnx/formulaCheckpoint.js';

const FRAMES = 10;
const FIT_ROWS = 4096;

function vpr(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/vpr.mjs', ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  return { status, stdout, stderr };
}

/** The command's answer as JSON, or the failure of a test with its words. */
function json(...args: readonly string[]): Record<string, unknown> {
  const { status, stdout, stderr } = vpr(...args);
  expect(status, `${args.join(' ')}: ${stderr}`).to.equal(0);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** Conv-AP with 16 channels instead of 1024: fitting a hash to 4096 values takes minutes, to 64 a moment. */
function narrowConvAp(): Checkpoint {
  const { name, tensors, close } = formulaCheckpoint('convap');
  const narrow = new Map<string, CheckpointTensor>(tensors);
  for (const [key, shape] of [
    ['aggregator.channel_pool.weight', [16, 2048, 1, 1]],
    ['aggregator.channel_pool.bias', [16]],
  ] as const)
    narrow.set(key, { elementType: 'float32', shape, readFloats: () => randomWeight(key, shape) });
  return { name, tensors: narrow, close };
}

const NETWORKS = [
  { arch: 'cosplace', checkpoint: () => formulaCheckpoint('cosplace-resnet18'), dimension: 32 },
  { arch: 'convap', checkpoint: narrowConvAp, dimension: 64 },
] as const;

describe('float-only networks in eval and replay', function () {
  this.timeout(240_000);
  let folder: string;
  const at = (name: string): string => path.join(folder, name);

  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-float-only-'));
    const small = ['--seed', '3', '--frames', String(FRAMES), '--width', '96', '--height', '96'];
    for (const more of [
      ['-o', at('set'), '--set', '--distance', '3'],
      ['-o', at('first'), '--bag'],
      ['-o', at('second'), '--bag', '--drive', '1', '--left', '0'],
    ]) {
      const { status, stderr } = vpr('sample', 'render', ...small, ...more);
      expect(status, stderr).to.equal(0);
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const { arch, checkpoint, dimension } of NETWORKS) {
    const seeded = `${arch}-seeded`;
    const fitted = `${arch}-fitted`;

    describe(arch, () => {
      before(() => {
        const weights = at(`${arch}.safetensors`);
        writeSafetensors(weights, checkpoint());
        const imported = vpr('model', 'import', weights, '--arch', arch, '--size', '96', '-o', at(seeded));
        expect(imported.status, imported.stderr).to.equal(0);
        const next = mulberry32(5);
        const rows = Float32Array.from({ length: FIT_ROWS * dimension }, () => next() / 2 ** 31 - 1);
        writeFileSync(at('rows.npy'), writeNpy(rows, [FIT_ROWS, dimension]));
        const fit = ['model', 'fit-hash', at(seeded), '--descriptors', at('rows.npy'), '--iterations', '3'];
        const outcome = vpr(...fit, '-o', at(fitted));
        expect(outcome.status, outcome.stderr).to.equal(0);
        const [, before_, after_] = /quantization error ([\d.]+) -> ([\d.]+)/.exec(outcome.stdout)!.map(Number);
        expect(after_).to.be.below(before_!);
      });

      it('fits a projection in place of the seeded one, over the same graph', () => {
        const [first, second] = [seeded, fitted].map(
          (name) => JSON.parse(readFileSync(path.join(at(name), 'model.json'), 'utf8')) as ModelManifest,
        ) as [ModelManifest, ModelManifest];
        expect(second.binarizer.kind).to.equal('projection');
        expect(second.files[0]).to.deep.equal(first.files[0]);
        expect(second.golden.map(({ descriptorHead }) => descriptorHead)).to.deep.equal(
          first.golden.map(({ descriptorHead }) => descriptorHead),
        );
        expect(second.golden[0]!.code).not.to.equal(first.golden[0]!.code);
      });

      it('evaluates with both: the same float answers, codes of their own', () => {
        const results = [seeded, fitted].map((name) =>
          json('eval', at('set'), '--model', at(name), '--json', '--export', at(`${name}-arrays`)),
        );
        for (const result of results) expect(result).to.include({ queries: FRAMES, references: FRAMES });
        expect(results[0]!['recallExact']).to.deep.equal(results[1]!['recallExact']);
        const arrays = (file: string): Buffer[] =>
          [seeded, fitted].map((name) => readFileSync(path.join(at(`${name}-arrays`), file)));
        const [codes, otherCodes] = arrays('reference_codes.npy');
        expect(codes!.equals(otherCodes!)).to.equal(false);
        const [floats, otherFloats] = arrays('reference_descriptors.npy');
        expect(floats!.equals(otherFloats!)).to.equal(true);
        expect(floats!.length).to.be.above(FRAMES * dimension * 4);
      });

      it('maps a drive and localizes in it with both, and refuses the map of the other', () => {
        const truth = '/ground_truth/odom';
        for (const name of [seeded, fitted]) {
          const model = ['--model', at(name), '--map', at(`${name}.vprmap`), '--json'];
          const built = json('replay', at('first'), '--mode', 'mapping', '--pose-topic', truth, ...model);
          expect((built['map'] as { references: number }).references).to.equal(FRAMES);
          const judged = json(
            'replay',
            at('second'),
            '--ground-truth-topic',
            truth,
            '--positive-distance',
            '8',
            ...model,
          );
          expect(judged['images']).to.include({ processed: FRAMES, skipped: 0 });
          expect((judged['evaluation'] as { queries: number }).queries).to.equal(FRAMES);
        }
        const mixed = vpr('replay', at('second'), '--model', at(fitted), '--map', at(`${seeded}.vprmap`), '--json');
        expect(mixed.status).to.equal(1);
        expect(mixed.stderr).to.match(
          new RegExp(`built with .*${arch}-fitted.*got one built with .*MAP_OTHER_MODEL`, 's'),
        );
      });
    });
  }
});
