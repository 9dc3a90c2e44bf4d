/** A worker whose host answers by the image's name: what the client makes of it is what is tested. */
import { parentPort, workerData } from 'node:worker_threads';
import type { StampedImage } from '../../../src/core/StampedImage.js';
import { VprError } from '../../../src/core/VprError.js';
import { failureOf, type RecognizerHost, type WorkerData } from '../../../src/worker/messages.js';
import { serveRecognizer } from '../../../src/worker/serveRecognizer.js';

const { start } = workerData as WorkerData;
const port = parentPort!;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const info = { mode: start.mode, map: { path: start.mapPath ?? ':memory:' }, provider: 'cpu' };
const host = {
  info,
  async recognize(image: StampedImage): Promise<unknown> {
    if (image.name === 'slow') await sleep(50);
    if (image.name === 'refused') throw new VprError('IMAGE_INVALID', 'Expected a JPEG, got nothing [refused]');
    if (image.name === 'bug') throw new TypeError('x is not a function');
    if (image.name === 'throw') {
      setImmediate(() => {
        throw new Error('thrown outside a call');
      });
      await sleep(1000);
    }
    if (image.name === 'exit') process.exit(7);
    return {
      name: image.name,
      bytes: image.image.data.byteLength,
      first: image.image.data[0],
      parameters: start.parameters,
    };
  },
  async loadMap(path: string): Promise<unknown> {
    await sleep(30);
    info.map = { path };
    return { path };
  },
  async setParameters(): Promise<void> {},
  async close(): Promise<void> {},
} as unknown as RecognizerHost;

if (start.modelPath === 'missing')
  port.postMessage({
    kind: 'open-failed',
    failure: failureOf(new VprError('MODEL_INVALID', 'Expected a model, got none')),
  });
else if (start.modelPath === 'crash') throw new Error('died at start');
else {
  port.postMessage({ kind: 'progress', note: 'opening' });
  serveRecognizer(port, host);
}
