import { expect } from 'chai';
import { parseParameters } from '../../../src/config/parseParameters.js';
import type { Pose } from '../../../src/core/pose.js';
import type { Reference } from '../../../src/core/reference.js';
import type { Evidence } from '../../../src/recognizer/Evidence.js';
import { FEATURES } from '../../../src/recognizer/Evidence.js';
import { PlaceJudge, type JudgedImage } from '../../../src/recognizer/PlaceJudge.js';
import { recognizerSettings } from '../../../src/worker/recognizerSettings.js';

const SETTINGS = recognizerSettings(parseParameters({ confirm_images: 2, lost_after_images: 3 }));

function at(x: number): Pose {
  return { position: [x, 0, 0], orientation: [0, 0, 0, 1] };
}

function evidenceFor(referenceId: number, x?: number, margin = 0.2): Evidence {
  const reference: Reference = {
    referenceId,
    placeId: referenceId,
    sessionId: 1,
    label: '',
    camera: 'c',
    stampNs: 0n,
    ...(x === undefined ? {} : { pose: at(x) }),
  };
  return { best: { reference, hamming: 50, similarity: 0.8 }, margin, features: new Float64Array(FEATURES.length) };
}

function weighed(confidence: number, evidence?: Evidence, threshold = 0.9) {
  const claim = { confidence, singleConfidence: confidence, threshold, anchorThreshold: 0.9 };
  return evidence === undefined ? claim : { ...claim, evidence };
}

function imageAt(second: number, x?: number): JudgedImage {
  const drivenM = x ?? 0;
  const timeNs = BigInt(second) * 1_000_000_000n;
  return { timeNs, drivenM, spacingM: 2, excluded: false, ...(x === undefined ? {} : { odometry: at(x) }) };
}

describe('PlaceJudge', () => {
  it('tells an empty map from one that is too young to be asked', () => {
    const judge = new PlaceJudge('slam');
    expect(judge.judge(weighed(0), imageAt(0), SETTINGS).rejectReason).to.equal('empty_map');
    expect(judge.judge(weighed(0), { ...imageAt(1), excluded: true }, SETTINGS).rejectReason).to.equal('recent');
  });

  it('accepts after as many fitting images as confirm', () => {
    const judge = new PlaceJudge('localization');
    expect(judge.judge(weighed(0.95, evidenceFor(1)), imageAt(0), SETTINGS)).to.include({
      accepted: false,
      rejectReason: 'temporal',
      state: 'candidate',
    });
    expect(judge.judge(weighed(0.95, evidenceFor(2)), imageAt(1), SETTINGS).accepted).to.equal(true);
    expect(judge.state).to.equal('localized');
  });

  it('rejects below the threshold, below the margin, and muted places, each with its reason', () => {
    const judge = new PlaceJudge('localization');
    expect(judge.judge(weighed(0.8, evidenceFor(1)), imageAt(0), SETTINGS).rejectReason).to.equal('low_confidence');
    const strict = { ...SETTINGS, minMargin: 0.3 };
    expect(judge.judge(weighed(0.95, evidenceFor(1)), imageAt(1), strict).rejectReason).to.equal('ambiguous');
    for (let i = 0; i < SETTINGS.loopClosureMuteAfterRejections; i++) judge.report(7, false, 0n, SETTINGS);
    expect(judge.judge(weighed(0.95, evidenceFor(7)), imageAt(2), SETTINGS).rejectReason).to.equal('muted');
    expect(judge.mutedPlaces(0n)).to.deep.equal([7]);
  });

  it('names the pictures where they alone speak against a place', () => {
    const judge = new PlaceJudge('localization');
    const compared = { ...weighed(0.4, evidenceFor(1)), plausible: true };
    expect(judge.judge(compared, imageAt(0), SETTINGS)).to.include({ accepted: false, rejectReason: 'geometry' });
    const neither = { ...weighed(0.4, evidenceFor(1)), plausible: false };
    expect(judge.judge(neither, imageAt(1), SETTINGS).rejectReason).to.equal('low_confidence');
  });

  it('rejects a place that contradicts the odometry since the last accepted one, and recovers when lost', () => {
    const judge = new PlaceJudge('localization');
    for (const [second, x] of [0, 2, 4].entries())
      judge.judge(weighed(0.95, evidenceFor(second + 1, x)), imageAt(second, x), SETTINGS);
    expect(judge.state).to.equal('localized');
    // Ten metres on by the wheels, but the picture says 200 m: a look-alike street, unless it lasts.
    const answers = [14, 16, 18, 20, 22, 24].map((x, i) =>
      judge.judge(weighed(0.95, evidenceFor(100 + i, 190 + x)), imageAt(10 + i, x), SETTINGS),
    );
    expect(answers.slice(0, 3).map(({ rejectReason }) => rejectReason)).to.deep.equal([
      'odometry',
      'odometry',
      'odometry',
    ]);
    expect(answers[2]!.state).to.equal('lost');
    expect(answers.at(-1)).to.include({ accepted: true, state: 'localized' });
  });

  it('lets a robot that was carried be found again, however surely the first images tell where', () => {
    const judge = new PlaceJudge('localization');
    for (const [second, x] of [0, 2, 4].entries())
      judge.judge(weighed(0.95, evidenceFor(second + 1, x)), imageAt(second, x), SETTINGS);
    // Carried by 186 m: nothing, then a hunch, then certainty.
    const confidences = [0.3, 0.3, 0.3, 0.7, ...Array.from({ length: 12 }, () => 0.95)];
    const answers = confidences.map((confidence, i) =>
      judge.judge(weighed(confidence, evidenceFor(100 + i, 200 + 2 * i)), imageAt(10 + i, 14 + 2 * i), SETTINGS),
    );
    expect(answers[3]).to.include({ state: 'candidate', rejectReason: 'low_confidence' });
    expect(answers.slice(4, 13).map(({ rejectReason }) => rejectReason)).to.deep.equal(Array(9).fill('odometry'));
    expect(answers.at(-1)).to.include({ accepted: true, state: 'localized' });
  });

  it('measures the odometry from what balanced would accept, at a stricter threshold too', () => {
    const judge = new PlaceJudge('localization');
    const strict = (second: number, confidence: number, x: number, placeX = x) =>
      judge.judge(weighed(confidence, evidenceFor(second + 1, placeX), 0.99), imageAt(second, x), SETTINGS);
    for (const [second, x] of [0, 2, 4].entries())
      expect(strict(second, 0.95, x)).to.include({ accepted: false, rejectReason: 'low_confidence' });
    // Sure of a street 200 m away, of which the odometry knows better since the images that were not sure enough to be told.
    expect(strict(3, 0.999, 6, 200).rejectReason).to.equal('odometry');
    expect(strict(4, 0.999, 8).rejectReason).to.equal('temporal');
    expect(strict(5, 0.999, 10).accepted).to.equal(true);
  });

  it('slam: lets the gate grow with the way driven since the reference was made', () => {
    const gate = (drivenM: number): string => {
      const judge = new PlaceJudge('slam');
      judge.noteReference(1, 0);
      const image = { ...imageAt(0, 0), drivenM, pose: at(30) };
      const settings = { ...SETTINGS, confirmImages: 1 };
      return judge.judge(weighed(0.95, evidenceFor(1, 0)), image, settings).rejectReason;
    };
    expect(gate(30)).to.equal('odometry');
    expect(gate(1000)).to.equal('none');
  });
});
