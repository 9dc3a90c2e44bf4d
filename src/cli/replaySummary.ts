import type { Recognition } from '../core/recognition.js';
import { spreadOf } from '../evaluation/percentiles.js';
import { unreadableText } from '../report/terminalTable.js';
import type { JudgedReplay } from './judgeReplay.js';
import type { Replay, ReplayedImage } from './replayImages.js';

function countBy(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of [...values].sort()) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;

function imageRecord({ number, recognition }: ReplayedImage, correct: boolean | undefined) {
  const { stampNs, camera, name, state, placeId, referenceId, label, confidence, margin } = recognition;
  return {
    number,
    name,
    camera,
    stampNs: String(stampNs),
    state,
    placeId,
    referenceId,
    label,
    confidence: rounded(confidence),
    margin: rounded(margin),
    accepted: recognition.accepted,
    rejectReason: recognition.rejectReason,
    closure: recognition.loopClosure !== undefined,
    ...(recognition.loopClosure?.verified === true ? { verified: true } : {}),
    ...(recognition.inliers === undefined ? {} : { inliers: recognition.inliers }),
    ...(recognition.addedReferenceId === undefined ? {} : { addedReferenceId: recognition.addedReferenceId }),
    ...(correct === undefined ? {} : { correct }),
  };
}

function latencyOf(recognitions: readonly Recognition[]) {
  const stage = (pick: (recognition: Recognition) => number) => spreadOf(recognitions.map(pick));
  return {
    decodeMs: stage(({ latency }) => latency.decodeMs),
    inferenceMs: stage(({ latency }) => latency.inferenceMs),
    searchMs: stage(({ latency }) => latency.searchMs),
    decisionMs: stage(({ latency }) => latency.decisionMs),
    totalMs: stage(({ latency }) => latency.totalMs),
  };
}

/** Everything that a replay says, for JSON. Two runs give the same object but for `latency`, `memory`. */
export function summarizeReplay(replay: Replay, judged: JudgedReplay | undefined) {
  const recognitions = replay.images.map(({ recognition }) => recognition);
  const correct = new Map(judged?.queries.map(({ number }, i) => [number, judged.correct[i]!]));
  const closures = replay.images.filter(({ recognition }) => recognition.loopClosure !== undefined);
  const judgedClosures = closures.filter(({ number }) => correct.has(number));
  const rightClosures = judgedClosures.filter(({ number }) => correct.get(number) === true).length;
  return {
    images: { processed: replay.images.length, skipped: replay.skipped, skippedByCode: replay.skippedByCode },
    states: countBy(recognitions.map(({ state }) => state)),
    accepted: recognitions.filter(({ accepted }) => accepted).length,
    rejectReasons: countBy(recognitions.filter(({ accepted }) => !accepted).map(({ rejectReason }) => rejectReason)),
    referencesAdded: recognitions.filter(({ addedReferenceId }) => addedReferenceId !== undefined).length,
    loopClosures: {
      count: closures.length,
      ...(judged === undefined
        ? {}
        : {
            judged: judgedClosures.length,
            correct: rightClosures,
            precision: judgedClosures.length === 0 ? 1 : rightClosures / judgedClosures.length,
          }),
    },
    ...(judged === undefined ? {} : { evaluation: judged.evaluation }),
    answers: replay.images.map((image) => imageRecord(image, correct.get(image.number))),
    latency: latencyOf(recognitions),
  };
}

export type ReplaySummary = ReturnType<typeof summarizeReplay>;

const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;

/** The summary as a person reads it. */
export function replayText(summary: ReplaySummary): string {
  const { images, states, accepted, rejectReasons, loopClosures, latency, evaluation } = summary;
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none';
  const lines = [
    `images         ${images.processed} processed, ${images.skipped} skipped${images.skipped === 0 ? '' : ` (${list(images.skippedByCode)})`}`,
    `states         ${list(states)}`,
    `accepted       ${accepted}; rejected: ${list(rejectReasons)}`,
    `references     ${summary.referencesAdded} added`,
    `loop closures  ${loopClosures.count}`,
    `latency        p50 ${latency.totalMs.p50.toFixed(1)} ms, p99 ${latency.totalMs.p99.toFixed(1)} ms (inference p50 ${latency.inferenceMs.p50.toFixed(1)} ms)`,
  ];
  for (const answer of summary.answers)
    if (answer.closure)
      lines.push(
        `  closure  ${answer.number} ${answer.name} -> reference ${answer.referenceId} ${answer.label}, place ${answer.placeId}, confidence ${answer.confidence.toFixed(3)}${answer.inliers === undefined ? '' : `, ${answer.inliers} inliers`}${answer.correct === undefined ? '' : answer.correct ? ', right' : ', WRONG'}`,
      );
  if (evaluation !== undefined) {
    const { recall, precisionRecall, accepted: figures, calibration } = evaluation;
    lines.push(
      `judged         ${evaluation.queries} images, ${evaluation.queriesWithoutPositives} without positives (${evaluation.groundTruth})${unreadableText(evaluation)}`,
      `recall         @1 ${percent(recall['1']!)}, @5 ${percent(recall['5']!)}, @10 ${percent(recall['10']!)}`,
      `accepted       precision ${percent(figures?.precision ?? 1)}, recall ${percent(figures?.recall ?? 0)} (${figures?.accepted ?? 0} accepted, ${figures?.correct ?? 0} right)`,
      `any threshold  recall at 100 % precision ${percent(precisionRecall.recallAt100Precision)}, at 99 % ${percent(precisionRecall.recallAt99Precision)}, AUC ${precisionRecall.areaUnderCurve.toFixed(3)}`,
    );
    if (calibration !== undefined)
      lines.push(
        `calibration    expected error ${calibration.expectedCalibrationError.toFixed(3)}, Brier ${calibration.brier.toFixed(3)}`,
      );
  }
  return `${lines.join('\n')}\n`;
}
