import { expect } from 'chai';
import { createPlaceSearch } from '../../../src/search/createPlaceSearch.js';
import type { DescriptorStore, PlaceSearch } from '../../../src/search/PlaceSearch.js';
import { searchExact } from '../../../src/search/searchExact.js';
import { uniformNumbers } from '../../../src/core/mulberry32.js';
import { randomBytes, randomDescriptors } from './randomRows.js';

/** Rows in memory; counts what is asked of it. */
class ArrayStore implements DescriptorStore {
  rowsRead = 0;
  batches = 0;
  constructor(
    readonly dimension: number,
    readonly rows: Float32Array,
    readonly firstId: number,
  ) {}
  readDescriptors(ids: Uint32Array, out: Float32Array): void {
    this.batches++;
    this.rowsRead += ids.length;
    ids.forEach((id, i) => {
      if (i > 0 && id <= ids[i - 1]!) throw new Error(`ids are not ascending: ${ids[i - 1]}, ${id}`);
      const row = id - this.firstId;
      out.set(this.rows.subarray(row * this.dimension, (row + 1) * this.dimension), i * this.dimension);
    });
  }
}

const FIRST_ID = 7;

function makeMap(n: number, d: number, seed: number, cacheBytes?: number) {
  const random = uniformNumbers(seed);
  const codes = randomBytes(n * 64, random);
  const rows = randomDescriptors(n, d, random);
  const store = new ArrayStore(d, rows, FIRST_ID);
  const search: PlaceSearch = createPlaceSearch({ store, ...(cacheBytes === undefined ? {} : { cacheBytes }) });
  const ids = Uint32Array.from({ length: n }, (_, i) => i + FIRST_ID);
  search.addBlock(ids, codes);
  return { random, codes, rows, store, search, ids };
}

describe('TwoStageSearch', () => {
  it('with the shortlist as long as the map equals exact float search bit for bit', async () => {
    for (const d of [16, 50, 256]) {
      const { search, store, ids, random } = makeMap(700, d, d, 1);
      for (let query = 0; query < 5; query++) {
        const descriptor = randomDescriptors(1, d, random);
        const found = search.search(randomBytes(64, random), descriptor, { k: 25, shortlist: 700 });
        const exact = searchExact(store, ids, descriptor, 25)[0]!;
        expect(found.referenceIds).to.deep.equal(exact.referenceIds);
        expect(found.similarity).to.deep.equal(exact.similarity);
      }
      await search.close();
    }
  });

  it('gives the similarities of an f64 dot product within f32 rounding, and orders by them', async () => {
    const d = 128;
    const { search, rows, random } = makeMap(300, d, 3);
    const descriptor = randomDescriptors(1, d, random);
    const found = search.search(randomBytes(64, random), descriptor, { k: 100, shortlist: 100 });
    found.referenceIds.forEach((id, i) => {
      let sum = 0;
      for (let j = 0; j < d; j++) sum += descriptor[j]! * rows[(id - FIRST_ID) * d + j]!;
      expect(found.similarity[i]).to.be.closeTo(sum, 1e-6);
      if (i > 0) expect(found.similarity[i]).to.be.at.most(found.similarity[i - 1]!);
    });
    await search.close();
  });

  it('gives ties to the lower reference id', async () => {
    const d = 16;
    const rows = new Float32Array(50 * d).fill(0.25);
    const search = createPlaceSearch({ store: new ArrayStore(d, rows, 1) });
    for (let id = 1; id <= 50; id++) search.add(id, new Uint8Array(64).fill(5));
    const found = search.search(new Uint8Array(64), rows.slice(0, d), { k: 10, shortlist: 20 });
    expect([...found.referenceIds]).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    await search.close();
  });

  it('reads each missing row once, in one ascending batch, and none when warm', async () => {
    const { search, store, random } = makeMap(1000, 32, 4);
    const code = randomBytes(64, random);
    const descriptor = randomDescriptors(1, 32, random);
    search.search(code, descriptor, { k: 10, shortlist: 100 });
    expect([store.batches, store.rowsRead]).to.deep.equal([1, 100]);
    search.search(code, descriptor, { k: 10, shortlist: 100 });
    expect([store.batches, store.rowsRead]).to.deep.equal([1, 100]);
    await search.close();
  });

  for (const cacheStorage of ['f16', 'int8'] as const)
    it(`finds the same best reference with ${cacheStorage} rows`, async () => {
      const random = uniformNumbers(12);
      const d = 256;
      const rows = randomDescriptors(400, d, random);
      const search = createPlaceSearch({ store: new ArrayStore(d, rows, 1), cacheBytes: 1, cacheStorage });
      for (let id = 1; id <= 400; id++) search.add(id, randomBytes(64, random));
      for (let query = 0; query < 20; query++) {
        const noisy = randomDescriptors(1, d, random).map((value, i) => value * 0.7 + rows[query * d + i]!);
        const found = search.search(randomBytes(64, random), noisy, { k: 5, shortlist: 400 });
        expect(found.referenceIds[0]).to.equal(query + 1);
      }
      await search.close();
    });

  it('gives the same result with every kernel, the scalar floor included', async () => {
    const results = [];
    for (const kernel of ['scalar', 'rows', 'bit-sliced', 'bit-sliced-ordered'] as const) {
      const random = uniformNumbers(13);
      const rows = randomDescriptors(900, 48, random);
      const search = createPlaceSearch({ store: new ArrayStore(48, rows, 1), cacheBytes: 1, kernel });
      search.addBlock(
        Uint32Array.from({ length: 900 }, (_, i) => i + 1),
        randomBytes(900 * 64, random),
      );
      expect(search.engine.kernel).to.equal(kernel);
      results.push(
        search.searchBatch(randomBytes(9 * 64, random), randomDescriptors(9, 48, random), { k: 30, shortlist: 100 }),
      );
      await search.close();
    }
    for (const result of results) expect(result).to.deep.equal(results[0]);
  });

  it('stays within the byte budget of its float rows', async () => {
    const d = 64;
    const { search, random } = makeMap(2000, d, 5, 300 * d * 4);
    for (let query = 0; query < 30; query++)
      search.search(randomBytes(64, random), randomDescriptors(1, d, random), { k: 10, shortlist: 200 });
    expect(search.memoryUse().cacheBytes).to.be.within(200 * d * 4, 300 * d * 4);
    await search.close();
  });

  it('compares the right rows while some leave, come back and are removed', async () => {
    const d = 64;
    const small = makeMap(1500, d, 15, 300 * d * 4);
    const large = makeMap(1500, d, 15);
    for (let query = 0; query < 60; query++) {
      const code = randomBytes(64, small.random);
      const descriptor = randomDescriptors(1, d, small.random);
      const options = { k: 250, shortlist: 250 };
      expect(small.search.search(code, descriptor, options)).to.deep.equal(
        large.search.search(code, descriptor, options),
      );
      const gone = small.search.prefilter(code, 3).referenceIds[1]!;
      for (const { search } of [small, large]) search.remove(gone);
    }
    // Rows did leave: more were read than there are.
    expect(small.store.rowsRead).to.be.above(2 * 1500);
    expect(large.store.rowsRead).to.be.at.most(1500);
    await Promise.all([small.search.close(), large.search.close()]);
  });

  it('keeps the rows that were used last', async () => {
    const d = 16;
    // Room for 128 rows. Query by query the same 100 references, then 28 others: the first ones stay.
    const { search, store, codes } = makeMap(400, d, 16, 1);
    const near = codes.slice(0, 64);
    const descriptor = new Float32Array(d).fill(0.25);
    const read = (excluded: readonly (readonly [number, number])[], shortlist: number): number => {
      const before = store.rowsRead;
      search.search(near, descriptor, { k: 1, shortlist, excluded });
      return store.rowsRead - before;
    };
    const [second, third] = [100 + FIRST_ID, 128 + FIRST_ID];
    expect(read([[second, 1000]], 100)).to.equal(100);
    expect(
      read(
        [
          [1, second - 1],
          [third, 1000],
        ],
        28,
      ),
    ).to.equal(28);
    expect(read([[second, 1000]], 100)).to.equal(0);
    // 28 more: the 28 in the middle leave, as the first 100 were used after them.
    expect(
      read(
        [
          [1, third - 1],
          [third + 28, 1000],
        ],
        28,
      ),
    ).to.equal(28);
    expect(read([[second, 1000]], 100)).to.equal(0);
    expect(
      read(
        [
          [1, second - 1],
          [third, 1000],
        ],
        28,
      ),
    ).to.equal(28);
    await search.close();
  });

  it('does not return removed references or excluded id ranges', async () => {
    const { search, codes } = makeMap(500, 16, 6);
    const code = codes.slice(100 * 64, 101 * 64);
    expect(search.prefilter(code, 1).referenceIds[0]).to.equal(100 + FIRST_ID);
    const excluded = [
      [1, 20],
      [90 + FIRST_ID, 110 + FIRST_ID],
    ] as const;
    const rest = [...search.prefilter(code, 500, excluded).referenceIds];
    expect(rest.length).to.equal(500 - (21 - FIRST_ID) - 21);
    expect(rest.some((id) => excluded.some(([first, last]) => id >= first && id <= last))).to.equal(false);
    search.remove(100 + FIRST_ID);
    expect(search.size).to.equal(499);
    expect([...search.prefilter(code, 500).referenceIds]).to.not.include(100 + FIRST_ID);
    expect(() => search.remove(100 + FIRST_ID)).to.throw(RangeError, 'can be found');
    await search.close();
  });

  it('answers an empty map and N < k with what there is', async () => {
    const { search, random } = makeMap(0, 16, 7);
    const descriptor = randomDescriptors(1, 16, random);
    expect(search.search(randomBytes(64, random), descriptor, { k: 5, shortlist: 100 }).referenceIds.length).to.equal(
      0,
    );
    for (const id of [3, 9, 12]) search.add(id + FIRST_ID, randomBytes(64, random));
    expect(search.prefilter(randomBytes(64, random), 100).referenceIds.length).to.equal(3);
    await search.close();
  });

  it('refuses ids that do not ascend, and wrong sizes', async () => {
    const { search, random } = makeMap(3, 16, 8);
    const code = randomBytes(64, random);
    expect(() => search.add(FIRST_ID + 2, code)).to.throw(RangeError, 'above 9, got 9');
    expect(() => search.add(FIRST_ID + 5, code.subarray(1))).to.throw(RangeError, '64 bytes, got 63');
    expect(() => search.addBlock(Uint32Array.of(30, 29), randomBytes(128, random))).to.throw(RangeError, 'ascending');
    expect(() => search.search(code, new Float32Array(15), { k: 1, shortlist: 1 })).to.throw(RangeError, '16 values');
    expect(() => search.search(code, new Float32Array(16), { k: 5, shortlist: 4 })).to.throw(RangeError, 'k = 5');
    expect(() => search.search(code, new Float32Array(16), { k: 0, shortlist: 4 })).to.throw(RangeError, 'for k');
    expect(search.size).to.equal(3);
    await search.close();
  });
});
