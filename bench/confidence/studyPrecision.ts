import path from 'node:path';
import { openImageSource } from '../../src/bag/openImageSource.js';
import { judgeLaps, readGroundTruthFile } from '../../src/cli/judgeReplay.js';
import { replayImages } from '../../src/cli/replayImages.js';
import { playWorld, type Play } from '../../src/cli/tuning/playWorld.js';
import { precisionRecall, type Answer } from '../../src/evaluation/precisionRecall.js';
import { openRecognizer } from '../../src/worker/openRecognizer.js';
import { answersOf, playTowns, rounded, type Study } from './openStudy.js';

function figures(answers: readonly Answer[]) {
  const answerable = answers.filter((answer) => answer.answerable);
  const { recallAt100Precision, recallAt99Precision, areaUnderCurve } = precisionRecall(answers);
  return {
    queries: answerable.length,
    recallAt1: rounded(answerable.filter(({ correct }) => correct).length / answerable.length),
    recallAt100Precision: rounded(recallAt100Precision),
    recallAt99Precision: rounded(recallAt99Precision),
    areaUnderCurve: rounded(areaUnderCurve),
  };
}

function onAndOff(plays: readonly Play[], { confidence }: Study) {
  return {
    off: figures(answersOf(plays, 'single', confidence)),
    on: figures(answersOf(plays, 'temporal', confidence)),
  };
}

/** The real loop, as `vpr replay --mode slam` plays it; every image of the first lap is a negative. */
async function loopBag({ modelPath, data }: Study, temporalFilter: 'bayes' | 'none') {
  const source = await openImageSource(path.join(data, 'bags', 'rtabmap_indoor_loop_mcap'));
  const recognizer = await openRecognizer({
    modelPath,
    mode: 'slam',
    executionProviders: ['cpu'],
    parameters: { temporal_filter: temporalFilter },
  });
  try {
    const replay = await replayImages(source, recognizer);
    const truth = readGroundTruthFile(path.join(data, 'sets', 'rtabmap-indoor-loop', 'ground_truth.json'));
    const { evaluation, queries, correct } = judgeLaps(replay, truth, { first: 1, last: 40 }, { first: 44, last: 79 });
    const closures = queries.flatMap(({ recognition }, i) =>
      recognition.loopClosure === undefined ? [] : [correct[i]!],
    );
    const { recall, precisionRecall: curve } = evaluation;
    return {
      queries: evaluation.queries - evaluation.queriesWithoutPositives,
      recallAt1: rounded(recall['1']!),
      recallAt100Precision: rounded(curve.recallAt100Precision),
      recallAt99Precision: rounded(curve.recallAt99Precision),
      areaUnderCurve: rounded(curve.areaUnderCurve),
      closures: closures.length,
      rightClosures: closures.filter((right) => right).length,
    };
  } finally {
    await recognizer.close();
    await source.close();
  }
}

/** Recall at 100 % and 99 % precision with the temporal filter on and off. */
export async function studyPrecision(study: Study) {
  const { settings, confidence, library, data } = study;
  const options = { settings, confidence };
  const results: Record<string, { on: object; off: object }> = {};
  for (const name of ['nordland-seasons', 'corridor-indoor', 'gardens-point-lateral'])
    results[name] = onAndOff([await playWorld(await library.set(path.join(data, 'sets', name)), options)], study);
  results['rtabmap loop bag, slam'] = { off: await loopBag(study, 'none'), on: await loopBag(study, 'bayes') };
  const { whole, open, blind } = await playTowns(study);
  results['rendered towns, odometry'] = onAndOff(whole, study);
  results['rendered towns, odometry, a third of the map removed'] = onAndOff(open, study);
  results['rendered towns, no poses'] = onAndOff(blind, study);
  return results;
}
