import { expect } from 'chai';
import type { StampedImage } from '../../../src/core/StampedImage.js';
import { VprError } from '../../../src/core/VprError.js';
import type { RecognizerStart } from '../../../src/worker/protocol.js';
import { RecognizerClient, type RecognizerClientOptions } from '../../../src/worker/RecognizerClient.js';

const START: RecognizerStart = { modelPath: 'm', mode: 'slam', executionProviders: ['cpu'], parameters: {} };

function image(name: string, data: Uint8Array = new Uint8Array([7, 8])): StampedImage {
  return { image: { kind: 'compressed', format: 'jpeg', data }, camera: 'c', frameId: '', stampNs: 1n, name };
}

async function failure(promise: Promise<unknown>): Promise<VprError> {
  return promise.then(
    () => {
      throw new Error('Expected a rejection, got an answer');
    },
    (error: unknown) => error as VprError,
  );
}

describe('RecognizerClient', () => {
  let client: RecognizerClient | undefined;
  const open = async (start: Partial<RecognizerStart> = {}, options: RecognizerClientOptions = {}) =>
    (client = await RecognizerClient.open(
      { ...START, ...start },
      { workerFile: new URL('./fakeWorker.js', import.meta.url), ...options },
    ));
  afterEach(async () => {
    await client?.close();
    client = undefined;
  });

  it('answers calls in their order', async () => {
    const recognizer = await open();
    const order: string[] = [];
    await Promise.all(['slow', 'a', 'b'].map((name) => recognizer.recognize(image(name)).then(() => order.push(name))));
    expect(order).to.deep.equal(['slow', 'a', 'b']);
  });

  it('lets images pass a map that loads, and tells of the new map', async () => {
    const recognizer = await open();
    const order: string[] = [];
    await Promise.all([
      recognizer.loadMap('/new.vprmap').then(() => order.push('map')),
      recognizer.recognize(image('a')).then(() => order.push('a')),
    ]);
    expect(order).to.deep.equal(['a', 'map']);
    expect(recognizer.info.map.path).to.equal('/new.vprmap');
  });

  it('hands large buffers over and copies small ones', async () => {
    const recognizer = await open();
    const large = new Uint8Array(1_000_000).fill(5);
    const answer = await recognizer.recognize(image('large', large));
    expect(answer).to.include({ bytes: 1_000_000, first: 5 });
    expect(large.byteLength).to.equal(0);
    const small = Buffer.from([9, 9, 9]);
    expect(await recognizer.recognize(image('small', small))).to.include({ bytes: 3, first: 9 });
    expect(small.length).to.equal(3);
  });

  it('gives a VprError of the worker back as the same VprError and goes on', async () => {
    const recognizer = await open();
    const error = await failure(recognizer.recognize(image('refused')));
    expect(error).to.be.instanceOf(VprError);
    expect([error.code, error.message]).to.deep.equal(['IMAGE_INVALID', 'Expected a JPEG, got nothing [refused]']);
    expect(await recognizer.recognize(image('a'))).to.include({ name: 'a' });
  });

  for (const kind of ['bug', 'throw', 'exit'])
    it(`starts the worker again after '${kind}', with the last map and parameters`, async () => {
      const crashes: unknown[] = [];
      const restarted = new Promise<void>((resolve) => {
        void open(
          {},
          { onCrash: (_, restarts, again) => crashes.push([restarts, again]), onRestarted: () => resolve() },
        );
      });
      while (client === undefined) await new Promise(setImmediate);
      await client.setParameters({ top_k: 3 });
      await client.loadMap('/b.vprmap');
      expect((await failure(client.recognize(image(kind)))).code).to.equal('WORKER_CRASHED');
      await restarted;
      expect(crashes).to.deep.equal([[1, true]]);
      expect(client.info.map.path).to.equal('/b.vprmap');
      expect(await client.recognize(image('a'))).to.deep.include({ name: 'a', parameters: { top_k: 3 } });
    });

  it('keeps parameters that were set while the worker died', async () => {
    const recognizer = await open();
    const dying = failure(recognizer.recognize(image('exit')));
    const setting = recognizer.setParameters({ top_k: 3 }).catch((error: unknown) => error);
    expect((await dying).code).to.equal('WORKER_CRASHED');
    await setting;
    expect(await recognizer.recognize(image('a'))).to.deep.include({ parameters: { top_k: 3 } });
  });

  it('gives up after too many crashes in a minute', async () => {
    const recognizer = await open({}, { maxRestarts: 1 });
    await failure(recognizer.recognize(image('exit')));
    await failure(recognizer.recognize(image('exit')));
    const error = await failure(recognizer.recognize(image('a')));
    expect(error.code).to.equal('WORKER_CRASHED');
  });

  it('rejects open when the worker cannot open, or dies while opening', async () => {
    expect((await failure(open({ modelPath: 'missing' }))).code).to.equal('MODEL_INVALID');
    expect((await failure(open({ modelPath: 'crash' }))).code).to.equal('WORKER_CRASHED');
  });

  it('refuses calls after close', async () => {
    const recognizer = await open();
    await recognizer.close();
    await recognizer.close();
    expect((await failure(recognizer.recognize(image('a')))).code).to.equal('WORKER_CRASHED');
  });
});
