import { expect } from 'chai';
import { FasterWay } from '../../../src/search/FasterWay.js';

/** Scans with given times a block; returns how many of them were shared. */
function scan(ways: FasterWay, scans: number, times: { readonly alone: number; readonly shared: number }): number {
  let shared = 0;
  for (let i = 0; i < scans; i++) {
    const way = ways.choose();
    if (way === 'shared') shared++;
    ways.record(way, times[way]);
  }
  return shared;
}

describe('FasterWay', () => {
  it('takes the faster way after a few tries of both, the other one less than once in a hundred', () => {
    expect(scan(new FasterWay(), 1000, { alone: 1, shared: 0.6 })).to.be.within(975, 985);
    expect(scan(new FasterWay(), 1000, { alone: 1, shared: 1.4 })).to.be.within(16, 22);
  });

  it('is not misled by slow first scans', () => {
    const ways = new FasterWay();
    scan(ways, 24, { alone: 1, shared: 9 });
    expect(scan(ways, 1000, { alone: 1, shared: 0.6 })).to.be.above(970);
  });

  it('leaves a way that has become slow within some scans, and comes back', () => {
    const ways = new FasterWay();
    scan(ways, 100, { alone: 1, shared: 0.6 });
    expect(scan(ways, 500, { alone: 1, shared: 5 })).to.be.below(12);
    expect(scan(ways, 2000, { alone: 1, shared: 0.6 })).to.be.above(1000);
  });

  it('is not thrown off by one suspended scan', () => {
    const ways = new FasterWay();
    scan(ways, 100, { alone: 1, shared: 0.6 });
    ways.record('shared', 500);
    expect(scan(ways, 20, { alone: 1, shared: 0.6 })).to.equal(20);
  });
});
