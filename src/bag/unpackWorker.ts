import { parentPort } from 'node:worker_threads';
import { messageOf } from '../core/VprError.js';
import type { McapChunk } from './mcapRecords.js';
import { unpackChunk } from './unpackChunk.js';
import type { UnpackAnswer } from './UnpackThreads.js';

/** A thread that unpacks the chunks that it is sent, one at a time in their order; ended by its owner. */
const port = parentPort!;

async function answer(chunk: McapChunk): Promise<UnpackAnswer> {
  try {
    const records = await unpackChunk(chunk);
    // Small buffers are parts of a pool, which cannot be given away.
    return { records: records.byteLength === records.buffer.byteLength ? records : new Uint8Array(records) };
  } catch (error) {
    return { sentence: messageOf(error) };
  }
}

let last: Promise<unknown> = Promise.resolve();
port.on('message', (chunk: McapChunk) => {
  last = last.then(async () => {
    const result = await answer(chunk);
    port.postMessage(result, 'records' in result ? [result.records.buffer as ArrayBuffer] : []);
  });
});
