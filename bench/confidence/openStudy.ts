import { readFileSync } from 'node:fs';
import path from 'node:path';
import { aThird, playWorld, withoutPoses, type Play } from '../../src/cli/tuning/playWorld.js';
import type { TuningWorld } from '../../src/cli/tuning/TuningWorld.js';
import { drivenTuningWorld } from '../../src/cli/tuning/tuningWorlds.js';
import { parseParameters } from '../../src/config/parseParameters.js';
import type { Answer } from '../../src/evaluation/precisionRecall.js';
import { openModel } from '../../src/inference/openModel.js';
import { confidenceOf, parseConfidenceModel, type ConfidenceModel } from '../../src/recognizer/ConfidenceModel.js';
import type { RecognizerSettings } from '../../src/recognizer/RecognizerSettings.js';
import { CALIBRATION_FILE } from '../../src/worker/confidenceFor.js';
import { recognizerSettings } from '../../src/worker/recognizerSettings.js';
import { DriveLibrary } from './DriveLibrary.js';
import { JUDGED_SEEDS, pairOf } from './drives.js';

/** A right place is at most this far and turned by at most this; beyond twice the distance it is wrong. */
export const RULE = { distanceM: 10, angleDeg: 40 } as const;
export const SETS = ['nordland-seasons', 'corridor-indoor', 'gardens-point-lateral', 'rtabmap-indoor-loop'] as const;

/** What a study is given: a model with the confidence that ships with it, drives, data. */
export interface Study {
  readonly library: DriveLibrary;
  readonly modelPath: string;
  readonly confidence: ConfidenceModel;
  readonly settings: RecognizerSettings;
  /** Folder with bags/ and sets/. */
  readonly data: string;
  /** Folder of pictures and descriptors. */
  readonly cache: string;
}

export async function openStudy(modelPath: string, cache: string): Promise<Study> {
  const file = path.join(modelPath, CALIBRATION_FILE);
  return {
    library: new DriveLibrary(await openModel(modelPath), cache),
    modelPath,
    confidence: parseConfidenceModel(readFileSync(file, 'utf8'), file),
    settings: recognizerSettings(parseParameters({})),
    data: process.env['VPR_DATA'] ?? '../shared/data',
    cache,
  };
}

/** The worlds that everything is judged on: the query drives take the conditions in turn. */
export async function judgedWorlds({ library }: Study): Promise<TuningWorld[]> {
  const worlds: TuningWorld[] = [];
  for (const [n, seed] of JUDGED_SEEDS.entries()) {
    const [mapped, driven] = pairOf(seed, n);
    const drives = { mapped: await library.drive(mapped), driven: await library.drive(driven), rule: RULE };
    worlds.push(drivenTuningWorld(`town ${seed}, ${driven.condition}`, library.dimension, drives));
  }
  return worlds;
}

/** Answers that the ground truth can judge, with and without the filter. */
export interface JudgedAnswer extends Answer {
  /** Cosine similarity of the reported reference. */
  readonly similarity: number;
}

export function answersOf(
  plays: readonly Play[],
  kind: 'single' | 'temporal',
  confidence: ConfidenceModel,
): JudgedAnswer[] {
  return plays.flatMap(({ images }) =>
    images.flatMap((image) => {
      const seen = image[kind];
      if (seen === undefined || seen.verdict === 'unclear' || image.truth === 'unclear') return [];
      return [
        {
          score: confidenceOf(confidence[kind], seen.evidence.features),
          correct: seen.verdict === 'right',
          answerable: image.truth === 'shown',
          similarity: seen.evidence.best.similarity,
        },
      ];
    }),
  );
}

export const rounded = (value: number, digits = 4): number => Number(value.toFixed(digits));

/** The judged towns against their whole map, against one without a third of it, and without poses. */
export async function playTowns(study: Study): Promise<Record<'whole' | 'open' | 'blind', Play[]>> {
  const { settings, confidence } = study;
  const options = { settings, confidence };
  const plays: Record<'whole' | 'open' | 'blind', Play[]> = { whole: [], open: [], blind: [] };
  for (const world of await judgedWorlds(study)) {
    plays.whole.push(await playWorld(world, options));
    plays.open.push(await playWorld(world, { ...options, without: aThird(world.references.length) }));
    plays.blind.push(await playWorld(withoutPoses(world), options));
  }
  return plays;
}
