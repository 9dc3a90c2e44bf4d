import { expect } from 'chai';
import { CODE_BYTES } from '../../../src/core/binaryCode.js';
import { createCodeIndex } from '../../../src/search/createCodeIndex.js';
import type { KernelCodeIndex } from '../../../src/search/KernelCodeIndex.js';
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

  it('does not wait for threads that are suspended within a chunk: their chunks are scanned again', async () => {
    const random = uniformNumbers(31);
    const n = 60_000;
    const codes = clusteredCodes(n, random);
    // Many more threads than cores: the scheduler suspends some of them at any point.
    const index = createCodeIndex('bit-sliced-ordered', 24) as KernelCodeIndex;
    index.append(codes, n);
    await index.startThreads();
    index.useThreadsFrom(0);
    const until = performance.now() + 20_000;
    for (let round = 0; round < 30 || (index.rescuedChunks < 3 && performance.now() < until); round++)
      expect(
        differenceFromOracle(index, codes, randomBytes(CODE_BYTES, random), 100, [[0, n - round]]),
        `round ${round}`,
      ).to.equal(undefined);
    expect(index.rescuedChunks).to.be.above(0);
    await index.close();
  });
});
