import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { KERNEL_SOURCES, kernelFileText } from '../../../src/hamming/assembly/kernels.js';
import { compileKernel } from '../../../src/hamming/decodeKernel.js';

describe('committed kernels', () => {
  for (const name of Object.keys(KERNEL_SOURCES)) {
    it(`${name} is what its source gives`, () => {
      const file = new URL(`../../../../src/hamming/${name}.ts`, import.meta.url);
      expect(readFileSync(file, 'utf8') === kernelFileText(name), `${file.pathname}: run 'npm run generate'`).to.equal(
        true,
      );
    });

    it(`${name} compiles for memories of its own and shared ones`, () => {
      const { bytes, limitsOffset } = KERNEL_SOURCES[name]!();
      const code = { bytes: Uint8Array.from(bytes), limitsOffset };
      for (const shared of [false, true]) {
        const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared });
        expect(() => new WebAssembly.Instance(compileKernel(code, { shared }), { env: { memory } })).to.not.throw();
      }
    });
  }
});
