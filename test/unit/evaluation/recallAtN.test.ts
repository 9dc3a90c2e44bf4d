import { expect } from 'chai';
import type { GroundTruth } from '../../../src/evaluation/groundTruth.js';
import { firstCorrectRanks, recallAtN } from '../../../src/evaluation/recallAtN.js';

const truth: GroundTruth = { rule: 'by hand', references: 8, positives: [[1], [2, 3], [], [7], [0]] };
// First positives at rank 0, 2, -, none, 4.
const ranked = [
  [1, 0, 2],
  [5, 6, 3],
  [0, 1, 2],
  [1, 2, 3],
  [4, 5, 6, 7, 0],
];

describe('recallAtN', () => {
  it('leaves queries without positives out of the denominator', () => {
    expect(recallAtN(ranked, truth, [1, 2, 3, 5])).to.deep.equal({ '1': 1 / 4, '2': 1 / 4, '3': 2 / 4, '5': 3 / 4 });
  });

  it('says the rank of the first positive', () => {
    expect(firstCorrectRanks(ranked, truth)).to.deep.equal([0, 2, undefined, undefined, 4]);
  });

  it('never falls with N', () => {
    const recall = Object.values(recallAtN(ranked, truth, [1, 2, 3, 4, 5, 6]));
    for (let i = 1; i < recall.length; i++) expect(recall[i]).to.be.at.least(recall[i - 1]!);
  });

  it('is 0 when no query has positives, and refuses N < 1 and a wrong number of queries', () => {
    const none: GroundTruth = { rule: '', references: 1, positives: [[]] };
    expect(recallAtN([[0]], none)).to.deep.equal({ '1': 0, '5': 0, '10': 0 });
    expect(() => recallAtN(ranked, truth, [0])).to.throw(RangeError);
    expect(() => recallAtN([[1]], truth)).to.throw(RangeError, '5 ranked queries');
  });
});
