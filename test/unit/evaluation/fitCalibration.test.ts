import { expect } from 'chai';
import { mulberry32 } from '../../../src/core/mulberry32.js';
import { calibrationError } from '../../../src/evaluation/calibrationError.js';
import { fitIsotonic } from '../../../src/evaluation/fitIsotonic.js';
import { fitLogistic } from '../../../src/evaluation/fitLogistic.js';
import { extrapolatedThreshold } from '../../../src/cli/tuning/presetThresholds.js';
import { interpolate } from '../../../src/recognizer/ConfidenceModel.js';

function uniform(seed: number): () => number {
  const next = mulberry32(seed);
  return () => next() / 2 ** 32;
}

describe('fitLogistic', () => {
  it('finds the weights that made the data', () => {
    const random = uniform(1);
    const truth = [-1, 2, -0.5];
    const data = Array.from({ length: 20_000 }, () => {
      const features = [1, random() * 4 - 2, random() * 20];
      const z = features.reduce((sum, value, i) => sum + value * truth[i]!, 0);
      return { features, label: random() < 1 / (1 + Math.exp(-z)) };
    });
    const weights = fitLogistic(data, { ridge: 1e-6 });
    truth.forEach((value, i) => expect(weights[i]).to.be.closeTo(value, 0.12));
  });

  it('stays finite on separable data and ignores a constant feature', () => {
    const data = [-2, -1, 1, 2].map((x) => ({ features: [1, x, 7], label: x > 0 }));
    const weights = fitLogistic(data);
    expect(Array.from(weights).every(Number.isFinite)).to.equal(true);
    expect(weights[2]).to.equal(0);
    expect(weights[1]).to.be.greaterThan(0.5);
  });
});

describe('fitIsotonic', () => {
  it('repairs confidences that are too high, and stays monotone', () => {
    const random = uniform(2);
    const claims = Array.from({ length: 5000 }, () => {
      const confidence = random();
      return { confidence, correct: random() < confidence ** 3 };
    });
    const { x, y } = fitIsotonic(claims);
    for (let i = 1; i < x.length; i++) {
      expect(x[i]).to.be.greaterThan(x[i - 1]!);
      expect(y[i]).to.be.at.least(y[i - 1]!);
    }
    const repaired = claims.map(({ confidence, correct }) => ({ confidence: interpolate(x, y, confidence), correct }));
    const before = calibrationError(claims).expectedCalibrationError;
    expect(before).to.be.greaterThan(0.15);
    expect(calibrationError(repaired).expectedCalibrationError).to.be.lessThan(0.03);
  });

  it('leaves few claims alone', () => {
    expect(fitIsotonic([{ confidence: 0.5, correct: true }])).to.deep.equal({ x: [], y: [] });
  });
});

describe('extrapolatedThreshold', () => {
  it('lets the target part of the negatives through', () => {
    const negatives = Array.from({ length: 10_000 }, (_, i) => i / 10_000);
    for (const target of [0.001, 0.01, 0.05]) {
      const threshold = extrapolatedThreshold(negatives, target);
      const rate = negatives.filter((confidence) => confidence >= threshold).length / negatives.length;
      expect(rate).to.be.within(target / 1.5, target * 1.5);
    }
  });

  it('goes beyond the highest of few negatives for a small target', () => {
    const negatives = Array.from({ length: 100 }, (_, i) => i / 200);
    expect(extrapolatedThreshold(negatives, 0.001)).to.be.within(0.495, 1);
  });
});
