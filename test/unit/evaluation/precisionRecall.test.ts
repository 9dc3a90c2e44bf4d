import { expect } from 'chai';
import { precisionRecall, recallAtPrecision, type Answer } from '../../../src/evaluation/precisionRecall.js';

const answer = (score: number, correct: boolean, answerable = true): Answer => ({ score, correct, answerable });

describe('precisionRecall', () => {
  // By hand: accepted in order .9 right, .8 right, .7 wrong, .6 right, .5 wrong (no positives); 5 answerable.
  const answers = [
    answer(0.7, false),
    answer(0.9, true),
    answer(0.5, false, false),
    answer(0.8, true),
    answer(0.6, true),
    answer(-Infinity, false),
  ];

  it('gives the points worked out by hand', () => {
    const { points } = precisionRecall(answers);
    expect(points.map((point) => [point.threshold, point.accepted])).to.deep.equal([
      [0.9, 1],
      [0.8, 2],
      [0.7, 3],
      [0.6, 4],
      [0.5, 5],
    ]);
    expect(points.map((point) => point.precision)).to.deep.equal([1, 1, 2 / 3, 3 / 4, 3 / 5]);
    expect(points.map((point) => point.recall)).to.deep.equal([1 / 5, 2 / 5, 2 / 5, 3 / 5, 3 / 5]);
  });

  it('sums average precision and area as worked out by hand', () => {
    const figures = precisionRecall(answers);
    expect(figures.averagePrecision).to.be.closeTo(0.2 + 0.2 + 0.2 * 0.75, 1e-12);
    expect(figures.areaUnderCurve).to.be.closeTo(0.2 + 0.2 + (0.2 * (2 / 3 + 0.75)) / 2, 1e-12);
    expect(figures.recallAt100Precision).to.equal(2 / 5);
    expect(recallAtPrecision(figures.points, 0.75)).to.equal(3 / 5);
  });

  it('accepts equal scores together, whatever their order', () => {
    const tied = [answer(0.9, true), answer(0.9, false), answer(0.9, true)];
    const figures = precisionRecall(tied);
    expect(figures.points).to.have.length(1);
    expect(figures.points[0]!.precision).to.equal(2 / 3);
    expect(figures.recallAt100Precision).to.equal(0);
    expect(precisionRecall(tied.toReversed())).to.deep.equal(figures);
  });

  it('finds the recall of a later threshold at 99 % although an earlier one was lower', () => {
    const many = Array.from({ length: 400 }, (_, i) => answer(1 - i / 1000, i !== 10));
    const figures = precisionRecall(many);
    expect(figures.recallAt100Precision).to.equal(10 / 400);
    expect(figures.recallAt99Precision).to.equal(399 / 400);
  });

  it('is 1 everywhere for a perfect run and 0 without answers', () => {
    const perfect = precisionRecall([answer(0.2, true), answer(0.1, true)]);
    expect([perfect.averagePrecision, perfect.areaUnderCurve, perfect.recallAt100Precision]).to.deep.equal([1, 1, 1]);
    expect(precisionRecall([])).to.deep.equal({
      points: [],
      averagePrecision: 0,
      areaUnderCurve: 0,
      recallAt100Precision: 0,
      recallAt99Precision: 0,
    });
  });

  it('refuses NaN scores', () => {
    expect(() => precisionRecall([answer(NaN, true)])).to.throw(RangeError, 'NaN');
  });
});
