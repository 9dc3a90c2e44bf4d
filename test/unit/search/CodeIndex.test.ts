import { expect } from 'chai';
import { CODE_BYTES } from '../../../src/core/binaryCode.js';
import { SCAN_KERNELS, type ScanKernelName } from '../../../src/hamming/scanKernels.js';
import { createCodeIndex } from '../../../src/search/createCodeIndex.js';
import { KernelCodeIndex } from '../../../src/search/KernelCodeIndex.js';
import { codeIndexSuite } from './codeIndexSuite.js';
import { clusteredCodes, differenceFromOracle } from './codeMaps.js';
import { uniformNumbers } from '../../../src/core/mulberry32.js';
import { randomBytes } from './randomRows.js';

codeIndexSuite('the scalar floor', () => createCodeIndex('scalar', 1));
for (const name of Object.keys(SCAN_KERNELS) as ScanKernelName[])
  codeIndexSuite(`kernel ${name}`, () => createCodeIndex(name, 1));

describe('CodeIndex tests', () => {
  it('can fail: kernels with one wrong gate are found out', async () => {
    const random = uniformNumbers(21);
    for (const kernel of Object.values(SCAN_KERNELS)) {
      const { bytes, limitsOffset } = kernel.code;
      // v128.xor is fd 51, v128.and fd 4e: a gate of an adder, or the difference with the query.
      const gates: number[] = [];
      for (let i = 8; i + 1 < bytes.length; i++) if (bytes[i] === 0xfd && bytes[i + 1] === 0x51) gates.push(i + 1);
      expect(gates.length, kernel.name).to.be.at.least(16);
      let foundOut = 0;
      for (let mutant = 0; mutant < 12; mutant++) {
        const mutated = bytes.slice();
        mutated[gates[Math.floor(random() * gates.length)]!] = 0x4e;
        const codes = mutant % 2 === 0 ? clusteredCodes(500, random) : randomBytes(500 * CODE_BYTES, random);
        const index = new KernelCodeIndex({
          kernel: { ...kernel, code: { bytes: mutated, limitsOffset } },
          threads: 1,
        });
        index.append(codes, 500);
        const difference = differenceFromOracle(index, codes, codes.slice(0, 8 * CODE_BYTES), 100, [[0, 500]]);
        await index.close();
        if (difference !== undefined) foundOut++;
      }
      // Not all: where the sums of the highest weights cannot both be set, `and` for `xor` shows only on overflow.
      expect(foundOut, kernel.name).to.be.at.least(10);
    }
  });
});
