import path from 'node:path';
import type { ImageSource } from '../../bag/ImageSource.js';
import { openImageSource } from '../../bag/openImageSource.js';
import type { PoseTrack } from '../../bag/PoseTrack.js';
import type { Descriptor } from '../../core/descriptor.js';
import type { PoseFrames } from '../../bag/TransformTree.js';
import { VprError } from '../../core/VprError.js';
import { POSITIVE_DISTANCE_M } from '../../evaluation/groundTruth.js';
import { PlaceMap } from '../../map/PlaceMap.js';
import { htmlReport } from '../../report/htmlReport.js';
import { MatchRecorder } from '../../worker/MatchRecorder.js';
import { outdatedCalibration } from '../../worker/confidenceFor.js';
import { openRecognizer, type LocalRecognizer } from '../../worker/openRecognizer.js';
import type { RecognizerMode } from '../../worker/protocol.js';
import { ANGLES_DEG, DISTANCES_M, required, UsageError, type Arguments, type Command } from '../Command.js';
import { judgeAgainstMap, judgeByPoses, judgeLaps, readGroundTruthFile, type JudgedReplay } from '../judgeReplay.js';
import { probeFile, probeMap, writeText } from '../outputs.js';
import { createProgress } from '../progress.js';
import { replayImages, type Replay } from '../replayImages.js';
import { replayReport } from '../replayReport.js';
import { poseKindOf, sourcePosesOf } from '../sourcePoses.js';
import { replayText, summarizeReplay } from '../replaySummary.js';
import { MODEL_OPTIONS, modelPathOf, parametersOf, parseUsage, rangeOf } from '../recognizerOptions.js';
import {
  exitCodeOf,
  framesOf,
  POSE_DETAILS,
  POSE_FRAMES_OPTION,
  sayProblem,
  SOURCE_OPTIONS,
  sourceOptionsOf,
} from '../sourceOptions.js';

/** REP-105. */
const ODOMETRY_FRAMES: PoseFrames = { map: 'odom', base: 'base_link' };

async function trackOf(
  source: ImageSource,
  topic: string | undefined,
  frames?: PoseFrames,
): Promise<PoseTrack | undefined> {
  return topic === undefined ? undefined : source.readPoses(topic, frames);
}

function isOf({ frameId }: PoseTrack, mapFrame: string): boolean {
  return frameId === '' || frameId === mapFrame;
}

interface Judge {
  /** Before the images are played; throws where the map cannot be judged so. */
  readonly check?: (recognizer: LocalRecognizer) => void;
  readonly judge: (replay: Replay, recognizer: LocalRecognizer) => JudgedReplay;
}

/** What the answers are to be judged by. Throws what is wrong with it before an hour of images is played. */
function judgeOf(args: Arguments, mode: RecognizerMode, excludeRecentS: number): Judge | undefined {
  const file = args.string('ground-truth');
  const topic = args.string('ground-truth-topic');
  if (file !== undefined && topic !== undefined)
    throw new UsageError('Expected either --ground-truth or --ground-truth-topic');
  for (const range of ['references', 'queries'])
    if (args.string(range) !== undefined && (file === undefined || mode === 'localization'))
      throw new UsageError(`Expected --ground-truth and mode slam or mapping with --${range}`);
  if (file === undefined) {
    if (topic !== undefined)
      return { judge: (replay, recognizer) => judgeByTopic(args, replay, recognizer, excludeRecentS) };
    if (args.string('report') !== undefined)
      throw new UsageError('Expected --ground-truth or --ground-truth-topic with --report: it shows what is right');
    return undefined;
  }
  const truth = readGroundTruthFile(file);
  if (mode === 'localization')
    return {
      judge: (replay, recognizer) =>
        judgeAgainstMap(
          replay,
          truth,
          Array.from(recognizer.references(), ({ referenceId }) => referenceId),
        ),
    };
  const references = required(rangeOf(args.string('references'), 'references'), 'references');
  const queries = required(rangeOf(args.string('queries'), 'queries'), 'queries');
  if (references.first <= queries.last && queries.first <= references.last)
    throw new UsageError(
      `Expected --references and --queries without a common image, got ${references.first}-${references.last} and ${queries.first}-${queries.last}`,
    );
  return {
    check({ info: { map } }) {
      // The file knows nothing of them: a right answer among them would count as a wrong one.
      if (map.references > 0)
        throw new VprError(
          'GROUND_TRUTH_INVALID',
          `Expected a new map for a ground truth of the replay's own images, got one of ${map.references} references [${map.path}]`,
        );
    },
    judge: (replay) => judgeLaps(replay, truth, references, queries),
  };
}

function judgeByTopic(
  args: Arguments,
  replay: Replay,
  recognizer: LocalRecognizer,
  excludeRecentS: number,
): JudgedReplay {
  const angleDeg = args.number('positive-angle');
  const truePoses = new Map(Array.from(recognizer.references(), ({ referenceId, pose }) => [referenceId, pose]));
  // Of what the replay added the truth is known, and its poses in the map may be those of an odometry, or none.
  for (const { recognition, truePose } of replay.images)
    if (recognition.addedReferenceId !== undefined) truePoses.set(recognition.addedReferenceId, truePose);
  const rule = {
    distanceM: args.number('positive-distance')!,
    ...(angleDeg === undefined ? {} : { angleDeg }),
  };
  return judgeByPoses(replay, truePoses, rule, excludeRecentS);
}

/** Writes to the map what was accepted; a map in use by the recognizer is open for reading only. */
function countMatches(mapPath: string, replay: Replay): void {
  const map = PlaceMap.open(mapPath, 'append');
  try {
    const matches = new MatchRecorder(map);
    for (const { recognition } of replay.images) matches.note(recognition);
    matches.flush();
  } finally {
    map.close();
  }
}

export const command: Command = {
  name: 'replay',
  summary: 'Play a bag or an image folder through the recognizer: localize in a map, or build one and close loops.',
  positionals: 'BAG',
  positionalCount: [1, 1],
  options: {
    map: {
      type: 'string',
      value: 'FILE',
      description: 'map to localize in, or to grow (created when it is not there)',
    },
    mode: {
      type: 'string',
      choices: ['localization', 'mapping', 'slam'],
      description: 'as the node has it (default: localization with a map, slam without)',
    },
    ...MODEL_OPTIONS,
    ...SOURCE_OPTIONS,
    'odometry-topic': { type: 'string', value: 'TOPIC', description: 'odometry for the temporal filter and the gate' },
    'odometry-frames': {
      ...POSE_FRAMES_OPTION,
      description: 'odometry from transforms (/tf): of frame BASE in frame MAP (default: odom,base_link)',
    },
    'ground-truth-topic': {
      type: 'string',
      value: 'TOPIC',
      description: 'true poses, in the frame of the map; the answers are judged by them',
    },
    'positive-distance': {
      type: 'number',
      range: DISTANCES_M,
      value: 'M',
      default: POSITIVE_DISTANCE_M,
      description: 'a right place is at most this far',
    },
    'positive-angle': {
      type: 'number',
      range: ANGLES_DEG,
      value: 'DEG',
      description: 'and turned by at most this (default: any)',
    },
    'ground-truth': {
      type: 'string',
      value: 'JSON',
      description: 'positives by index: of the map’s references, or (slam) of the images --references for --queries',
    },
    references: {
      type: 'string',
      value: 'FIRST-LAST',
      description: 'slam: image numbers, from 1, that JSON counts as references',
    },
    queries: { type: 'string', value: 'FIRST-LAST', description: 'slam: image numbers that JSON counts as queries' },
    report: { type: 'string', value: 'FILE', description: 'write a self-contained HTML page (needs a ground truth)' },
    'count-matches': {
      type: 'boolean',
      description: 'localization: count accepted matches in the map, for map info --stale (slam and mapping always do)',
    },
    json: { type: 'boolean', description: 'print one JSON object' },
  },
  details:
    `${POSE_DETAILS}\n` +
    'A damaged image is skipped and counted, and judged as a miss; a damaged bag is read as far as it goes, then the exit code is 1.\n' +
    'Two runs print the same JSON but for "latency" and "memory".\n\n' +
    'Examples:\n' +
    '  vpr replay drive2.mcap --map town.vprmap --ground-truth-topic /ground_truth --positive-distance 10\n' +
    '  vpr replay loop.mcap --mode slam --set preset=balanced --json\n',
  async run(args) {
    const [bag] = args.positionals as [string];
    const mapPath = args.string('map');
    const mode = (args.string('mode') ?? (mapPath === undefined ? 'slam' : 'localization')) as RecognizerMode;
    if (mode === 'localization' && mapPath === undefined)
      throw new UsageError('Expected --map FILE for mode localization');
    const parameters = parametersOf(args);
    const { executionProviders, excludeRecentS } = parseUsage({
      execution_providers: ['cpu'],
      ...parameters,
      mode,
      map: mapPath ?? '',
    });
    const judge = judgeOf(args, mode, excludeRecentS);
    const source = await openImageSource(bag, {
      ...sourceOptionsOf(args),
      onProblem: sayProblem,
    });
    try {
      const odometryFrames = framesOf(args, 'odometry-frames') ?? ODOMETRY_FRAMES;
      const odometry = await trackOf(source, args.string('odometry-topic'), odometryFrames);
      const groundTruth = await trackOf(source, args.string('ground-truth-topic'));
      const poses = mode === 'localization' ? undefined : await sourcePosesOf(source, args);
      const page = args.string('report');
      const countsMatches = args.flag('count-matches') && mode === 'localization';
      if (page !== undefined) probeFile(page);
      if (countsMatches) probeMap(mapPath!);
      let last: Descriptor | undefined;
      const recognizer = await openRecognizer(
        {
          modelPath: modelPathOf(args),
          mode,
          executionProviders,
          parameters,
          ...(mapPath === undefined ? {} : { mapPath }),
        },
        {
          session: { name: `replay ${mode}`, source: bag },
          ...(page === undefined ? {} : { onDescriptor: (descriptor: Descriptor) => (last = descriptor) }),
          poseKind: poseKindOf(source),
          ...(poses === undefined ? {} : { poses }),
        },
      );
      const outdated = outdatedCalibration(recognizer.info.map);
      if (outdated !== undefined) process.stderr.write(`vpr replay: ${outdated}\n`);
      const progress = createProgress('replay', source.summary.images);
      try {
        judge?.check?.(recognizer);
        const { mapFrame } = recognizer.info.map;
        // A map that begins with this replay is judged by the truth alone.
        if (recognizer.info.map.references > 0 && groundTruth !== undefined && !isOf(groundTruth, mapFrame))
          process.stderr.write(
            `vpr replay: Expected true poses in the map's frame '${mapFrame}', got '${groundTruth.frameId}'; they are compared as they are\n`,
          );
        const replay = await replayImages(source, recognizer, {
          ...(odometry === undefined ? {} : { odometry }),
          ...(groundTruth === undefined ? {} : { groundTruth }),
          lastDescriptor: () => last,
          onImage: (done) => progress.update(done),
          onSkipped: sayProblem,
        });
        progress.end();
        if (replay.images.length === 0)
          throw new VprError(
            'BAG_NO_IMAGES',
            `Expected an image that can be used, got none of ${replay.count} [${bag}]`,
          );
        const judged = judge?.judge(replay, recognizer);
        const summary = summarizeReplay(replay, judged);
        const { info } = recognizer;
        const { references, places, sessions, storage, formatVersion } = info.map;
        const map = { path: info.map.path, references, places, sessions, storage, formatVersion };
        if (args.flag('json')) {
          const report = {
            bag,
            mode,
            model: { name: info.manifest.name, sha256: info.modelSha256, provider: info.provider },
            map,
            ...summary,
            memory: { ...recognizer.memoryUse(), rssBytes: process.memoryUsage.rss() },
          };
          process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
        } else {
          process.stdout.write(replayText(summary));
        }
        if (countsMatches) countMatches(mapPath!, replay);
        if (page !== undefined && judged !== undefined) {
          const data = await replayReport({
            title: `Replay of ${path.basename(path.resolve(bag))}`,
            subtitle: `Model ${info.manifest.name}; ${mode}; ${info.map.references} references in ${info.map.places} places.`,
            judged,
            recognizer,
            source,
            maxRssBytes: process.resourceUsage().maxRSS * 1024,
          });
          writeText(page, htmlReport(data));
        }
        return exitCodeOf(source);
      } finally {
        progress.end();
        await recognizer.close();
      }
    } finally {
      await source.close();
    }
  },
};
