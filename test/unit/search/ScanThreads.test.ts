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
  for (const threads of [2, 4])
    it(`${threads} threads on shared memory answer as the oracle does, also over several ranges and queries`, async () => {
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
        expect(differenceFromOracle(index, codes, queries, 100, ranges)).to.equal(undefined);
        joined += index.threadsOfLastScan - 1;
      }
      // Or the test would have seen one thread alone.
      expect(joined).to.be.above(0);
      await index.close();
    });
});
