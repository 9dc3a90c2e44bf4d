import { expect } from 'chai';
import { gapLengths, travelledDistance } from '../../../src/evaluation/gapLengths.js';

describe('gapLengths', () => {
  it('counts the images between answers, with both ends', () => {
    const localized = [false, false, true, true, false, true, false];
    expect(gapLengths(localized)).to.deep.equal({ unit: 'images', lengths: [2, 1, 1], longest: 2 });
  });

  it('measures the metres between fixes, with both ends', () => {
    const travelled = [0, 2, 5, 6, 10];
    expect(gapLengths([false, true, false, true, false], travelled)).to.deep.equal({
      unit: 'm',
      lengths: [2, 4, 4],
      longest: 4,
    });
  });

  it('is one gap when nothing was localized and none when nothing was driven', () => {
    expect(gapLengths([false, false, false]).lengths).to.deep.equal([3]);
    expect(gapLengths([false, false], [0, 7]).lengths).to.deep.equal([7]);
    expect(gapLengths([])).to.deep.equal({ unit: 'images', lengths: [], longest: 0 });
    expect(gapLengths([true, true]).lengths).to.deep.equal([]);
  });

  it('takes a drive of more gaps than a function takes arguments', () => {
    const count = 300_000;
    const localized = Array.from({ length: count }, () => true);
    const travelled = localized.map((_, i) => 0.5 * i);
    expect(gapLengths(localized, travelled)).to.deep.include({ unit: 'm', longest: 0.5 });
  });

  it('cumulates steps and adds nothing where a position is missing', () => {
    expect(travelledDistance([[0, 0, 0], [3, 4, 0], undefined, [3, 4, 2]])).to.deep.equal([0, 5, 5, 7]);
  });
});
