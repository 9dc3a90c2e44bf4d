import path from 'node:path';
import { openImageSource } from '../../src/bag/openImageSource.js';
import { judgeLaps, readGroundTruthFile } from '../../src/cli/judgeReplay.js';
import { replayImages } from '../../src/cli/replayImages.js';
import { SampleDrive } from '../../src/cli/tuning/SampleDrive.js';
import { aThird, playWorld, type Play } from '../../src/cli/tuning/playWorld.js';
import type { TuningWorld } from '../../src/cli/tuning/TuningWorld.js';
import { drivenTuningWorld } from '../../src/cli/tuning/tuningWorlds.js';
import { angleBetween, composePoses, distanceBetween, invertPose, rotationQuaternion } from '../../src/core/pose.js';
import { calibrationError } from '../../src/evaluation/calibrationError.js';
import { percentile } from '../../src/evaluation/percentiles.js';
import { precisionRecall, type Answer } from '../../src/evaluation/precisionRecall.js';
import { compareViews } from '../../src/geometry/compareViews.js';
import { bodyRotation } from '../../src/geometry/RelativeView.js';
import { decodeImage } from '../../src/image/decodeImage.js';
import { PRESETS } from '../../src/recognizer/ConfidenceModel.js';
import type { RecognizerSettings } from '../../src/recognizer/RecognizerSettings.js';
import { SAMPLE_CAMERA } from '../../src/sample/Pinhole.js';
import { keyPointsOf, LEAST_TO_MEASURE } from '../../src/worker/ThumbnailComparer.js';
import { openRecognizer } from '../../src/worker/openRecognizer.js';
import { aliasedStretches, CORRIDOR_SEEDS, corridorDrives, JUDGED_SEEDS, openDrive, pairOf } from './drives.js';
import { RULE, rounded, type Study } from './openStudy.js';

/** Of the judged towns and streets the first so many: one of each light. Comparing pictures takes longer than all else. */
const TOWNS = JUDGED_SEEDS.slice(0, 6);
const STREETS = CORRIDOR_SEEDS.slice(0, 3);
/** Metres beyond the first look-alike stretch that are still in the half map. */
const BEYOND_M = 15;
/** References this near show the same views: their turns are judged. */
const SAME_VIEW_M = 3;

/** What a robot would get: answers with their confidence, and what each preset sends. */
function figures(answers: readonly Answer[]) {
  const { recallAt100Precision, recallAt99Precision, areaUnderCurve } = precisionRecall(answers);
  const claims = answers.map(({ score, correct }) => ({ confidence: score, correct }));
  return {
    recallAt100Precision: rounded(recallAt100Precision),
    recallAt99Precision: rounded(recallAt99Precision),
    areaUnderCurve: rounded(areaUnderCurve),
    expectedCalibrationError: rounded(calibrationError(claims).expectedCalibrationError),
  };
}

function answersOf(plays: readonly Play[]): Answer[] {
  return plays.flatMap(({ images }) =>
    images.flatMap(({ truth, temporal, recognition }) =>
      truth === 'unclear' || temporal === undefined || temporal.verdict === 'unclear'
        ? []
        : [{ score: recognition.confidence, correct: temporal.verdict === 'right', answerable: truth === 'shown' }],
    ),
  );
}

function closuresOf(plays: readonly Play[]) {
  const sent = plays.flatMap(({ images }) => images.filter(({ recognition }) => recognition.loopClosure !== undefined));
  const of = (verdict: 'right' | 'wrong'): number =>
    sent.filter(({ temporal }) => temporal?.verdict === verdict).length;
  return { right: of('right'), wrong: of('wrong') };
}

async function played(
  worlds: readonly { readonly world: TuningWorld; readonly without?: (reference: number) => boolean }[],
  { settings, confidence }: Study,
) {
  const run = async (changes: Partial<RecognizerSettings>): Promise<Play[]> => {
    const plays: Play[] = [];
    for (const { world, without } of worlds)
      plays.push(
        await playWorld(world, {
          settings: { ...settings, ...changes },
          confidence,
          ...(without === undefined ? {} : { without }),
        }),
      );
    return plays;
  };
  const result: Record<string, object> = {};
  for (const [name, geometricCheck] of [
    ['off', false],
    ['on', true],
  ] as const) {
    const closures: Record<string, object> = {};
    for (const preset of PRESETS) closures[preset] = closuresOf(await run({ geometricCheck, preset }));
    result[name] = { ...figures(answersOf(await run({ geometricCheck }))), closures };
  }
  return result;
}

/** The real loop in slam mode; every image of the first lap is a negative. */
async function loopBag({ modelPath, data }: Study) {
  const result: Record<string, object> = {};
  for (const [name, check] of [
    ['off', false],
    ['on', true],
  ] as const) {
    const closures: Record<string, object> = {};
    let last: object = {};
    for (const preset of PRESETS) {
      const source = await openImageSource(path.join(data, 'bags', 'rtabmap_indoor_loop_mcap'));
      const recognizer = await openRecognizer({
        modelPath,
        mode: 'slam',
        executionProviders: ['cpu'],
        parameters: { geometric_check: check, preset },
      });
      try {
        const replay = await replayImages(source, recognizer);
        const truth = readGroundTruthFile(path.join(data, 'sets', 'rtabmap-indoor-loop', 'ground_truth.json'));
        const laps = [
          { first: 1, last: 40 },
          { first: 44, last: 79 },
        ] as const;
        const { evaluation, queries, correct } = judgeLaps(replay, truth, ...laps);
        const sent = queries.flatMap(({ recognition }, i) =>
          recognition.loopClosure === undefined ? [] : [correct[i]!],
        );
        const right = sent.filter((is) => is).length;
        closures[preset] = { right, wrong: sent.length - right };
        const { recallAt100Precision, recallAt99Precision, areaUnderCurve } = evaluation.precisionRecall;
        last = {
          recallAt100Precision: rounded(recallAt100Precision),
          recallAt99Precision: rounded(recallAt99Precision),
          areaUnderCurve: rounded(areaUnderCurve),
          expectedCalibrationError: rounded(evaluation.calibration?.expectedCalibrationError ?? NaN),
        };
      } finally {
        await recognizer.close();
        await source.close();
      }
    }
    result[name] = { ...last, closures };
  }
  return result;
}

/** Measured turns against true ones, where query and reference are near each other. */
function turns(pairs: readonly JudgedPair[]) {
  const focal = 0.5 / SAMPLE_CAMERA.halfWidthTangent;
  const errors: number[] = [];
  let compared = 0;
  for (const { mapped, driven } of pairs)
    for (const [query, picture] of driven.pictures.entries())
      for (const [reference, kept] of mapped.pictures.entries()) {
        const [asked, known] = [driven.truths[query]!, mapped.truths[reference]!];
        if (distanceBetween(asked, known) > SAME_VIEW_M || angleBetween(asked, known) > Math.PI / 4) continue;
        compared++;
        const comparison = compareViews(picture.keyPoints!, kept.keyPoints!, [focal, focal]);
        if (comparison?.view === undefined || comparison.inliers < LEAST_TO_MEASURE) continue;
        const orientation = rotationQuaternion(bodyRotation(comparison.view));
        const truth = composePoses(invertPose(known), asked);
        errors.push((angleBetween({ position: truth.position, orientation }, truth) * 180) / Math.PI);
      }
  const sorted = Float64Array.from(errors).sort();
  return {
    pairs: compared,
    measured: errors.length,
    medianErrorDeg: rounded(percentile(sorted, 0.5), 2),
    p68ErrorDeg: rounded(percentile(sorted, 0.68), 2),
    p95ErrorDeg: rounded(percentile(sorted, 0.95), 2),
  };
}

/** Milliseconds of processor time for one image: key points of the query and the comparison; the reference's are kept. */
async function cost({ library }: Study) {
  const [drive] = pairOf(TOWNS[0]!, 0);
  const mapped = await library.driveWithKeyPoints(drive, 'reference');
  const spent = { microseconds: 0, images: 0 };
  let index = 0;
  for await (const { image, name } of new SampleDrive(drive, library.pictures)) {
    const pixels = await decodeImage(image, name);
    const start = process.cpuUsage();
    compareViews(keyPointsOf(pixels), mapped.pictures[index]!.keyPoints!);
    const { user, system } = process.cpuUsage(start);
    // The first images are slower: the engine has not compiled the code yet.
    if (++index <= 50) continue;
    spent.microseconds += user + system;
    spent.images++;
  }
  return { images: spent.images, meanMs: rounded(spent.microseconds / 1000 / spent.images, 2) };
}

interface JudgedPair {
  readonly mapped: Awaited<ReturnType<Study['library']['drive']>>;
  readonly driven: Awaited<ReturnType<Study['library']['drive']>>;
  readonly world: TuningWorld;
}

/** What comparing key points brings: `geometric_check` off and on. */
export async function studyGeometry(study: Study) {
  const { library } = study;
  const pairs: JudgedPair[] = [];
  for (const [n, seed] of TOWNS.entries()) {
    const [mapping, driving] = pairOf(seed, n);
    const mapped = await library.driveWithKeyPoints(mapping, 'reference');
    const driven = await library.driveWithKeyPoints(driving, 'query');
    const world = drivenTuningWorld(`town ${seed}`, library.dimension, { mapped, driven, rule: RULE });
    pairs.push({ mapped, driven, world });
  }
  const alike: { world: TuningWorld; without: (reference: number) => boolean }[] = [];
  for (const [n, seed] of STREETS.entries()) {
    const [mapping, driving] = corridorDrives(seed, n);
    const mapped = await library.driveWithKeyPoints(mapping, 'reference');
    const driven = await library.driveWithKeyPoints(driving, 'query');
    const { distancesM } = openDrive(mapping, library.pictures);
    const endM = aliasedStretches(seed)[0][1] + BEYOND_M;
    alike.push({
      world: drivenTuningWorld(`street ${seed}`, library.dimension, { mapped, driven, rule: RULE }),
      without: (reference) => distancesM[reference]! > endM,
    });
  }
  const worlds = pairs.map(({ world }) => world);
  return {
    figures: {
      'rendered towns': await played(
        worlds.map((world) => ({ world })),
        study,
      ),
      'rendered towns, a third of the map removed': await played(
        worlds.map((world) => ({ world, without: aThird(world.references.length) })),
        study,
      ),
      'streets that look alike, map of the first': await played(alike, study),
      'rtabmap loop bag, slam': await loopBag(study),
    },
    turns: turns(pairs),
    cost: await cost(study),
  };
}
