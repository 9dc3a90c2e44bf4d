import { expect } from 'chai';
import { availableParallelism } from 'node:os';
import { CODE_BYTES } from '../../../src/core/binaryCode.js';
import { createCodeIndex } from '../../../src/search/createCodeIndex.js';
import type { KernelCodeIndex } from '../../../src/search/KernelCodeIndex.js';
import { MAX_THREADS } from '../../../src/search/scanMemory.js';
import { codeIndexSuite } from './codeIndexSuite.js';
import { clusteredCodes, differenceFromOracle } from './codeMaps.js';
import { uniformNumbers } from '../../../src/core/mulberry32.js';
import { randomBytes } from './randomRows.js';

codeIndexSuite('two threads', () => createCodeIndex('bit-sliced', 2), 5);

describe('ScanThreads', () => {
  for (const [threads, k] of [
    [2, 100],
    [4, 100],
    [3, 1000],
  ] as const)
    it(`${threads} threads on shared memory answer as the oracle does, k = ${k}, also over several ranges and queries`, async () => {
      const random = uniformNumbers(threads);
      const n = 30_000;
      const codes = threads === 2 ? randomBytes(n * CODE_BYTES, random) : clusteredCodes(n, random);
      const index = createCodeIndex('bit-sliced-ordered', threads) as KernelCodeIndex;
      index.append(codes, n);
      await index.startThreads();
      index.useThreadsFrom(0);
      const queries = randomBytes(3 * CODE_BYTES, random);
      let joined = 0;
      for (let round = 0; round < 20; round++) {
        const ranges = [
          [100, 9000 + round],
          [9100, n],
        ] as const;
        expect(differenceFromOracle(index, codes, queries, k, ranges)).to.equal(undefined);
        joined += index.threadsOfLastScan - 1;
      }
      // Or the test would have seen one thread alone.
      expect(joined).to.be.above(0);
      await index.close();
    });

  it('does not wait for threads that are suspended within a chunk: their chunks are scanned again', async function () {
    // Many more threads than cores: the scheduler suspends some of them at any point.
    const threads = Math.min(MAX_THREADS, 12 * availableParallelism());
    if (threads < 2 * availableParallelism()) {
      console.warn(`SKIPPED: ${threads} scan threads are too few to be suspended on ${availableParallelism()} cores`);
      return this.skip();
    }
    const random = uniformNumbers(31);
    const [n, added] = [50_000, 100];
    const codes = clusteredCodes(100_000, random);
    const index = createCodeIndex('bit-sliced-ordered', threads) as KernelCodeIndex;
    index.append(codes.subarray(0, n * CODE_BYTES), n);
    await index.startThreads();
    index.useThreadsFrom(0);
    const until = performance.now() + 20_000;
    // The map grows between queries, under the hands of threads that may still be at an old one.
    for (
      let length = n;
      length < 1.06 * n || (index.rescuedChunks < 3 && performance.now() < until && length < 99_000);
      length += added
    ) {
      expect(
        differenceFromOracle(index, codes.subarray(0, length * CODE_BYTES), randomBytes(CODE_BYTES, random), 100, [
          [0, length],
        ]),
        `${length} codes`,
      ).to.equal(undefined);
      index.append(codes.subarray(length * CODE_BYTES, (length + added) * CODE_BYTES), added);
    }
    const { rescuedChunks } = index;
    await index.close();
    // The answers were right either way; what happens to a suspended thread's chunk was not seen.
    if (rescuedChunks === 0) {
      console.warn('SKIPPED: the scheduler suspended no scan thread within a chunk in 20 s');
      this.skip();
    }
  });
});
