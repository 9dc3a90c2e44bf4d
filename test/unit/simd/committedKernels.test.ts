import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { KERNEL_SOURCES } from '../../../src/hamming/assembly/kernels.js';
import { IMAGE_KERNEL_SOURCES } from '../../../src/image/assembly/kernels.js';
import { compileKernel } from '../../../src/simd/decodeKernel.js';
import { kernelFileText } from '../../../src/simd/kernelFileText.js';

describe('committed kernels', () => {
  for (const [folder, sources] of [
    ['src/hamming', KERNEL_SOURCES],
    ['src/image', IMAGE_KERNEL_SOURCES],
  ] as const)
    for (const [name, source] of Object.entries(sources)) {
      it(`${folder}/${name} is what its source gives`, () => {
        const file = new URL(`../../../../${folder}/${name}.ts`, import.meta.url);
        const text = kernelFileText(folder, name, source());
        expect(readFileSync(file, 'utf8') === text, `${file.pathname}: run 'npm run generate'`).to.equal(true);
      });

      it(`${folder}/${name} compiles for memories of its own and shared ones`, () => {
        const { bytes, limitsOffset } = source();
        const code = { bytes: Uint8Array.from(bytes), limitsOffset };
        for (const shared of [false, true]) {
          const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared });
          expect(() => new WebAssembly.Instance(compileKernel(code, { shared }), { env: { memory } })).to.not.throw();
        }
      });
    }
});
