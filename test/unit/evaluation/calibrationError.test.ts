import { expect } from 'chai';
import { bootstrapInterval, calibrationError, reliabilityBins } from '../../../src/evaluation/calibrationError.js';

describe('calibrationError', () => {
  const claims = [
    { confidence: 0.9, correct: true },
    { confidence: 0.1, correct: false },
    { confidence: 0.8, correct: false },
    { confidence: 0.2, correct: false },
    { confidence: 1.0, correct: true },
  ];

  it('cuts bins of equal mass, the larger ones first', () => {
    const bins = reliabilityBins(claims, 2);
    expect(bins.map((bin) => bin.count)).to.deep.equal([3, 2]);
    expect(bins[0]!.meanConfidence).to.be.closeTo(1.1 / 3, 1e-12);
    expect([bins[0]!.accuracy, bins[0]!.lowest, bins[0]!.highest]).to.deep.equal([0, 0.1, 0.8]);
    expect([bins[1]!.meanConfidence, bins[1]!.accuracy]).to.deep.equal([0.95, 1]);
  });

  it('gives the error and the Brier score worked out by hand', () => {
    const figures = calibrationError(claims, 2);
    expect(figures.expectedCalibrationError).to.be.closeTo((3 / 5) * (1.1 / 3) + (2 / 5) * 0.05, 1e-12);
    expect(figures.brier).to.be.closeTo((0.01 + 0.01 + 0.64 + 0.04 + 0) / 5, 1e-12);
  });

  it('is near 0 for claims that come true as often as they say, and large for boasts', () => {
    const honest = Array.from({ length: 1000 }, (_, i) => ({ confidence: 0.7, correct: i % 10 < 7 }));
    expect(calibrationError(honest, 5).expectedCalibrationError).to.be.closeTo(0, 1e-9);
    const boast = honest.map((claim) => ({ ...claim, confidence: 1 }));
    expect(calibrationError(boast, 5).expectedCalibrationError).to.be.closeTo(0.3, 1e-9);
  });

  it('handles fewer claims than bins and none at all, and refuses what is no probability', () => {
    expect(reliabilityBins(claims, 15)).to.have.length(5);
    expect(calibrationError([])).to.deep.include({ claims: 0, expectedCalibrationError: 0, brier: 0 });
    for (const confidence of [-0.1, 1.1, NaN])
      expect(() => calibrationError([{ confidence, correct: true }])).to.throw(RangeError);
  });

  it('brackets the mean by a bootstrap interval that a fixed random source reproduces', () => {
    const random = (): (() => number) => {
      let state = 1;
      return () => (state = (state * 48271) % 2147483647) / 2147483647;
    };
    const values = Array.from({ length: 100 }, (_, i) => i / 99);
    const mean = (sample: readonly number[]): number => sample.reduce((a, b) => a + b, 0) / sample.length;
    const [low, high] = bootstrapInterval(values, mean, random());
    expect(low).to.be.within(0.4, 0.49);
    expect(high).to.be.within(0.51, 0.6);
    expect(bootstrapInterval(values, mean, random())).to.deep.equal([low, high]);
  });
});
