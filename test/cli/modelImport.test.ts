import { spawnSync } from 'node:child_process';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
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

  it('lists every network with its figures, its source and what its paper reports, marked as such', () => {
    const { status, stdout } = vpr('model', 'list', '--json');
    expect(status).to.equal(0);
    const rows = JSON.parse(stdout) as Record<string, unknown>[];
    const names = rows.map(({ name }) => name as string);
    expect(names).to.have.members([
      ...['base', 'large'].flatMap((size) => ['gem', 'boq', 'salad'].map((head) => `selavprpp-${size}-${head}`)),
      ...['boq-dinov2', 'boq-resnet50', 'salad', 'salad-cm', 'emvp-base', 'emvp-large', 'cricavpr', 'mixvpr', 'convap'],
      ...['gem', 'cosplace', 'eigenplaces', 'sfrs', 'netvlad', 'anyloc'],
    ]);
    for (const row of rows) {
      const where = String(row['name']);
      for (const key of ['summary', 'paper', 'licence'])
        expect(row[key], `${where} ${key}`).to.be.a('string').and.not.equal('');
      expect(row['source'], where).to.match(/^https:\/\/github\.com\//);
      expect(row['dimensions'], where).to.be.an('array').and.not.have.length(0);
      for (const key of ['parameters', 'multiplyAdds']) expect(row[key], `${where} ${key}`).to.be.above(1e6);
    }
    const text = vpr('model', 'list').stdout;
    for (const name of names) expect(text).to.match(new RegExp(`^${name}$`, 'm'));
    expect(text).to.match(
      /^mixvpr\n.*\n  descriptor 4096 \| 512 \| 128, no hash branch; input 320 x 320, pil-bicubic\n  10\.9 M parameters, 8\.4 G multiply-adds\n  R@1 as published, not measured here: Pitts30k-test 91\.5, .* \(Table II .*\)\n  Ali-bey .*; code: MIT\n  weights: https:/m,
    );
    expect(text.match(/^  R@1(: none reported| as published, not measured here: )/gm)).to.have.length(names.length);
  });

  it('refuses a size to which the weights do not fit, in words of the command line', () => {
    const { status, stderr } = vpr('model', 'import', checkpoint, '--size', '224', '-o', path.join(folder, 'other'));
    expect(status).to.equal(1);
    expect(stderr).to.match(
      /Expected an input of 320 x 320, to which .* are bound, got 224 x 224 \(ARGUMENT_INVALID\)$/m,
    );
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

describe('options of vpr model import', function () {
  this.timeout(120_000);
  let folder: string;
  let checkpoint: string;
  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-import-'));
    checkpoint = path.join(folder, 'weights.safetensors');
    writeSafetensors(checkpoint, formulaCheckpoint('cosplace-resnet18'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** The manifest of what an import with these options writes, and what the command said. */
  function imported(...options: readonly string[]): { readonly manifest: ModelManifest; readonly stderr: string } {
    const model = path.join(folder, 'model');
    const { status, stderr } = vpr('model', 'import', checkpoint, '-o', model, '--size', '64', ...options);
    expect(status, stderr).to.equal(0);
    expect(vpr('model', 'verify', model).status).to.equal(0);
    return { manifest: JSON.parse(readFileSync(path.join(model, 'model.json'), 'utf8')) as ModelManifest, stderr };
  }

  it('names the other network that has the same keys, and takes --arch', () => {
    const { manifest, stderr } = imported();
    expect(stderr).to.match(/^The keys are those of cosplace, and also of eigenplaces: --arch chooses$/m);
    expect(manifest).to.include({
      name: 'cosplace',
      architecture: 'cosplace',
      precision: 'fp32',
      descriptorDimension: 32,
    });
    expect(manifest.input).to.include({ layout: 'nchw-f32', height: 64, width: 64, resize: 'bilinear-aa' });
    const chosen = imported('--arch', 'eigenplaces', '--name', 'mine');
    expect(chosen.stderr).not.to.match(/keys are those/);
    expect(chosen.manifest).to.include({ name: 'mine', architecture: 'eigenplaces' });
  });

  it('--antialias, --preprocess-inside and --attention are in the manifest and the graph', () => {
    const { manifest } = imported(
      '--arch',
      'cosplace',
      '--antialias',
      'off',
      '--preprocess-inside',
      '--attention',
      'plain',
    );
    expect(manifest.input).to.include({ layout: 'nhwc-u8', height: 64, resize: 'bilinear', normalize: 'after-resize' });
  });

  it('gives a network with another resize rule another identity, so that no map of the one opens with the other', () => {
    const identities = ['on', 'off'].map((antialias) => {
      imported('--arch', 'cosplace', '--antialias', antialias);
      const { stdout } = vpr('model', 'info', path.join(folder, 'model'), '--json');
      return JSON.parse(stdout) as { readonly sha256: string; readonly files: readonly unknown[] };
    });
    expect(identities[0]!.files).to.deep.equal(identities[1]!.files);
    expect(identities[0]!.sha256).not.to.equal(identities[1]!.sha256);
  });

  it('--precision fp16 computes in half precision, and answers nearly the same', () => {
    const heads = [[], ['--precision', 'fp16']].map((more) => {
      const { manifest } = imported('--arch', 'cosplace', ...more);
      expect(manifest).to.include({ name: `cosplace${more.length > 0 ? '-fp16' : ''}`, precision: more[1] ?? 'fp32' });
      return manifest.golden[0]!.descriptorHead;
    });
    const worst = Math.max(...heads[0]!.map((value, i) => Math.abs(value - heads[1]![i]!)));
    expect(worst).to.be.above(0).and.below(1e-2);
  });

  it('refuses what the network does not have, as wrong usage', () => {
    const model = path.join(folder, 'none');
    for (const [options, sentence] of [
      [
        ['--arch', 'cosplace', '--precision', 'int8'],
        /Expected fp32 or fp16 for cosplace, which has no layers that int8 quantizes/,
      ],
      [['--arch', 'cosplace', '--precision', 'fp8'], /--precision/],
      [['--arch', 'cosplace', '--size', '20'], /Expected a whole number in 32\.\.\.4096 for --size, got '20'/],
      [['--arch', 'cosplace', '--size', '64.5'], /got '64\.5'/],
      [
        ['--arch', 'salad', '--antialias', 'off'],
        /Expected no --antialias for salad, whose resize rule is pil-bilinear/,
      ],
      [
        ['--arch', 'boq-resnet50', '--preprocess-inside'],
        /Expected no --preprocess-inside for boq-resnet50, whose resize rule is bicubic-aa/,
      ],
    ] as const) {
      const { status, stderr } = vpr('model', 'import', checkpoint, '-o', model, ...options);
      expect([status, stderr]).to.satisfy(() => status === 2 && sentence.test(stderr), stderr);
      expect(existsSync(path.join(model, 'model.json'))).to.equal(false);
    }
  });

  it('replaces a model whole: who has the old files open keeps them, and what a killed import left goes', () => {
    imported('--arch', 'cosplace');
    const model = path.join(folder, 'model');
    const graph = path.join(model, 'model.onnx');
    const before = readFileSync(graph);
    const open = openSync(graph, 'r');
    try {
      const { pid } = spawnSync(process.execPath, ['--version']);
      mkdirSync(path.join(model, `.new-${pid}`));
      writeFileSync(path.join(model, `.new-${pid}`, 'model.onnx'), 'half a');
      mkdirSync(path.join(model, `.new-${process.pid}`));
      imported('--arch', 'cosplace', '--precision', 'fp16');
      expect(readFileSync(graph).equals(before)).to.equal(false);
      expect(readFileSync(open).equals(before)).to.equal(true);
      // Ours runs: it may be at work there.
      expect(readdirSync(model)).to.have.members(['model.json', 'model.onnx', `.new-${process.pid}`]);
    } finally {
      closeSync(open);
      rmSync(path.join(model, `.new-${process.pid}`), { recursive: true });
    }
  });

  it('leaves the old model as it was, and no new folder, where the checkpoint is broken', () => {
    imported('--arch', 'cosplace');
    const broken = path.join(folder, 'broken.safetensors');
    const { tensors, ...checkpoint } = formulaCheckpoint('cosplace-resnet18');
    const [key, tensor] = [...tensors].find(([, { shape }]) => shape.length === 4)!;
    const readFloats = () => tensor.readFloats().fill(Number.NaN);
    writeSafetensors(broken, { ...checkpoint, tensors: new Map([...tensors, [key, { ...tensor, readFloats }]]) });
    for (const name of ['model', 'unborn']) {
      const model = path.join(folder, name);
      const { status, stderr } = vpr('model', 'import', broken, '--arch', 'cosplace', '--size', '64', '-o', model);
      expect([status, stderr]).to.satisfy(
        () => status === 1 && /Expected finite weights, got NaN/.test(stderr),
        stderr,
      );
    }
    expect(vpr('model', 'verify', path.join(folder, 'model')).status).to.equal(0);
    expect(readdirSync(path.join(folder, 'model'))).to.have.members(['model.json', 'model.onnx']);
    expect(existsSync(path.join(folder, 'unborn'))).to.equal(false);
  });

  it('refuses a name that no model may have, and folders and files that are not what they should be', () => {
    const [file, model] = [path.join(folder, 'file'), path.join(folder, 'named')];
    writeFileSync(file, '');
    const locked = path.join(folder, 'locked');
    mkdirSync(path.join(locked, 'model.json'), { recursive: true });
    for (const [words, sentence] of [
      [[checkpoint, '-o', model, '--name', ''], /Expected a non-empty string for name, got "" .*\(MODEL_INVALID\)/],
      [[folder, '-o', model], /Expected a checkpoint file, got a folder or a device \[.*\(FILE_UNREADABLE\)/],
      [[checkpoint, '--vocabulary', folder, '-o', model], /Expected a checkpoint file, got a folder/],
      [[checkpoint, '-o', file], /Expected a folder for the model .* EEXIST.*\[.*file\] \(FILE_NOT_WRITABLE\)/],
      [[checkpoint, '-o', path.join(file, 'below')], /Expected a folder for the model .* ENOTDIR.*FILE_NOT_WRITABLE/],
      [[checkpoint, '-o', locked], /Expected a regular file or none, got .*model\.json\] \(FILE_NOT_WRITABLE\)/],
    ] as const) {
      const { status, stderr } = vpr('model', 'import', '--arch', 'cosplace', '--size', '64', ...words);
      expect([status, stderr]).to.satisfy(() => status === 1 && sentence.test(stderr), stderr);
    }
    expect(existsSync(model)).to.equal(false);
    expect(readdirSync(locked)).to.deep.equal(['model.json']);
  });
});

describe('vpr model fit-hash', function () {
  this.timeout(120_000);
  const [ROWS, DIMENSION] = [4096, 32];
  let folder: string;
  const at = (name: string): string => path.join(folder, name);
  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-fit-hash-'));
    writeSafetensors(at('weights.safetensors'), formulaCheckpoint('cosplace-resnet18'));
    const words = ['--arch', 'cosplace', '--size', '64', '-o', at('model')];
    expect(vpr('model', 'import', at('weights.safetensors'), ...words).status).to.equal(0);
    const next = mulberry32(5);
    const rows = Float32Array.from({ length: ROWS * DIMENSION }, () => next() / 2 ** 31 - 1);
    writeFileSync(at('rows.npy'), writeNpy(rows, [ROWS, DIMENSION]));
    rows[700 * DIMENSION + 3] = Number.NaN;
    writeFileSync(at('wrong.npy'), writeNpy(rows, [ROWS, DIMENSION]));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function refused(model: string, rows: string, output: string): { readonly status: number; readonly words: string } {
    const { status, stderr } = vpr('model', 'fit-hash', model, '--descriptors', rows, '-o', output);
    return { status: status!, words: stderr };
  }

  it('gives a damaged model no new checksums, and one that answers otherwise no new golden vectors', () => {
    for (const [name, change, sentence] of [
      [
        'damaged',
        (model: string) => {
          const bytes = readFileSync(path.join(model, 'model.onnx'));
          bytes[bytes.length >> 1]! ^= 1;
          writeFileSync(path.join(model, 'model.onnx'), bytes);
        },
        /Expected sha256 .* for model\.onnx, .*\(MODEL_FILE_CHANGED\)/,
      ],
      [
        'other',
        (model: string) => {
          const file = path.join(model, 'model.json');
          const manifest = JSON.parse(readFileSync(file, 'utf8')) as { golden: { code: string }[] };
          manifest.golden[0]!.code = '0'.repeat(128);
          writeFileSync(file, JSON.stringify(manifest));
        },
        /golden vector .*\(MODEL_SELF_TEST_FAILED\)/,
      ],
    ] as const) {
      cpSync(at('model'), at(name), { recursive: true });
      change(at(name));
      const { status, words } = refused(at(name), at('rows.npy'), at('fitted'));
      expect([status, words]).to.satisfy(() => status === 1 && sentence.test(words), words);
      expect(existsSync(at('fitted'))).to.equal(false);
    }
  });

  it('refuses to write over its own model, by whatever name', () => {
    symlinkSync(at('model'), at('link'));
    for (const output of [at('model'), `${at('model')}/.`, at('link')])
      expect(refused(at('model'), at('rows.npy'), output)).to.deep.include({ status: 2 });
    expect(vpr('model', 'verify', at('model')).status).to.equal(0);
  });

  it('names the file and the row of a descriptor that is not finite, and what is no file', () => {
    const { status, words } = refused(at('model'), at('wrong.npy'), at('fitted'));
    expect(status).to.equal(1);
    expect(words).to.match(/Expected finite descriptors, got NaN in row 700 \[.*wrong\.npy\] \(ARGUMENT_INVALID\)/);
    expect(refused(at('model'), folder, at('fitted')).words).to.match(
      /Expected a \.npy file, got a folder .*FILE_MISSING/,
    );
    expect(existsSync(at('fitted'))).to.equal(false);
  });
});
