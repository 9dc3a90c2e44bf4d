import { expect } from 'chai';
import { extrapolatedThreshold, presetThresholds } from '../../../src/cli/tuning/presetThresholds.js';
import type { JudgedEvidence, Play, PlayedImage } from '../../../src/cli/tuning/playWorld.js';
import { parseParameters } from '../../../src/config/parseParameters.js';
import type { Recognition } from '../../../src/core/recognition.js';
import { sigmoid } from '../../../src/recognizer/ConfidenceModel.js';
import { FEATURES, type Evidence } from '../../../src/recognizer/Evidence.js';
import { uniformNumbers } from '../../../src/core/mulberry32.js';
import { recognizerSettings } from '../../../src/worker/recognizerSettings.js';

const SETTINGS = recognizerSettings(parseParameters({}));
/** The first feature is the log-odds. */
const confidenceIn = ({ evidence }: JudgedEvidence): number => sigmoid(evidence.features[0]!);

function negative(logOdds: number, placeId: number, second: number): PlayedImage {
  const reference = { referenceId: placeId, placeId, sessionId: 1, label: '', camera: 'c', stampNs: 0n };
  const features = Float64Array.from(FEATURES, (_, i) => (i === 0 ? logOdds : 0));
  const evidence: Evidence = { best: { reference, hamming: 0, similarity: 1 }, margin: 1, features };
  return {
    truth: 'not shown',
    image: { timeNs: BigInt(second) * 1_000_000_000n, drivenM: 0, spacingM: 1, excluded: false },
    single: { evidence, verdict: 'wrong' },
    temporal: { evidence, verdict: 'wrong' },
    zRight: [],
    zWrong: [],
    recognition: {} as Recognition,
  };
}

/** Drives of images that the map does not show; places jump about, or stay in one look-alike neighbourhood. */
function playsOf(jumping: boolean): Play[] {
  const random = uniformNumbers(5);
  return Array.from({ length: 20 }, (_, world) => ({
    world: String(world),
    images: Array.from({ length: 200 }, (_, i) =>
      negative(6 * random() - 3, jumping ? 1 + Math.floor(random() * 1e6) : 5, i),
    ),
  }));
}

describe('presetThresholds', () => {
  it('lets the aimed part of single answers through', () => {
    const { recall, balanced } = presetThresholds(playsOf(true), 'single', confidenceIn, SETTINGS);
    // Log-odds are uniform in -3...3: the upper 3.5 % begin at 2.79, the upper 0.7 % at 2.958.
    expect(recall).to.be.closeTo(sigmoid(2.79), 0.004);
    expect(balanced).to.be.closeTo(sigmoid(2.958), 0.002);
  });

  it('needs less confidence where several images must agree and wrong places jump about', () => {
    const { recall } = presetThresholds(playsOf(true), 'temporal', confidenceIn, SETTINGS);
    expect(recall).to.be.lessThan(sigmoid(2));
    const lasting = presetThresholds(playsOf(false), 'temporal', confidenceIn, SETTINGS);
    expect(lasting.recall).to.be.greaterThan(recall);
  });

  it('leaves out images whose confidence is not known', () => {
    const known = (seen: JudgedEvidence): number | undefined =>
      seen.evidence.features[0]! > 2 ? undefined : confidenceIn(seen);
    const { recall } = presetThresholds(playsOf(true), 'single', known, SETTINGS);
    // What is left is uniform in -3...2: the upper 3.5 % begin at 1.825.
    expect(recall).to.be.closeTo(sigmoid(1.825), 0.01);
  });

  it('never lets a stricter preset accept from less', () => {
    // What recall allows is counted here, what the others allow is guessed, and a guess ends below such sure answers.
    const images = Array.from({ length: 100 }, (_, i) => negative(i < 5 ? 15 : -3, i + 1, i));
    const thresholds = presetThresholds([{ world: 'w', images }], 'single', confidenceIn, SETTINGS);
    expect(thresholds.precision).to.be.at.least(thresholds.balanced);
    expect(thresholds.balanced).to.be.at.least(thresholds.recall);
  });

  it('extrapolates where the negatives are too few for the target', () => {
    const few: Play[] = [{ world: 'w', images: playsOf(true)[0]!.images.slice(0, 100) }];
    const { precision, recall } = presetThresholds(few, 'single', confidenceIn, SETTINGS);
    const highest = Math.max(...few[0]!.images.map(({ single }) => sigmoid(single!.evidence.features[0]!)));
    expect(precision).to.be.greaterThan(highest);
    expect(precision).to.be.greaterThan(recall);
    expect(extrapolatedThreshold([], 0.01)).to.equal(0.99);
  });
});
