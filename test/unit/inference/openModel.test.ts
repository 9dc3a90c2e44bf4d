import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import type { BinaryCode } from '../../../src/core/binaryCode.js';
import { VprError } from '../../../src/core/VprError.js';
import type { DescriptorExtractor } from '../../../src/inference/DescriptorExtractor.js';
import { whyUnavailable } from '../../../src/inference/executionProviders.js';
import { nativeLibraryFolder } from '../../../src/inference/nativeLibraries.js';
import { openModel, type OpenModel, type OpenModelOptions } from '../../../src/inference/openModel.js';
import { readModelManifest } from '../../../src/inference/readModelManifest.js';
import { selfTest, toleranceOf } from '../../../src/inference/selfTest.js';

const MODEL = 'models/default';

/** What opening a model gives, closed again; a failure as it is. */
async function outcomeOf(folder: string, options: OpenModelOptions): Promise<OpenModel | VprError> {
  try {
    const model = await openModel(folder, { threads: 1, ...options });
    await model.extractor.close();
    return model;
  } catch (error) {
    expect(error).to.be.instanceOf(VprError);
    return error as VprError;
  }
}

/** As far as the tests change it. */
interface Manifest {
  readonly name: string;
  readonly golden: { readonly descriptorHead: number[]; code: string }[];
}

describe('openModel', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-model-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('takes the first provider that is really there, and says why those before it do not run', async () => {
    const steps: string[] = [];
    const model = await outcomeOf(MODEL, {
      providers: ['npu', 'coreml', 'cpu', 'webgpu'],
      note: (text) => steps.push(text),
    });
    if (model instanceof VprError) throw model;
    expect(model.extractor.provider).to.equal('cpu');
    expect(model.providerNotes).to.deep.equal(
      ['npu', 'coreml'].map(
        (name) => `${name}: ONNX Runtime for ${process.platform} ${process.arch} has no provider '${name}'`,
      ),
    );
    expect(steps).to.deep.equal(['opening on cpu']);
  });

  it('names every provider of the list where none is left', async () => {
    const error = await outcomeOf(MODEL, { providers: ['npu', 'coreml'] });
    expect(error).to.have.property('code', 'PROVIDER_UNAVAILABLE');
    expect((error as VprError).message).to.match(
      /^Expected an execution provider that runs .+ among npu, coreml, got none: npu: ONNX Runtime .*; coreml: ONNX/,
    );
  });

  for (const [what, change, difference] of [
    ['a descriptor', (golden: Manifest['golden'][0]) => (golden.descriptorHead[3]! += 0.001), /1\.00e-3 and 0 bits/],
    [
      'a code',
      (golden: Manifest['golden'][0]) =>
        (golden.code = golden.code.replace(/^../, (byte) => (parseInt(byte, 16) ^ 0x1f).toString(16).padStart(2, '0'))),
      /and 5 bits/,
    ],
  ] as const)
    it(`refuses a provider whose answer is another than ${what} of the manifest, and names it`, async () => {
      const model = path.join(folder, 'model');
      cpSync(MODEL, model, { recursive: true });
      const file = path.join(model, 'model.json');
      const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
      change(manifest.golden[1]!);
      writeFileSync(file, JSON.stringify(manifest));
      const error = await outcomeOf(model, { providers: ['cpu'] });
      expect(error).to.have.property('code', 'MODEL_SELF_TEST_FAILED');
      expect((error as VprError).message)
        .to.match(
          /^Expected provider cpu to answer as the model's golden vector \(seed 2\) within 0\.0001 and 4 of 512 bits, got /,
        )
        .and.match(difference)
        .and.contain(`[${manifest.name}]`);
      // With another one before it, the list says both reasons.
      const listed = await outcomeOf(model, { providers: ['npu', 'cpu'] });
      expect(listed).to.have.property('code', 'MODEL_SELF_TEST_FAILED');
      expect((listed as VprError).message).to.match(/got none: npu: .*; cpu: Expected provider cpu to answer/);
    });

  it('allows lower precisions and other processors more, by stated tolerances', () => {
    const of = (precision: 'fp32' | 'fp16' | 'int8', provider: string, descriptorDimension = 1024) =>
      toleranceOf({ precision, descriptorDimension }, provider);
    expect(of('fp32', 'cpu')).to.deep.equal({ descriptor: 1e-4, bits: 4 });
    expect(of('fp32', 'cuda')).to.deep.equal({ descriptor: 1e-2, bits: 16 });
    expect(of('fp16', 'cpu')).to.deep.equal({ descriptor: 1e-2, bits: 16 });
    expect(of('int8', 'tensorrt')).to.deep.equal({ descriptor: 2e-2, bits: 26 });
    expect(of('fp32', 'cpu', 32)).to.deep.equal({ descriptor: 1e-4, bits: 4 });
    expect(of('int8', 'cpu', 4096)).to.deep.equal({ descriptor: 1e-2, bits: 26 });
  });

  it('asks as much of a wide descriptor, whose values are small, as of a narrow one', async () => {
    const dimension = 49152;
    const answer = new Float32Array(dimension).fill(1 / Math.sqrt(dimension));
    const code = new Uint8Array(64) as BinaryCode;
    // As far from the answer as its values are large, which is little beside 1.
    const descriptorHead = Array<number>(16).fill(0);
    const golden = [{ inputSeed: 1, descriptorHead, code: '0'.repeat(128) }];
    const manifest = {
      ...readModelManifest(MODEL),
      precision: 'int8',
      descriptorDimension: dimension,
      golden,
    } as const;
    expect(answer[0]).to.be.below(2e-2);
    const wide: DescriptorExtractor = {
      manifest,
      provider: 'cpu',
      extract: () => Promise.resolve({ descriptor: answer, code }),
      close: () => Promise.resolve(),
    };
    const error: unknown = await selfTest(wide).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(VprError).with.property('code', 'MODEL_SELF_TEST_FAILED');
    expect((error as VprError).message).to.match(/within 0\.0029 and 26 of 512 bits, got a difference of 4\.51e-3/);
  });
});

describe("ONNX Runtime's native library", () => {
  const library = 'libonnxruntime.so.1';
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  it('is that of LD_LIBRARY_PATH where there is one: the loader takes it, and its providers are looked for beside it', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-library-'));
    try {
      mkdirSync(path.join(folder, 'empty'));
      copyFileSync(path.join(nativeLibraryFolder(), library), path.join(folder, library));
      const script =
        "await import('onnxruntime-node');" +
        "const { whyUnavailable } = await import('./dist/src/inference/executionProviders.js');" +
        "const { nativeLibraryFolder } = await import('./dist/src/inference/nativeLibraries.js');" +
        "const { readFileSync } = await import('node:fs');" +
        `const mapped = readFileSync('/proc/self/maps', 'utf8').split('\\n').find((line) => line.endsWith('${library}'));` +
        "console.log(JSON.stringify([nativeLibraryFolder(), mapped.split(' ').at(-1), whyUnavailable('cuda')]));";
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
        encoding: 'utf8',
        env: { ...process.env, LD_LIBRARY_PATH: `${path.join(folder, 'empty')}:${folder}` },
      });
      expect(stderr).to.equal('');
      const [looked, mapped, reason] = JSON.parse(stdout) as [string, string, string];
      expect(looked).to.equal(folder);
      expect(mapped).to.equal(path.join(folder, library));
      if (process.arch === 'x64')
        expect(reason).to.equal(
          `libonnxruntime_providers_cuda.so is not in ${folder} (npm install --onnxruntime-node-install=cuda12 brings it)`,
        );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('is the package’s own elsewhere', () => {
    const before = process.env['LD_LIBRARY_PATH'];
    delete process.env['LD_LIBRARY_PATH'];
    try {
      expect(nativeLibraryFolder()).to.match(/onnxruntime-node\/bin\/napi-v6\/linux\/(x64|arm64)$/);
      expect(whyUnavailable('cpu')).to.equal(undefined);
    } finally {
      if (before !== undefined) process.env['LD_LIBRARY_PATH'] = before;
    }
  });
});
