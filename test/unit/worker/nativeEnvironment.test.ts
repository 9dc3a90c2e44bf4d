import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { RecognizerClient } from '../../../src/worker/RecognizerClient.js';

const WORKER = new URL('./environmentWorker.js', import.meta.url);

function tensorrtNames(): string[] {
  return Object.keys(process.env).filter((name) => name.startsWith('ORT_TENSORRT_'));
}

/** What native code of the worker would read, with these providers asked for. */
async function environmentOf(
  modelPath: string,
  executionProviders: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<Record<string, string>> {
  const client = await RecognizerClient.open(
    {
      modelPath,
      mode: 'localization',
      executionProviders,
      parameters: { 'tensorrt.fp16': true, 'tensorrt.workspace_mb': 512, 'tensorrt.cache_dir': '/engines', ...more },
    },
    { workerFile: WORKER },
  );
  try {
    return (client.info as unknown as { environment: Record<string, string> }).environment;
  } finally {
    await client.close();
  }
}

describe('the native environment', () => {
  let model: string;
  beforeEach(() => {
    model = mkdtempSync(path.join(os.tmpdir(), 'vpr-environment-'));
    writeFileSync(path.join(model, 'model.json'), '{}');
  });
  afterEach(() => {
    rmSync(model, { recursive: true, force: true });
    for (const name of tensorrtNames()) delete process.env[name];
  });

  it("holds TensorRT's settings before the worker starts; the worker's own are a copy that native code never sees", async () => {
    const environment = await environmentOf(model, ['tensorrt', 'cpu']);
    const { ORT_TENSORRT_CACHE_PATH: cache, ...rest } = environment;
    expect(rest).to.deep.equal({
      ORT_TENSORRT_FP16_ENABLE: '1',
      ORT_TENSORRT_INT8_ENABLE: '0',
      ORT_TENSORRT_MAX_WORKSPACE_SIZE: String(512 * 2 ** 20),
      ORT_TENSORRT_ENGINE_CACHE_ENABLE: '1',
      ORT_TENSORRT_TIMING_CACHE_ENABLE: '1',
    });
    expect(cache).to.match(/^\/engines\/[0-9a-f]{16}-fp16$/);
  });

  it('follows the parameters when the node is configured again, and leaves alone what the user set', async () => {
    process.env['ORT_TENSORRT_INT8_ENABLE'] = '1';
    const names = ['ORT_TENSORRT_FP16_ENABLE', 'ORT_TENSORRT_INT8_ENABLE'] as const;
    for (const fp16 of [true, false]) {
      const environment = await environmentOf(model, ['tensorrt'], { 'tensorrt.fp16': fp16, 'tensorrt.int8': false });
      expect(names.map((name) => environment[name])).to.deep.equal([fp16 ? '1' : '0', '1']);
      expect(environment['ORT_TENSORRT_CACHE_PATH']).to.match(fp16 ? /-fp16$/ : /\/[0-9a-f]{16}$/);
    }
  });

  it('is inherited by child processes, as the environment of a process is', async () => {
    await environmentOf(model, ['tensorrt']);
    const { stdout } = spawnSync('sh', ['-c', 'echo $ORT_TENSORRT_FP16_ENABLE'], { encoding: 'utf8' });
    expect(stdout).to.equal('1\n');
  });

  it('names another engine folder for another model', async () => {
    const first = (await environmentOf(model, ['tensorrt']))['ORT_TENSORRT_CACHE_PATH'];
    delete process.env['ORT_TENSORRT_CACHE_PATH'];
    writeFileSync(path.join(model, 'model.json'), '{ }');
    expect((await environmentOf(model, ['tensorrt']))['ORT_TENSORRT_CACHE_PATH']).not.to.equal(first);
  });

  it('keeps what the user set', async () => {
    process.env['ORT_TENSORRT_FP16_ENABLE'] = '0';
    expect((await environmentOf(model, ['tensorrt']))['ORT_TENSORRT_FP16_ENABLE']).to.equal('0');
  });

  it('is left alone where TensorRT is not asked for', async () => {
    expect(await environmentOf(model, ['cuda', 'cpu'])).to.deep.equal({});
  });

  it('has a folder for the engines where TensorRT is installed, with the folders above it', async function () {
    if (process.platform !== 'linux') this.skip();
    // What missingLibrary looks for, and no more: nothing is loaded from here.
    const libraries = path.join(model, 'libraries');
    mkdirSync(libraries);
    for (const name of ['libonnxruntime.so.1', 'libonnxruntime_providers_tensorrt.so'])
      writeFileSync(path.join(libraries, name), '');
    const before = process.env['LD_LIBRARY_PATH'];
    const open = async (cache: string): Promise<string[]> => {
      delete process.env['ORT_TENSORRT_CACHE_PATH'];
      const notes: string[] = [];
      const parameters = { 'tensorrt.cache_dir': cache };
      const start = { modelPath: model, mode: 'localization', executionProviders: ['tensorrt'], parameters } as const;
      const client = await RecognizerClient.open(start, {
        workerFile: WORKER,
        onProgress: (note) => notes.push(note),
      });
      await client.close();
      return notes;
    };
    try {
      const cache = path.join(model, 'cache', 'deep');
      await open(cache);
      expect(existsSync(cache), 'where TensorRT is not installed').to.equal(false);
      process.env['LD_LIBRARY_PATH'] = libraries;
      expect(await open(cache)).to.deep.equal([]);
      expect(existsSync(process.env['ORT_TENSORRT_CACHE_PATH']!)).to.equal(true);
      expect(process.env['ORT_TENSORRT_CACHE_PATH']).to.match(/cache\/deep\/[0-9a-f]{16}-fp16$/);
      const [problem] = await open(path.join(model, 'model.json'));
      expect(problem).to.match(/^Expected a folder for TensorRT's engines that can be made .*, got: E(NOTDIR|EXIST)/);
    } finally {
      if (before === undefined) delete process.env['LD_LIBRARY_PATH'];
      else process.env['LD_LIBRARY_PATH'] = before;
    }
  });
});
