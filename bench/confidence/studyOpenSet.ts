import { aThird, playWorld, withoutPoses, type Play } from '../../src/cli/tuning/playWorld.js';
import type { TuningWorld } from '../../src/cli/tuning/TuningWorld.js';
import { PRESETS, TARGET_FALSE_POSITIVE_RATE } from '../../src/recognizer/ConfidenceModel.js';
import { judgedWorlds, rounded, type Study } from './openStudy.js';

/** Other towns whose drives are played against each town's map. */
const STRANGERS = 3;

function accepted(plays: readonly Play[], target: number) {
  const images = plays.flatMap((play) => play.images);
  const negatives = images.filter(({ truth }) => truth === 'not shown');
  const shown = images.filter(({ truth }) => truth === 'shown');
  const wrong = negatives.filter(({ recognition }) => recognition.accepted).length;
  const right = shown.filter(({ recognition, temporal }) => recognition.accepted && temporal?.verdict === 'right');
  const rate = wrong / negatives.length;
  return {
    target,
    negatives: negatives.length,
    accepted: wrong,
    falsePositiveRate: rounded(rate, 5),
    ofTarget: rounded(rate / target, 2),
    shown: shown.length,
    rightAccepted: rounded(right.length / Math.max(1, shown.length)),
    wrongAccepted: shown.filter(({ recognition, temporal }) => recognition.accepted && temporal?.verdict === 'wrong')
      .length,
  };
}

/** What each preset accepts of images whose place is not in the map: queries of removed places, of other towns. */
export async function studyOpenSet(study: Study) {
  const { settings, confidence } = study;
  const worlds = await judgedWorlds(study);
  const results: Record<string, Record<string, object>> = {};
  for (const [name, temporalFilter] of [
    ['filter on', 'bayes'],
    ['filter off', 'none'],
  ] as const)
    for (const preset of PRESETS) {
      const options = { settings: { ...settings, preset, temporalFilter }, confidence };
      const plays: Play[] = [];
      for (const [home, world] of worlds.entries()) {
        const without = aThird(world.references.length);
        for (const seen of [world, withoutPoses(world)]) plays.push(await playWorld(seen, { ...options, without }));
        for (let step = 1; step <= STRANGERS; step++) {
          const { queries } = worlds[(home + step) % worlds.length]!;
          const strange: TuningWorld = { ...world, queries, verdict: () => 'wrong' };
          plays.push(await playWorld(step === STRANGERS ? withoutPoses(strange) : strange, options));
        }
      }
      results[name] = { ...results[name], [preset]: accepted(plays, TARGET_FALSE_POSITIVE_RATE[preset]) };
    }
  return results;
}
