import { expect } from 'chai';
import type { TuningEvidence } from '../../../src/cli/tuning/fitConfidence.js';
import { fitGeometry } from '../../../src/cli/tuning/fitGeometry.js';
import type { Play, PlayedImage } from '../../../src/cli/tuning/playWorld.js';
import { parseParameters } from '../../../src/config/parseParameters.js';
import { uniformNumbers } from '../../../src/core/mulberry32.js';
import type { Recognition } from '../../../src/core/recognition.js';
import { confidenceWithGeometry } from '../../../src/recognizer/ConfidenceModel.js';
import { FEATURES, type Evidence } from '../../../src/recognizer/Evidence.js';
import { recognizerSettings } from '../../../src/worker/recognizerSettings.js';

/** Confidence = sigmoid of the first feature. */
const CALIBRATOR = { weights: FEATURES.map((_, i) => (i === 0 ? 1 : 0)), isotonic: { x: [], y: [] } };

function image(right: boolean, logOdds: number, inliers: number | undefined): PlayedImage {
  const reference = { referenceId: 1, placeId: 1, sessionId: 1, label: '', camera: 'c', stampNs: 0n };
  const features = Float64Array.from(FEATURES, (_, i) => (i === 0 ? logOdds : 0));
  const evidence: Evidence = { best: { reference, hamming: 0, similarity: 1 }, margin: 1, features };
  const seen = { evidence, verdict: right ? 'right' : 'wrong', ...(inliers === undefined ? {} : { inliers }) } as const;
  return {
    truth: right ? 'shown' : 'not shown',
    image: { timeNs: 0n, drivenM: 0, spacingM: 1, excluded: false },
    single: seen,
    temporal: seen,
    zRight: [],
    zWrong: [],
    recognition: {} as Recognition,
  };
}

function evidenceOf(count: number, inliersOf: (right: boolean, random: number) => number | undefined): TuningEvidence {
  const random = uniformNumbers(4);
  const images = Array.from({ length: count }, (_, i) => {
    const right = i % 2 === 0;
    return image(right, (right ? 0.5 : -0.5) + 3 * (random() - 0.5), inliersOf(right, random()));
  });
  const play: Play = { world: 'w', images };
  const settings = recognizerSettings(parseParameters({}));
  return { likelihood: { offset: 0, slope: 1 }, own: [play], strange: [], settings };
}

describe('fitGeometry', () => {
  it('lets agreeing key points speak for a place, and few against it', () => {
    const evidence = evidenceOf(600, (right, random) => Math.floor(random * (right ? 60 : 15)));
    const term = fitGeometry(evidence, 'temporal', CALIBRATOR)!;
    expect(confidenceWithGeometry(term, 0.5, 50)).to.be.greaterThan(0.9);
    expect(confidenceWithGeometry(term, 0.5, 2)).to.be.lessThan(0.4);
    expect(confidenceWithGeometry(term, 0.8, 12)).to.be.greaterThan(confidenceWithGeometry(term, 0.3, 12));
    const { precision, balanced, recall } = term.thresholds;
    expect(precision).to.be.greaterThan(balanced);
    expect(balanced).to.be.greaterThan(recall);
  });

  it('has no answer where too few were compared, or where agreement would speak against a place', () => {
    expect(
      fitGeometry(
        evidenceOf(80, () => 5),
        'single',
        CALIBRATOR,
      ),
    ).to.equal(undefined);
    expect(
      fitGeometry(
        evidenceOf(600, () => undefined),
        'single',
        CALIBRATOR,
      ),
    ).to.equal(undefined);
    const absurd = evidenceOf(600, (right, random) => Math.floor(random * (right ? 10 : 60)));
    expect(fitGeometry(absurd, 'single', CALIBRATOR)).to.equal(undefined);
  });
});
