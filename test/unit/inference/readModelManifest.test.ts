import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { VprError } from '../../../src/core/VprError.js';
import {
  modelSha256,
  parseModelManifest,
  readModelManifest,
  sha256OfFile,
  verifyModelFiles,
} from '../../../src/inference/readModelManifest.js';
import { VALID_MANIFEST } from './validManifest.js';

type Manifest = typeof VALID_MANIFEST & Record<string, unknown>;

function messageFor(change: (copy: Manifest) => unknown): string {
  const copy = structuredClone(VALID_MANIFEST) as Manifest;
  change(copy);
  try {
    parseModelManifest(JSON.stringify(copy), 'model.json');
  } catch (error) {
    expect(error).to.be.instanceOf(VprError);
    expect((error as VprError).code).to.equal('MODEL_INVALID');
    return (error as VprError).message;
  }
  throw new Error('Expected an error, got none');
}

describe('readModelManifest', () => {
  it('reads a valid manifest as it is', () => {
    expect(parseModelManifest(JSON.stringify(VALID_MANIFEST), 'model.json')).to.deep.equal(VALID_MANIFEST);
  });

  const cases: readonly (readonly [string, (copy: Manifest) => unknown, string])[] = [
    ['another format version', (m) => (m.formatVersion = 3), 'Expected an integer in 1...2 for formatVersion, got 3'],
    ['no name', (m) => (m.name = ''), 'Expected a non-empty string for name, got ""'],
    ['no files', (m) => (m.files = []), 'Expected a list of at least 1 objects for files, got []'],
    [
      'a file outside the folder',
      (m) => (m.files[0]!.name = '../model.onnx'),
      'Expected a file name without a folder for files[0].name, got "../model.onnx"',
    ],
    ['a short hash', (m) => (m.files[0]!.sha256 = 'ab'), 'Expected 64 lower-case hex digits for files[0].sha256'],
    ['an absurd size', (m) => (m.input.height = 1e9), 'Expected an integer in 1...8192 for input.height'],
    ['an unknown resize rule', (m) => (m.input.resize = 'lanczos'), 'for input.resize, got "lanczos"'],
    ['a zero std', (m) => (m.input.std[1] = 0), 'Expected 3 positive numbers for input.std, got [0.2,0,0.2]'],
    ['two means', (m) => m.input.mean.pop(), 'Expected 3 numbers for input.mean, got [0.5,0.5]'],
    ['an unlisted binarizer file', (m) => (m.binarizer.file = 'other.f32'), "got 'other.f32', which is not listed"],
    [
      'a golden code of another length',
      (m) => (m.golden[0]!.code = '00'),
      'Expected 128 hex digits for golden[0].code',
    ],
    ['no provenance', (m) => delete m['provenance' as string], 'Expected an object for provenance, got nothing'],
  ];
  for (const [name, change, sentence] of cases)
    it(`refuses ${name}`, () => {
      expect(messageFor(change)).to.contain(sentence).and.to.contain('[model.json]');
    });

  it('refuses text that is no JSON', () => {
    expect(() => parseModelManifest('{', 'model.json')).to.throw(VprError, 'Expected JSON');
    expect(() => parseModelManifest('[]', 'x')).to.throw(VprError, 'Expected an object for the manifest, got []');
  });

  describe('with files', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-model-'));
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    async function failure(promise: Promise<unknown>): Promise<string> {
      return promise.then(
        () => 'no error',
        (error: unknown) => `${(error as VprError).code}: ${(error as VprError).message}`,
      );
    }

    it('tells a missing folder, a missing file, another size and another checksum apart', async () => {
      expect(() => readModelManifest(folder)).to.throw(VprError, 'Expected a model folder with model.json');
      const file = path.join(folder, 'model.onnx');
      writeFileSync(file, 'abc');
      const sha256 = await sha256OfFile(file);
      expect(sha256).to.equal('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
      const verify = (name: string, bytes: number, hash: string) =>
        failure(
          verifyModelFiles(
            folder,
            parseModelManifest(
              JSON.stringify({
                ...VALID_MANIFEST,
                binarizer: { kind: 'hash' },
                files: [{ name, bytes, sha256: hash }],
              }),
              'model.json',
            ),
          ),
        );
      expect(await verify('model.onnx', 3, sha256)).to.equal('no error');
      expect(await verify('none.onnx', 3, sha256)).to.match(/^FILE_MISSING: .*none\.onnx/);
      expect(await verify('model.onnx', 4, sha256)).to.match(/^MODEL_FILE_CHANGED: Expected 4 bytes .*, got 3/);
      expect(await verify('model.onnx', 3, 'c'.repeat(64))).to.match(
        /^MODEL_FILE_CHANGED: Expected sha256 c{64} for model\.onnx, got ba7816bf/,
      );
    });
  });

  it('gives a model one identity that changes with any file', () => {
    const other = structuredClone(VALID_MANIFEST);
    other.files[1]!.sha256 = 'c'.repeat(64);
    const identity = (value: unknown) => modelSha256(parseModelManifest(JSON.stringify(value), ''));
    expect(identity(VALID_MANIFEST)).to.match(/^[0-9a-f]{64}$/);
    expect(identity(VALID_MANIFEST)).not.to.equal(identity(other));
    expect(identity(VALID_MANIFEST)).to.equal(identity({ ...VALID_MANIFEST, name: 'renamed' }));
  });

  it('takes the preprocessing into the identity from format 2 on; models of before keep theirs', () => {
    const identity = (formatVersion: number, input: object) =>
      modelSha256(
        parseModelManifest(
          JSON.stringify({ ...VALID_MANIFEST, formatVersion, input: { ...VALID_MANIFEST.input, ...input } }),
          '',
        ),
      );
    const others = [
      { layout: 'nhwc-u8' },
      { height: 119 },
      { width: 161 },
      { resize: 'bilinear' },
      { normalize: 'before-resize' },
      { mean: [0.5, 0.5, 0.4] },
      { std: [0.2, 0.3, 0.2] },
    ];
    expect(new Set([{}, ...others].map((input) => identity(2, input)))).to.have.property('size', others.length + 1);
    expect(new Set([{}, ...others].map((input) => identity(1, input)))).to.have.property('size', 1);
    // Maps and calibrations in the field know the default model by this.
    const { modelSha256: known } = JSON.parse(readFileSync('models/default/calibration.json', 'utf8')) as {
      modelSha256: string;
    };
    expect(modelSha256(readModelManifest('models/default'))).to.equal(known);
  });
});
