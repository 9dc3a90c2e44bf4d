import { expect } from 'chai';
import { SCAN_KERNELS } from '../../../src/hamming/scanKernels.js';
import { chooseScanKernel } from '../../../src/search/chooseScanKernel.js';
import { createCodeIndex } from '../../../src/search/createCodeIndex.js';
import { searchExact } from '../../../src/search/searchExact.js';
import { uniformNumbers } from '../../../src/core/mulberry32.js';
import { randomDescriptors } from './randomRows.js';

describe('createCodeIndex', () => {
  it('measures once which kernel to take', () => {
    const kernel = chooseScanKernel();
    expect(Object.keys(SCAN_KERNELS)).to.include(kernel.name);
    const start = performance.now();
    for (let i = 0; i < 1000; i++) expect(chooseScanKernel()).to.equal(kernel);
    expect(performance.now() - start).to.be.below(500);
  });

  for (const [missing, wanted] of [
    ['SharedArrayBuffer', { threads: 1, kernel: 'rows' }],
    ['WebAssembly', { threads: 1, kernel: 'scalar' }],
  ] as const)
    it(`falls back where ${missing} is missing`, async () => {
      const descriptor = Object.getOwnPropertyDescriptor(globalThis, missing)!;
      Reflect.deleteProperty(globalThis, missing);
      try {
        const { threads, kernel } = createCodeIndex('rows', 4);
        expect({ threads, kernel }).to.deep.equal(wanted);
      } finally {
        Object.defineProperty(globalThis, missing, descriptor);
      }
      const restored = createCodeIndex('rows', 2);
      expect([restored.kernel, restored.threads]).to.deep.equal(['rows', 2]);
      await restored.close();
    });
});

describe('searchExact', () => {
  it('gives the same with and without SIMD, over several blocks, and reports its way', () => {
    const [n, d] = [300, 24];
    const rows = randomDescriptors(n, d, uniformNumbers(3));
    const store = {
      dimension: d,
      readDescriptors: (ids: Uint32Array, out: Float32Array) =>
        ids.forEach((id, i) => out.set(rows.subarray((id - 1) * d, id * d), i * d)),
    };
    const ids = Uint32Array.from({ length: n }, (_, i) => i + 1);
    const queries = rows.slice(5 * d, 8 * d);
    const done: number[] = [];
    const simd = searchExact(store, ids, queries, 10, { onProgress: (rowsDone) => done.push(rowsDone) });
    expect(simd).to.deep.equal(searchExact(store, ids, queries, 10, { scalar: true }));
    expect(simd.map(({ referenceIds }) => referenceIds[0])).to.deep.equal([6, 7, 8]);
    expect(done).to.deep.equal([128, 256, 300]);
    expect(() => searchExact(store, ids, new Float32Array(25), 1)).to.throw(RangeError, '24 values');
  });
});
