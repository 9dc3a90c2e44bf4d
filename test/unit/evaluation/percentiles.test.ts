import { expect } from 'chai';
import { percentile, spreadOf } from '../../../src/evaluation/percentiles.js';

describe('percentiles', () => {
  it('interpolates between the closest ranks as NumPy does', () => {
    // numpy.percentile([1, 2, 4, 8], [0, 25, 50, 75, 100])
    expect([0, 0.25, 0.5, 0.75, 1].map((part) => percentile([1, 2, 4, 8], part))).to.deep.equal([1, 1.75, 3, 5, 8]);
  });

  it('sorts by value and not by text', () => {
    expect(spreadOf([10, 9, 100])).to.deep.include({ count: 3, p50: 10, max: 100 });
    expect(spreadOf([10, 9, 101]).mean).to.equal(40);
  });

  it('is zero without values', () => {
    expect(spreadOf([])).to.deep.include({ count: 0, p99: 0, max: 0 });
    expect(() => percentile([], 0.5)).to.throw(RangeError);
  });
});
