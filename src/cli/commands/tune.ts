import type { NewReference } from '../../core/reference.js';
import type { ImageSource } from '../../bag/ImageSource.js';
import { openImageSource } from '../../bag/openImageSource.js';
import type { DescriptorExtractor } from '../../inference/DescriptorExtractor.js';
import { openModel, type OpenModel } from '../../inference/openModel.js';
import { checkMapModel } from '../../map/MapMeta.js';
import { PlaceMap } from '../../map/PlaceMap.js';
import { FEATURES } from '../../recognizer/Evidence.js';
import { SAMPLE_CONDITIONS, type SampleConditionName } from '../../sample/SampleCondition.js';
import { mapEncoder } from '../../worker/mapEncoder.js';
import { modelIdentity } from '../../worker/openMap.js';
import { recognizerSettings } from '../../worker/recognizerSettings.js';
import { ANGLES_DEG, DISTANCES_M, required, UsageError, type Arguments, type Command } from '../Command.js';
import { probeFile, probeMap, writeText } from '../outputs.js';
import { createProgress } from '../progress.js';
import { MODEL_OPTIONS, modelPathOf, parametersOf, parseUsage } from '../recognizerOptions.js';
import { exitCodeOf, sayProblem } from '../sourceOptions.js';
import { fitConfidence, gatherEvidence } from '../tuning/fitConfidence.js';
import { SampleDrive, traversePair } from '../tuning/SampleDrive.js';
import {
  bagTuningWorld,
  describeDrive,
  drivenTuningWorld,
  setTuningWorld,
  type PositiveRule,
} from '../tuning/tuningWorlds.js';
import type { TuningWorld } from '../tuning/TuningWorld.js';

/** Conditions of the rendered queries, one after the other. */
const CONDITIONS = Object.keys(SAMPLE_CONDITIONS) as SampleConditionName[];

/** Inputs of the confidence that mean another thing with another network. */
const MODEL_FEATURES = ['similarity', 'logReferences'];

function storedReferences(map: PlaceMap): NewReference[] {
  const codes = new Map<number, Uint8Array>();
  for (const block of map.codes())
    block.referenceIds.forEach((id, i) => codes.set(id, block.codes.slice(i * 64, (i + 1) * 64)));
  return Array.from(map.references(), (reference) => {
    const descriptor = new Float32Array(map.dimension);
    map.readDescriptors(Uint32Array.of(reference.referenceId), descriptor);
    const thumbnail = map.thumbnail(reference.referenceId);
    return {
      ...reference,
      descriptor,
      code: codes.get(reference.referenceId)!,
      ...(thumbnail === undefined ? {} : { thumbnail }),
    };
  });
}

function seedsOf(text: string): number[] {
  const match = /^(\d+)-(\d+)$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || last < first) throw new UsageError(`Expected FIRST-LAST for --sample-seeds, got '${text}'`);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

async function worldsOf(
  args: Arguments,
  model: OpenModel,
  rule: PositiveRule,
  bag: ImageSource | undefined,
): Promise<TuningWorld[]> {
  const extractor: DescriptorExtractor = model.extractor;
  const worlds: TuningWorld[] = [];
  const progress = createProgress('describe', undefined);
  let images = 0;
  const onImage = (): void => progress.update(++images);
  try {
    const seeds = args.string('sample-seeds');
    for (const [i, seed] of (seeds === undefined ? [] : seedsOf(seeds)).entries()) {
      const condition = CONDITIONS[i % CONDITIONS.length]!;
      const [mapped, driven] = await Promise.all(
        traversePair(seed, condition, args.number('frames')!).map((drive, which) =>
          describeDrive(
            extractor,
            new SampleDrive(drive, args.string('pictures')),
            which === 0 ? 'reference' : 'query',
            onImage,
          ),
        ),
      );
      const { descriptorDimension } = extractor.manifest;
      worlds.push(
        drivenTuningWorld(`sample world ${seed}, ${condition}`, descriptorDimension, {
          mapped: mapped!,
          driven: driven!,
          rule,
        }),
      );
    }
    for (const folder of args.strings('data-set')) worlds.push(await setTuningWorld(extractor, folder, onImage));
    if (bag !== undefined) worlds.push(await bagWorld(args, model, bag, rule, onImage));
  } finally {
    progress.end();
  }
  return worlds;
}

async function bagWorld(
  args: Arguments,
  model: OpenModel,
  source: ImageSource,
  rule: PositiveRule,
  onImage: () => void,
): Promise<TuningWorld> {
  const truthTopic = required(args.string('ground-truth-topic'), 'ground-truth-topic');
  const odometryTopic = args.string('odometry-topic');
  const map = PlaceMap.open(required(args.string('map'), 'map'), 'read');
  try {
    checkMapModel(map.meta, modelIdentity(model), map.path);
    return await bagTuningWorld(model.extractor, {
      references: storedReferences(map),
      encode: mapEncoder(map.meta),
      source,
      mapFrame: map.meta.mapFrame,
      truthTopic,
      ...(odometryTopic === undefined ? {} : { odometryTopic }),
      rule,
      onImage,
      onSkipped: sayProblem,
    });
  } finally {
    map.close();
  }
}

export const command: Command = {
  name: 'tune',
  summary: 'Fit the confidence on a bag, a data set or rendered worlds with ground truth, so that it is a probability.',
  positionals: '[BAG]',
  positionalCount: [0, 1],
  options: {
    map: { type: 'string', value: 'FILE', description: 'map that the bag is played against; the fit is stored in it' },
    'ground-truth-topic': { type: 'string', value: 'TOPIC', description: 'true poses in the bag, in the map’s frame' },
    'odometry-topic': { type: 'string', value: 'TOPIC', description: 'odometry for the temporal filter' },
    'data-set': {
      type: 'string',
      value: 'DIR',
      multiple: true,
      description: 'folder with reference/, query/ and ground_truth.json',
    },
    'sample-seeds': {
      type: 'string',
      value: 'FIRST-LAST',
      description: 'rendered towns (from 1000: the others judge)',
    },
    pictures: { type: 'string', value: 'DIR', description: 'keep rendered pictures there, for the next time' },
    frames: {
      type: 'integer',
      range: [2, Infinity],
      value: 'N',
      default: 150,
      description: 'images of a rendered drive',
    },
    'positive-distance': {
      type: 'number',
      range: DISTANCES_M,
      value: 'M',
      default: 10,
      description: 'a right place is at most this far',
    },
    'positive-angle': {
      type: 'number',
      range: ANGLES_DEG,
      value: 'DEG',
      default: 40,
      description: 'and turned by at most this',
    },
    output: {
      type: 'string',
      short: 'o',
      value: 'FILE',
      description: 'write the calibration (a model’s calibration.json)',
    },
    'any-model': {
      type: 'boolean',
      description: 'use only what means the same for every network, and say so in the calibration',
    },
    'leave-out': {
      type: 'string',
      value: 'INPUT',
      multiple: true,
      choices: FEATURES.slice(1),
      description: 'an input of the confidence that the fit is not to use',
    },
    'fitted-on': { type: 'string', value: 'TEXT', description: 'what the calibration says it was fitted on' },
    json: { type: 'boolean', description: 'print the calibration as JSON' },
    ...MODEL_OPTIONS,
  },
  details:
    'Every source is played twice: against its whole map and against a map without a third of the places, so that "not in\n' +
    'the map" is part of the fit, with poses and without. The presets become the least confidences at which the whole decision\n' +
    'accepts 0.1 %, 1 %, 5 % of the images whose place the map does not show.\n' +
    'A damaged bag is read as far as it goes, then the exit code is 1.',
  async run(args) {
    const output = args.string('output');
    const mapPath = args.string('map');
    const parameters = parseUsage({ execution_providers: ['cpu'], ...parametersOf(args) });
    const [file] = args.positionals;
    if (file !== undefined && (mapPath === undefined || args.string('ground-truth-topic') === undefined))
      throw new UsageError('Expected --map FILE and --ground-truth-topic TOPIC with a bag');
    for (const ofBag of ['map', 'ground-truth-topic', 'odometry-topic'])
      if (file === undefined && args.string(ofBag) !== undefined)
        throw new UsageError(`Expected a BAG with --${ofBag}`);
    if (output !== undefined) probeFile(output);
    if (file !== undefined && mapPath !== undefined) probeMap(mapPath);
    const model = await openModel(modelPathOf(args), {
      providers: parameters.executionProviders,
      deviceId: parameters.deviceId,
      threads: parameters.inferenceThreads,
    });
    let bag: ImageSource | undefined;
    try {
      if (file !== undefined) bag = await openImageSource(file, { onProblem: sayProblem });
      const rule = { distanceM: args.number('positive-distance')!, angleDeg: args.number('positive-angle')! };
      const worlds = await worldsOf(args, model, rule, bag);
      if (worlds.length === 0) throw new UsageError('Expected a BAG, --data-set or --sample-seeds to tune on');
      const settings = recognizerSettings(parameters);
      const fittedOn = args.string('fitted-on') ?? worlds.map(({ name }) => name).join('; ');
      const evidence = await gatherEvidence(worlds, settings);
      const anyModel = args.flag('any-model');
      const left = new Set([...args.strings('leave-out'), ...(anyModel ? MODEL_FEATURES : [])]);
      const fitted = fitConfidence(evidence, { modelSha256: anyModel ? '' : model.sha256, fittedOn }, left);
      const json = `${JSON.stringify(fitted.model, undefined, 2)}\n`;
      const { figures, temporal } = fitted.model;
      process.stdout.write(
        args.flag('json')
          ? json
          : `fitted on ${fitted.queries} queries, ${fitted.negatives} of places that the map does not hold\n` +
              `calibration error (out of fold)  one image ${figures['singleCalibrationError']}, filtered ${figures['temporalCalibrationError']}\n` +
              `Brier score (out of fold)        one image ${figures['singleBrier']}, filtered ${figures['temporalBrier']}\n` +
              `accepted from                    ${Object.entries(temporal.thresholds)
                .map(([preset, threshold]) => `${preset} ${threshold.toFixed(4)}`)
                .join(', ')}\n`,
      );
      if (output !== undefined) writeText(output, json);
      if (bag !== undefined && mapPath !== undefined) {
        const map = PlaceMap.open(mapPath, 'append');
        try {
          map.setCalibration(json);
        } finally {
          map.close();
        }
      }
      return bag === undefined ? 0 : exitCodeOf(bag);
    } finally {
      await bag?.close();
      await model.extractor.close();
    }
  },
};
