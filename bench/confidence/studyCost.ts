import { composeAnswer } from '../../src/recognizer/composeAnswer.js';
import type { Pose } from '../../src/core/pose.js';
import type { Reference } from '../../src/core/reference.js';
import type { StampedImage } from '../../src/core/StampedImage.js';
import { spreadOf } from '../../src/evaluation/percentiles.js';
import type { Candidate } from '../../src/recognizer/Candidate.js';
import { EvidenceWeigher } from '../../src/recognizer/EvidenceWeigher.js';
import { PlaceJudge } from '../../src/recognizer/PlaceJudge.js';
import { uniformNumbers } from '../../src/core/mulberry32.js';
import { rounded, type Study } from './openStudy.js';

const FRAMES = 3000;
const CANDIDATES = 50;
const SPACING_M = 2;

/** Reference i of a drive that winds over a square of the map's size. */
function referenceAt(index: number, places: number): Reference {
  const row = Math.ceil(Math.sqrt(places));
  const position: Pose['position'] = [(index % row) * SPACING_M, Math.floor(index / row) * SPACING_M, 0];
  return {
    referenceId: index + 1,
    placeId: index + 1,
    sessionId: 1,
    label: '',
    camera: 'front',
    stampNs: BigInt(index) * 1_000_000_000n,
    pose: { position, orientation: [0, 0, 0, 1] },
  };
}

/** Ten candidates about the robot's place, forty anywhere, in the order of their similarity. */
function candidatesOf(frame: number, places: number, random: () => number): Candidate[] {
  const indices = new Set<number>();
  for (let k = -4; k <= 5; k++) indices.add(Math.min(places - 1, Math.max(0, frame + k)));
  while (indices.size < CANDIDATES) indices.add(Math.floor(random() * places));
  return Array.from(indices, (index, rank) => ({
    reference: referenceAt(index, places),
    hamming: 40 + 3 * rank,
    similarity: 0.85 - 0.008 * rank + 0.01 * random(),
  }));
}

/** Milliseconds a frame of everything between search and message: filter, evidence, calibration, decision, answer. */
export function studyCost({ confidence, settings }: Study) {
  const results: Record<string, object> = {};
  for (const places of [10_000, 1_000_000]) {
    const random = uniformNumbers(places);
    const weigher = new EvidenceWeigher(confidence);
    const judge = new PlaceJudge('localization');
    const times: number[] = [];
    const odometry: Pose = { position: [SPACING_M, 0, 0], orientation: [0, 0, 0, 1] };
    for (let frame = 0; frame < FRAMES; frame++) {
      const query = {
        candidates: candidatesOf(frame, places, random),
        background: { median: 0.5, spread: 0.1 },
        references: places,
      };
      const stampNs = BigInt(frame) * 1_000_000_000n;
      const image: StampedImage = {
        image: { kind: 'compressed', format: 'jpeg', data: new Uint8Array() },
        camera: 'front',
        frameId: 'front',
        stampNs,
        name: '',
      };
      const startMs = performance.now();
      const weighed = weigher.weigh(query, { elapsedS: 1, odometry, spacingM: SPACING_M }, settings);
      const judged = { timeNs: stampNs, drivenM: SPACING_M * frame, spacingM: SPACING_M, excluded: false };
      const judgement = judge.judge(weighed, judged, settings);
      composeAnswer(image, weighed, judgement, {
        settings,
        topK: settings.topK,
        spacingM: SPACING_M,
        closing: ({ placeId }) => (judge.trySend(placeId, stampNs, settings) ? 'send' : 'debounced'),
      });
      times.push(performance.now() - startMs);
    }
    // The first frames compile; what lasts counts.
    const { p50, p99 } = spreadOf(times.slice(500));
    results[`${places} places`] = { frames: FRAMES - 500, p50Ms: rounded(p50), p99Ms: rounded(p99) };
  }
  return results;
}
