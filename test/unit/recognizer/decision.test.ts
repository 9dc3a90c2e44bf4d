import { expect } from 'chai';
import type { Reference } from '../../../src/core/reference.js';
import { VprError } from '../../../src/core/VprError.js';
import { areNeighbours } from '../../../src/recognizer/Candidate.js';
import { ClosureGate } from '../../../src/recognizer/ClosureGate.js';
import {
  confidenceOf,
  confidenceWithGeometry,
  GENERIC_CONFIDENCE,
  interpolate,
  parseConfidenceModel,
  type GeometryTerm,
} from '../../../src/recognizer/ConfidenceModel.js';
import { FEATURES, weighEvidence } from '../../../src/recognizer/Evidence.js';
import type { Weighed } from '../../../src/recognizer/EvidenceWeigher.js';
import { withGeometry } from '../../../src/recognizer/GeometricCheck.js';
import { matchCovariance } from '../../../src/recognizer/matchCovariance.js';
import { PlaceTracker } from '../../../src/recognizer/PlaceTracker.js';
import { RecentReferences } from '../../../src/recognizer/RecentReferences.js';

function reference(referenceId: number, x?: number, placeId = referenceId): Reference {
  return {
    referenceId,
    placeId,
    sessionId: 1,
    label: '',
    camera: 'c',
    stampNs: 0n,
    ...(x === undefined ? {} : { pose: { position: [x, 0, 0] as const, orientation: [0, 0, 0, 1] as const } }),
  };
}

const NEIGHBOURHOOD = { distanceM: 10, places: 2 };

describe('areNeighbours', () => {
  it('goes by distance with poses, by place id without', () => {
    expect(areNeighbours(reference(1, 0), reference(50, 9), NEIGHBOURHOOD)).to.equal(true);
    expect(areNeighbours(reference(1, 0), reference(2, 11), NEIGHBOURHOOD)).to.equal(false);
    expect(areNeighbours(reference(1), reference(3), NEIGHBOURHOOD)).to.equal(true);
    expect(areNeighbours(reference(1), reference(4), NEIGHBOURHOOD)).to.equal(false);
    expect(areNeighbours(reference(1, 0, 7), reference(2, 500, 7), NEIGHBOURHOOD), 'one place').to.equal(true);
  });
});

describe('weighEvidence', () => {
  const candidate = (id: number, x: number, similarity: number, hamming: number) => ({
    reference: reference(id, x),
    similarity,
    hamming,
  });
  const context = {
    chosen: 0,
    background: { median: 0.3, spread: 0.1 },
    references: 1000,
    neighbourhood: NEIGHBOURHOOD,
  };

  it('takes the margin to the best candidate outside the neighbourhood', () => {
    const candidates = [candidate(1, 0, 0.9, 40), candidate(2, 2, 0.88, 42), candidate(9, 100, 0.6, 90)];
    const { margin, features } = weighEvidence({ ...context, candidates });
    expect(margin).to.be.closeTo(0.3, 1e-9);
    const byName = Object.fromEntries(FEATURES.map((name, i) => [name, features[i]!]));
    expect(byName['zScore']).to.be.closeTo(6, 1e-9);
    expect(byName['agreement']).to.be.closeTo(2 / 3, 1e-9);
    expect(byName['logReferences']).to.be.closeTo(3, 1e-9);
  });

  it('does not depend on the code, which may be the map’s own', () => {
    const seen = (distances: readonly [number, number]): Float64Array =>
      weighEvidence({
        ...context,
        candidates: [candidate(1, 0, 0.9, distances[0]), candidate(9, 100, 0.6, distances[1])],
      }).features;
    expect(seen([40, 90])).to.deep.equal(seen([120, 110]));
  });

  it('takes it to the background where nothing else is in the map, and lets it be negative for a filter’s choice', () => {
    expect(weighEvidence({ ...context, candidates: [candidate(1, 0, 0.9, 4)] }).margin).to.be.closeTo(0.6, 1e-9);
    const candidates = [candidate(9, 100, 0.6, 90), candidate(1, 0, 0.5, 80)];
    expect(weighEvidence({ ...context, candidates, chosen: 1 }).margin).to.be.closeTo(-0.1, 1e-9);
  });
});

const TERM: GeometryTerm = { weights: [-4, 1, 1], thresholds: { precision: 0.99, balanced: 0.9, recall: 0.7 } };
const GEOMETRY = { single: TERM, temporal: TERM };

describe('withGeometry', () => {
  const weighed: Weighed = {
    kind: 'temporal',
    candidates: [],
    zScores: [],
    confidence: 0.95,
    singleConfidence: 0.9,
    threshold: 0.93,
    anchorThreshold: 0.93,
    shares: new Float64Array(),
  };
  const model = { ...GENERIC_CONFIDENCE, geometry: GEOMETRY };
  const settings = { acceptanceProbability: 0, preset: 'balanced' as const };

  it('raises the confidence with the inliers, lowers it without, and takes the thresholds of its own', () => {
    const [none, some, many] = [0, 12, 60].map((inliers) => withGeometry(weighed, { inliers }, model, settings)) as [
      Weighed,
      Weighed,
      Weighed,
    ];
    expect(none.confidence).to.be.lessThan(0.5);
    expect(many.confidence).to.be.greaterThan(some.confidence).and.greaterThan(0.98);
    for (const one of [none, some, many]) expect(one).to.include({ threshold: 0.9, plausible: true });
    expect(
      withGeometry(weighed, { inliers: 3 }, model, { ...settings, acceptanceProbability: 0.8 }).threshold,
    ).to.equal(0.8);
    expect(confidenceWithGeometry(TERM, 0.5, 0)).to.be.closeTo(1 / (1 + Math.exp(4)), 1e-12);
    expect(confidenceWithGeometry(TERM, 1, 5), 'nothing is beyond doubt').to.be.lessThan(1);
  });

  it('leaves a confidence alone that was fitted without, and one whose pictures could not be compared', () => {
    expect(withGeometry(weighed, { inliers: 40 }, GENERIC_CONFIDENCE, settings)).to.deep.equal({
      ...weighed,
      geometry: { inliers: 40 },
    });
    expect(withGeometry(weighed, undefined, model, settings)).to.equal(weighed);
  });
});

describe('ConfidenceModel', () => {
  it('survives JSON and stays a probability', () => {
    const model = parseConfidenceModel(JSON.stringify(GENERIC_CONFIDENCE), 'test');
    for (let i = 0; i < 100; i++) {
      const features = Float64Array.from(FEATURES, (_, k) => (k === 0 ? 1 : Math.sin(i * 7 + k) * 8));
      for (const part of [model.single, model.temporal]) expect(confidenceOf(part, features)).to.be.within(0, 1);
    }
  });

  it('keeps the term of the pictures', () => {
    const json = JSON.stringify({ ...GENERIC_CONFIDENCE, geometry: GEOMETRY });
    expect(parseConfidenceModel(json, 'test').geometry).to.deep.equal(GEOMETRY);
  });

  it('rises with every lead', () => {
    const some: Partial<Record<(typeof FEATURES)[number], number>> = {
      bias: 1,
      similarity: 0.5,
      zScore: 2,
      marginZ: 0.5,
      agreement: 0.3,
      logReferences: 2,
    };
    const base = Float64Array.from(FEATURES, (name) => some[name] ?? 0);
    for (const name of ['marginZ', 'agreement', 'temporal'] as const) {
      const more = Float64Array.from(base);
      more[FEATURES.indexOf(name)]! += 1;
      expect(confidenceOf(GENERIC_CONFIDENCE.temporal, more), name).to.be.at.least(
        confidenceOf(GENERIC_CONFIDENCE.temporal, base),
      );
    }
  });

  it('interpolates between knots', () => {
    expect(interpolate([0, 0.5, 1], [0, 0.2, 1], 0.25)).to.be.closeTo(0.1, 1e-12);
    expect(interpolate([0, 0.5, 1], [0, 0.2, 1], 0.75)).to.be.closeTo(0.6, 1e-12);
    expect(interpolate([], [], 0.3)).to.equal(0.3);
  });

  const broken: readonly (readonly [string, (model: Record<string, unknown>) => unknown])[] = [
    ['formatVersion', (m) => (m['formatVersion'] = 99)],
    ['features', (m) => (m['features'] = ['bias'])],
    ['single.weights', (m) => ((m['single'] as { weights: unknown }).weights = [1])],
    ['temporal.isotonic', (m) => ((m['temporal'] as { isotonic: unknown }).isotonic = { x: [0.5, 0.2], y: [0, 1] })],
    ['geometry.temporal.weights', (m) => (m['geometry'] = { ...GEOMETRY, temporal: { weights: [1, 2] } })],
    ['geometry.single.thresholds', (m) => (m['geometry'] = { ...GEOMETRY, single: { weights: [1, 2, 3] } })],
    ['likelihood', (m) => (m['likelihood'] = {})],
  ];
  for (const [name, spoil] of broken)
    it(`refuses a bad ${name}`, () => {
      const copy = JSON.parse(JSON.stringify(GENERIC_CONFIDENCE)) as Record<string, unknown>;
      spoil(copy);
      expect(() => parseConfidenceModel(JSON.stringify(copy), 'x')).to.throw(VprError, name);
    });
});

describe('PlaceTracker', () => {
  const fits = () => true;
  it('confirms, holds on over single rejections, and is lost after many', () => {
    const tracker = new PlaceTracker();
    expect(tracker.accept(reference(1), fits, 2)).to.deep.equal({
      state: 'candidate',
      accepted: false,
      rejectReason: 'temporal',
    });
    expect(tracker.accept(reference(2), fits, 2)).to.include({ state: 'localized', accepted: true });
    expect(tracker.reject('low_confidence', false, 3)).to.include({ state: 'localized', accepted: false });
    expect(tracker.accept(reference(3), fits, 2)).to.include({ state: 'localized', accepted: true });
    for (let i = 0; i < 2; i++) expect(tracker.reject('low_confidence', false, 3).state).to.equal('localized');
    expect(tracker.reject('low_confidence', false, 3).state).to.equal('lost');
    expect(tracker.reject('low_confidence', false, 3).state).to.equal('lost');
    expect(tracker.accept(reference(9), () => false, 2).state).to.equal('candidate');
    expect(tracker.accept(reference(9), fits, 2).state).to.equal('localized');
  });

  it('does not accept a jump before it is confirmed', () => {
    const tracker = new PlaceTracker();
    tracker.accept(reference(1), fits, 2);
    tracker.accept(reference(1), fits, 2);
    expect(tracker.accept(reference(80), () => false, 2)).to.include({ accepted: false, rejectReason: 'temporal' });
    expect(tracker.accept(reference(81), fits, 2)).to.include({ accepted: true, state: 'localized' });
  });

  it('accepts at once where one image confirms', () => {
    expect(new PlaceTracker().accept(reference(1), fits, 1)).to.include({ accepted: true, state: 'localized' });
  });
});

describe('ClosureGate', () => {
  const settings = { debounceS: 2, muteAfterRejections: 2, muteS: 10 };
  const s = (seconds: number): bigint => BigInt(seconds) * 1_000_000_000n;

  it('debounces each place by itself', () => {
    const gate = new ClosureGate();
    expect([gate.trySend(1, s(0), settings), gate.trySend(1, s(1), settings)]).to.deep.equal([true, false]);
    expect([gate.trySend(2, s(1), settings), gate.trySend(1, s(2), settings)]).to.deep.equal([true, true]);
  });

  it('mutes a place that is rejected again and again, for a while', () => {
    const gate = new ClosureGate();
    gate.report(5, false, s(0), settings);
    expect(gate.isMuted(5, s(1))).to.equal(false);
    gate.report(5, false, s(1), settings);
    expect(gate.isMuted(5, s(2))).to.equal(true);
    expect(gate.mutedPlaces(s(2))).to.deep.equal([5]);
    expect(gate.isMuted(5, s(12))).to.equal(false);
    gate.report(6, false, s(2), settings);
    gate.report(6, true, s(3), settings);
    gate.report(6, false, s(4), settings);
    expect(gate.isMuted(6, s(5)), 'an accepted closure clears the count').to.equal(false);
  });
});

describe('RecentReferences', () => {
  it('leaves out exactly the references of the last seconds', () => {
    const recent = new RecentReferences();
    for (let i = 0; i < 10; i++) recent.add(100 + i, BigInt(i) * 1_000_000_000n);
    expect(recent.excluded(10_000_000_000n, 3)).to.deep.equal([[108, 109]]);
    expect(recent.excluded(100_000_000_000n, 3)).to.deep.equal([]);
    // exclude_recent_s may be raised while the node runs.
    expect(recent.excluded(100_000_000_000n, 95)).to.deep.equal([[106, 109]]);
  });
});

describe('matchCovariance', () => {
  const inputs = { spacingM: 2, confidence: 0.99, neighbourhoodM: 10, positionFloorM: 0.25, angleFloorDeg: 10 };
  it('is diagonal, positive, and grows with doubt and with the spacing of the map', () => {
    const covariance = matchCovariance(inputs);
    for (let i = 0; i < 6; i++)
      for (let j = 0; j < 6; j++)
        if (i === j) expect(covariance[i * 7]).to.be.greaterThan(0);
        else expect(covariance[i * 6 + j]).to.equal(0);
    expect(matchCovariance({ ...inputs, confidence: 0.8 })[0]).to.be.greaterThan(covariance[0]!);
    expect(matchCovariance({ ...inputs, spacingM: 5 })[0]).to.be.greaterThan(covariance[0]!);
    expect(Math.sqrt(matchCovariance({ ...inputs, spacingM: 0, confidence: 1 })[0]!)).to.be.closeTo(0.25, 1e-9);
  });
});
