import { playWorld, type Play } from '../../src/cli/tuning/playWorld.js';
import type { TuningWorld } from '../../src/cli/tuning/TuningWorld.js';
import { drivenTuningWorld } from '../../src/cli/tuning/tuningWorlds.js';
import { PRESETS } from '../../src/recognizer/ConfidenceModel.js';
import { aliasedStretches, CORRIDOR_SEEDS, corridorDrives, openDrive } from './drives.js';
import { RULE, type Study } from './openStudy.js';

/** Metres beyond the first look-alike stretch that are still in the half map. */
const BEYOND_M = 15;

function counts(plays: readonly Play[]) {
  const images = plays.flatMap((play) => play.images);
  const of = (verdict: 'right' | 'wrong', pick: (image: (typeof images)[number]) => boolean): number =>
    images.filter((image) => pick(image) && image.temporal?.verdict === verdict).length;
  const closes = ({ recognition }: (typeof images)[number]): boolean => recognition.loopClosure !== undefined;
  const reasons: Record<string, number> = {};
  for (const { recognition, temporal } of images)
    if (!recognition.accepted && temporal?.verdict === 'wrong')
      reasons[recognition.rejectReason] = (reasons[recognition.rejectReason] ?? 0) + 1;
  return {
    frames: images.length,
    wrongAnswers: of('wrong', () => true),
    wrongClosures: of('wrong', closes),
    rightClosures: of('right', closes),
    wrongAccepted: of('wrong', ({ recognition }) => recognition.accepted),
    wrongAnswersRejected: reasons,
  };
}

/**
 * Slow drives through two streets that look alike, 200 images in each of ten towns: against a map of both, and against a
 * map that ends after the first, so that every answer in the second is wrong.
 */
export async function studyCorridor({ library, settings, confidence }: Study) {
  const worlds: { both: TuningWorld; first: (reference: number) => boolean }[] = [];
  for (const [n, seed] of CORRIDOR_SEEDS.entries()) {
    const [mapping, driving] = corridorDrives(seed, n);
    const drives = { mapped: await library.drive(mapping), driven: await library.drive(driving), rule: RULE };
    const { distancesM } = openDrive(mapping, library.pictures);
    const endM = aliasedStretches(seed)[0][1] + BEYOND_M;
    const both = drivenTuningWorld(`town ${seed}, ${driving.condition}`, library.dimension, drives);
    worlds.push({ both, first: (reference) => distancesM[reference]! > endM });
  }
  const results: Record<string, Record<string, object>> = {};
  for (const preset of PRESETS)
    for (const temporalFilter of ['bayes', 'none'] as const) {
      const options = { settings: { ...settings, preset, temporalFilter }, confidence };
      const [both, first]: Play[][] = [[], []];
      for (const world of worlds) {
        both!.push(await playWorld(world.both, options));
        first!.push(await playWorld(world.both, { ...options, without: world.first }));
      }
      const name = `${preset}, ${temporalFilter === 'bayes' ? 'filter' : 'one image'}`;
      results[name] = { 'map of both': counts(both!), 'map of the first': counts(first!) };
    }
  return results;
}
