import { expect } from 'chai';
import { percentile } from '../../src/evaluation/percentiles.js';
import { createPlaceSearch } from '../../src/search/createPlaceSearch.js';
import type { DescriptorStore } from '../../src/search/PlaceSearch.js';
import { uniformNumbers } from '../../src/core/mulberry32.js';
import { randomBytes, randomDescriptors } from '../unit/search/randomRows.js';

describe('search over a long time', function () {
  this.timeout(600_000);

  it('answers 10,000 queries in a row without growth, in even times', async () => {
    const [n, d, queries] = [20_000, 256, 10_000];
    const random = uniformNumbers(1);
    const rows = randomDescriptors(256, d, random);
    const store: DescriptorStore = {
      dimension: d,
      readDescriptors: (ids, out) =>
        ids.forEach((id, i) => out.set(rows.subarray((id % 256) * d, (id % 256) * d + d), i * d)),
    };
    const search = createPlaceSearch({ store, threads: 1, cacheBytes: 16 * 2 ** 20 });
    search.addBlock(
      Uint32Array.from({ length: n }, (_, i) => i + 1),
      randomBytes(n * 64, random),
    );
    const codes = randomBytes(64 * 64, random);
    const cpuMs: number[] = [];
    const memory: number[] = [];
    for (let query = 0; query < queries; query++) {
      const at = query % 64;
      // Processor time: a machine that is busy with other things must not fail this. It counts in steps of a microsecond.
      const before = process.cpuUsage();
      search.search(codes.subarray(at * 64, (at + 1) * 64), rows.subarray(at * d, (at + 1) * d), {
        k: 10,
        shortlist: 100,
      });
      const { user, system } = process.cpuUsage(before);
      cpuMs.push((user + system) / 1e3);
      if (query === 2000 || query === queries - 1) memory.push(process.memoryUsage.rss() / 2 ** 20);
    }
    const warm = cpuMs.slice(2000).sort((a, b) => a - b);
    console.log(
      `      p50 ${percentile(warm, 0.5).toFixed(3)} ms, p99 ${percentile(warm, 0.99).toFixed(3)} ms of processor time; ` +
        `RSS ${memory.map((mib) => mib.toFixed(0)).join(' -> ')} MiB`,
    );
    expect(memory[1]! - memory[0]!).to.be.below(32);
    expect(percentile(warm, 0.99) / percentile(warm, 0.5)).to.be.below(4);
    await search.close();
  });

  it('takes a code in less than a frame would notice, whatever the size of the map', async () => {
    const search = createPlaceSearch({ store: { dimension: 16, readDescriptors: () => undefined }, threads: 1 });
    const random = uniformNumbers(2);
    const block = randomBytes(50_000 * 64, random);
    let id = 0;
    for (let blocks = 0; blocks < 10; blocks++) {
      search.addBlock(
        Uint32Array.from({ length: 50_000 }, () => ++id),
        block,
      );
      const slowest: number[] = [];
      for (let i = 0; i < 2000; i++) {
        const before = process.cpuUsage();
        search.add(++id, block.subarray(i * 64, (i + 1) * 64));
        const { user, system } = process.cpuUsage(before);
        slowest.push((user + system) / 1e3);
      }
      expect(Math.max(...slowest), `${id} codes`).to.be.below(20);
    }
    expect(search.memoryUse().codeBytes / id).to.be.below(72);
    await search.close();
  });
});
