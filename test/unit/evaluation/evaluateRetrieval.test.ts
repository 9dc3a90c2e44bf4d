import { expect } from 'chai';
import { evaluateRetrieval, type QueryAnswer } from '../../../src/evaluation/evaluateRetrieval.js';
import type { GroundTruth } from '../../../src/evaluation/groundTruth.js';

describe('evaluateRetrieval', () => {
  const truth: GroundTruth = { rule: 'by hand', references: 4, positives: [[0], [1], [], [3]] };
  const answers: readonly QueryAnswer[] = [
    { ranked: [0, 1], score: 0.9, confidence: 0.9, accepted: true },
    { ranked: [2, 1], score: 0.4, confidence: 0.3, accepted: false },
    { ranked: [2, 3], score: 0.6, confidence: 0.6, accepted: true },
    { ranked: [], score: 0.99, confidence: 0, accepted: false },
  ];

  it('judges recall, precision-recall, calibration, decisions and gaps in one object', () => {
    const result = evaluateRetrieval(answers, truth, { travelled: [0, 1, 2, 3] });
    expect(result).to.deep.include({ queries: 4, references: 4, queriesWithoutPositives: 1, groundTruth: 'by hand' });
    expect(result.recall).to.deep.equal({ '1': 1 / 3, '5': 2 / 3, '10': 2 / 3 });
    expect(result.firstCorrectRank).to.deep.equal([0, 1, null, null]);
    // An empty ranking is no answer, whatever its score.
    expect(result.precisionRecall.points.map((point) => point.accepted)).to.deep.equal([1, 2, 3]);
    expect(result.precisionRecall.recallAt100Precision).to.equal(1 / 3);
    expect(result.calibration!.claims).to.equal(4);
    expect(result.accepted).to.deep.equal({
      accepted: 2,
      correct: 1,
      precision: 0.5,
      recall: 1 / 3,
      gaps: { unit: 'm', lengths: [3], longest: 3 },
    });
  });

  it('leaves out calibration and decisions where none were made', () => {
    const plain = answers.map(({ ranked, score }) => ({ ranked, score }));
    expect(evaluateRetrieval(plain, truth)).to.not.have.any.keys('calibration', 'accepted');
  });

  it('is the same JSON twice', () => {
    const text = (): string => JSON.stringify(evaluateRetrieval(answers, truth));
    expect(text()).to.equal(text());
  });
});
