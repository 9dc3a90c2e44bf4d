import path from 'node:path';
import type { ImageSource } from '../bag/ImageSource.js';
import { openImageSource } from '../bag/openImageSource.js';
import { parseParameters, type NodeParameters } from '../config/parseParameters.js';
import { openModel, type OpenModel } from '../inference/openModel.js';
import type { PlaceMap } from '../map/PlaceMap.js';
import type { Arguments, Option } from './Command.js';
import { growMap } from './growMap.js';
import { createProgress } from './progress.js';
import { MODEL_OPTIONS, modelPathOf, parametersOf } from './recognizerOptions.js';
import { exitCodeOf, POSE_DETAILS, SOURCE_OPTIONS, sourceOptionsOf } from './sourceOptions.js';

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

/** Opens source and model, gets the map from `openMap`, adds the key frames, says what came of it. Returns the exit code. */
export async function buildFromSource(
  args: Arguments,
  openMap: (input: BuildInput) => Promise<PlaceMap>,
  afterwards: (map: PlaceMap) => void = () => undefined,
): Promise<number> {
  const [file] = args.positionals as [string];
  const parameters = parseParameters({ ...parametersOf(args), mode: 'mapping' });
  const poseFile = args.string('poses');
  const say = (problem: Error): boolean => process.stderr.write(`skipped: ${problem.message}\n`);
  const source = await openImageSource(file, {
    ...sourceOptionsOf(args),
    ...(poseFile === undefined ? {} : { poseFile }),
    onProblem: say,
  });
  try {
    const model = await openModel(modelPathOf(args), {
      providers: parameters.executionProviders,
      deviceId: parameters.deviceId,
      threads: parameters.inferenceThreads,
    });
    try {
      const map = await openMap({ source, model, parameters });
      const progress = createProgress('map', source.summary.images);
      try {
        const startMs = performance.now();
        const grown = await growMap(source, map, model.extractor, {
          parameters,
          session: { name: args.string('session') ?? path.basename(path.resolve(file)), source: file },
          onImage: (images, references) => progress.update(images, `${references} references`),
          onProblem: say,
        });
        progress.end();
        const seconds = (performance.now() - startMs) / 1000;
        report(args.flag('json'), map, grown, seconds);
        return exitCodeOf(source);
      } finally {
        progress.end();
        map.close();
        afterwards(map);
      }
    } finally {
      await model.extractor.close();
    }
  } finally {
    await source.close();
  }
}

function report(json: boolean, map: PlaceMap, grown: Awaited<ReturnType<typeof growMap>>, seconds: number): void {
  const { path: file, references, places, sessions } = map.summary();
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
