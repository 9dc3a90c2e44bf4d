import { expect } from 'chai';
import type { McapChunk } from '../../../src/bag/mcapRecords.js';
import { UnpackThreads } from '../../../src/bag/UnpackThreads.js';

/** A thread that ends when it is asked. */
const MORTAL = "import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => process.exit());";

describe('UnpackThreads', () => {
  const chunkOf = (compression: string, value: number): McapChunk => ({
    records: new Uint8Array(100_000).fill(value),
    compression,
    uncompressedSize: 100_000,
    uncompressedCrc: 0,
  });

  it('keeps the threads of a process for the next file', () => {
    expect(UnpackThreads.shared()).to.equal(UnpackThreads.shared());
  });

  it('answers each question of several readers, and goes on after a broken chunk', async () => {
    const threads = UnpackThreads.shared();
    const ask = (compression: string, value: number): Promise<number | string> =>
      threads.unpack(chunkOf(compression, value)).then(
        (records) => records[99_999]!,
        (error: Error) => `${error.name}: ${error.message}`,
      );
    const answers = await Promise.all([ask('', 1), ask('none', 2), ask('', 3), ask('lz4', 4), ask('', 5)]);
    expect(answers).to.deep.equal([
      1,
      "RangeError: a chunk compressed with 'none'",
      3,
      'RangeError: lz4 data that cannot be decompressed (magic number 4040404)',
      5,
    ]);
  });

  it('loses what a thread has that ends, and unpacks the rest without it', async () => {
    const threads = new UnpackThreads(new URL('data:text/javascript,' + encodeURIComponent(MORTAL)));
    const first = await threads.unpack(chunkOf('', 1)).catch((error: Error) => error);
    expect(first).to.be.instanceOf(Error).with.property('message', 'the end of its thread');
    for (const value of [2, 3]) expect((await threads.unpack(chunkOf('', value)))[0]).to.equal(value);
  });
});
