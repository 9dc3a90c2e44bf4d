import type { MessagePort } from 'node:worker_threads';
import type { StampedImage } from '../core/StampedImage.js';
import { VprError } from '../core/VprError.js';
import { failureOf, type RecognizerHost, type WorkerReply, type WorkerRequest } from './messages.js';
import { releaseBuffer } from './releaseBuffer.js';

/** Methods whose first argument is an image, which is this thread's alone. */
const WITH_IMAGE: ReadonlySet<string> = new Set(['recognize', 'query', 'addPlace']);
/** Methods that run beside the queue: they take long and must not hold up the images. */
const ASIDE: ReadonlySet<string> = new Set(['loadMap']);

function transferOf(value: unknown): ArrayBuffer[] {
  return value instanceof Uint8Array &&
    value.buffer instanceof ArrayBuffer &&
    value.byteLength === value.buffer.byteLength
    ? [value.buffer]
    : [];
}

/**
 * Answers the main thread's requests from a host, one at a time in their order (loadMap beside them).
 * A VprError is an answer. Any other error is a bug whose state nobody knows: it is answered, then thrown, so that the
 * worker ends and the client starts a new one.
 */
export function serveRecognizer(port: MessagePort, host: RecognizerHost): void {
  const reply = (message: WorkerReply, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
  let queue: Promise<void> = Promise.resolve();

  const answer = async ({ id, method, args }: WorkerRequest): Promise<void> => {
    try {
      const call = host[method] as (...args: unknown[]) => Promise<unknown>;
      const value = await call.apply(host, [...args]);
      const changesInfo = method === 'loadMap' || method === 'saveMap' || method === 'addPlace';
      reply({ kind: 'done', id, value, ...(changesInfo ? { info: host.info } : {}) }, transferOf(value));
    } catch (error) {
      reply({ kind: 'failed', id, failure: failureOf(error) });
      if (!(error instanceof VprError))
        setImmediate(() => {
          throw error;
        });
    } finally {
      if (WITH_IMAGE.has(method)) releaseBuffer((args[0] as StampedImage).image.data);
    }
  };

  port.on('message', (request: WorkerRequest) => {
    if (ASIDE.has(request.method)) void answer(request);
    else queue = queue.then(() => answer(request));
  });
  reply({ kind: 'opened', info: host.info });
}
