import path from 'node:path';
import { playWorld, type Play } from '../../src/cli/tuning/playWorld.js';
import { bootstrapInterval, calibrationError, type ClaimedProbability } from '../../src/evaluation/calibrationError.js';
import { uniformNumbers } from '../../src/core/mulberry32.js';
import { answersOf, playTowns, rounded, SETS, type JudgedAnswer, type Study } from './openStudy.js';

/** Queries in a row that are drawn together for the bootstrap: neighbours say nearly the same. */
const BLOCK = 10;

const claimed = (answers: readonly JudgedAnswer[]): ClaimedProbability[] =>
  answers.map(({ score, correct }) => ({ confidence: score, correct }));
/** The similarity taken for a probability, as users of other systems must. */
const similar = (answers: readonly JudgedAnswer[]): ClaimedProbability[] =>
  answers.map(({ similarity, correct }) => ({ confidence: Math.min(1, Math.max(0, similarity)), correct }));

function figures(claims: readonly ClaimedProbability[], bins: number) {
  const { expectedCalibrationError, brier, bins: reliability } = calibrationError(claims, bins);
  const blocks = Array.from({ length: Math.ceil(claims.length / BLOCK) }, (_, i) =>
    claims.slice(i * BLOCK, (i + 1) * BLOCK),
  );
  const interval = bootstrapInterval(
    blocks,
    (sample) => calibrationError(sample.flat(), bins).expectedCalibrationError,
    uniformNumbers(1),
    { resamples: 400 },
  );
  return {
    answers: claims.length,
    expectedCalibrationError: rounded(expectedCalibrationError),
    interval: interval.map((value) => rounded(value)),
    brier: rounded(brier),
    reliability: reliability.map(({ count, meanConfidence, accuracy }) => ({
      count,
      meanConfidence: rounded(meanConfidence),
      accuracy: rounded(accuracy),
    })),
  };
}

function allFigures(plays: readonly Play[], { confidence }: Study, bins: number) {
  const [single, temporal] = [answersOf(plays, 'single', confidence), answersOf(plays, 'temporal', confidence)];
  return {
    filtered: figures(claimed(temporal), bins),
    oneImage: figures(claimed(single), bins),
    similarity: figures(similar(single), bins),
  };
}

/** How far the confidence is a probability: unseen rendered towns in 15 bins, the shared sets pooled in 5. */
export async function studyCalibration(study: Study) {
  const { settings, confidence, library, data } = study;
  const options = { settings, confidence };
  const { whole, open, blind } = await playTowns(study);
  const sets: Play[] = [];
  for (const name of SETS) sets.push(await playWorld(await library.set(path.join(data, 'sets', name)), options));
  return {
    'rendered, whole map': allFigures(whole, study, 15),
    'rendered, a third of the map removed': allFigures(open, study, 15),
    'rendered, both': allFigures([...whole, ...open], study, 15),
    'rendered, whole map, no poses': allFigures(blind, study, 15),
    'shared sets, pooled': allFigures(sets, study, 5),
  };
}
