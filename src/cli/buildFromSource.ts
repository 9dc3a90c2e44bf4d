import path from 'node:path';
import type { ImageSource } from '../bag/ImageSource.js';
import { openImageSource } from '../bag/openImageSource.js';
import type { NodeParameters } from '../config/parseParameters.js';
import { openModel, type OpenModel } from '../inference/openModel.js';
import type { MapSummary } from '../map/mapTypes.js';
import type { PlaceMap } from '../map/PlaceMap.js';
import { UsageError, type Arguments, type Option } from './Command.js';
import { growMap, type GrownMap } from './growMap.js';
import { createProgress } from './progress.js';
import { MODEL_OPTIONS, modelPathOf, parametersOf, parseUsage } from './recognizerOptions.js';
import { exitCodeOf, POSE_DETAILS, sayProblem, SOURCE_OPTIONS, sourceOptionsOf } from './sourceOptions.js';

/** Options of the commands that add a bag or an image folder to a map. */
export const BUILD_OPTIONS: Readonly<Record<string, Option>> = {
  ...MODEL_OPTIONS,
  ...SOURCE_OPTIONS,
  poses: { type: 'string', value: 'CSV', description: "poses of an image folder (default: the folder's poses.csv)" },
  session: { type: 'string', value: 'NAME', description: "name of the session (default: the source's)" },
  json: { type: 'boolean', description: 'print one JSON object' },
};

/** Parameters that decide what becomes a reference, for the help. */
export const BUILD_DETAILS =
  'What becomes a reference: --set keyframe.distance_m, keyframe.angle_deg (with poses), keyframe.interval_s (without);\n' +
  'what becomes one place: --set place.distance_m, place.angle_deg (with poses), place.images (without).\n' +
  `${POSE_DETAILS}\n` +
  'A bad image is skipped and counted; a damaged bag is read as far as it goes, then the exit code is 1.';

export interface BuildInput {
  readonly source: ImageSource;
  readonly model: OpenModel;
  readonly parameters: NodeParameters;
}

/** What a command does with the map, before and after it grows. */
export interface BuildSteps {
  readonly openMap: (input: BuildInput) => Promise<PlaceMap>;
  /** The map was closed, whether all went well or not. */
  readonly onClosed?: (map: MapSummary) => void;
  /** The map is whole. */
  readonly finish?: (map: MapSummary) => Promise<void>;
}

/** Opens source and model, gets the map, adds the key frames, says what came of it. Returns the exit code. */
export async function buildFromSource(args: Arguments, steps: BuildSteps): Promise<number> {
  const [file] = args.positionals as [string];
  const parameters = parseUsage({ ...parametersOf(args), mode: 'mapping' });
  const poseFile = args.string('poses');
  const source = await openImageSource(file, {
    ...sourceOptionsOf(args),
    ...(poseFile === undefined ? {} : { poseFile }),
    onProblem: sayProblem,
  });
  try {
    if (poseFile !== undefined && source.summary.kind !== 'folder')
      throw new UsageError('Expected an image folder with --poses, got a bag (--pose-topic names its poses)');
    const model = await openModel(modelPathOf(args), {
      providers: parameters.executionProviders,
      deviceId: parameters.deviceId,
      threads: parameters.inferenceThreads,
    });
    try {
      const map = await steps.openMap({ source, model, parameters });
      let grown: GrownMap;
      let summary: MapSummary;
      const startMs = performance.now();
      const progress = createProgress('map', source.summary.images);
      try {
        grown = await growMap(source, map, model.extractor, {
          parameters,
          session: { name: args.string('session') ?? path.basename(path.resolve(file)), source: file },
          onImage: (images, references) => progress.update(images, `${references} references`),
          onProblem: sayProblem,
        });
      } finally {
        progress.end();
        try {
          summary = map.summary();
        } finally {
          map.close();
        }
        steps.onClosed?.(summary);
      }
      await steps.finish?.(summary);
      report(args.flag('json'), summary, grown, (performance.now() - startMs) / 1000);
      return exitCodeOf(source);
    } finally {
      await model.extractor.close();
    }
  } finally {
    await source.close();
  }
}

function report(json: boolean, map: MapSummary, grown: GrownMap, seconds: number): void {
  const { path: file, references, places, sessions } = map;
  if (json) {
    const result = { path: file, ...grown, map: { references, places, sessions }, seconds };
    process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
    return;
  }
  const codes = Object.entries(grown.skippedByCode).map(([code, count]) => `${count} ${code}`);
  process.stdout.write(
    `${grown.references} references from ${grown.images} images in ${seconds.toFixed(1)} s` +
      `${grown.skipped === 0 ? '' : `, ${grown.skipped} skipped (${codes.join(', ')})`}\n` +
      `${references} references in ${places} places, ${sessions} sessions: ${file}\n`,
  );
}
