import { readdirSync } from 'node:fs';
import path from 'node:path';
import { hasImageSuffix } from '../../bag/FolderImageSource.js';
import { VprError } from '../../core/VprError.js';
import { groundTruthFromPoses } from '../../evaluation/groundTruth.js';
import { buildTown } from '../../sample/buildTown.js';
import { seedOf } from '../../sample/random.js';
import { SAMPLE_CONDITIONS, type SampleConditionName } from '../../sample/SampleCondition.js';
import { SAMPLE_CAMERA } from '../../sample/Pinhole.js';
import { SampleTraverse, type SampleCameraName } from '../../sample/SampleTraverse.js';
import { writeSampleBag } from '../../sample/writeSampleBag.js';
import { writeSampleFolder } from '../../sample/writeSampleFolder.js';
import { COUNTS, DISTANCES_M, required, UsageError, type Command, type NumberRange } from '../Command.js';
import { probeFolder, writeErrorOf, writeText } from '../outputs.js';
import { createProgress } from '../progress.js';

const SIDES_PX: NumberRange = [16, 8192];

/** Throws FILE_NOT_WRITABLE for a folder of another drive: what is left of it would be taken for a part of this one. */
function refuseAnotherDrive(folder: string): void {
  probeFolder(folder);
  const found = readdirSync(folder).find((name) => hasImageSuffix(name) || name.endsWith('.mcap'));
  if (found !== undefined)
    throw new VprError(
      'FILE_NOT_WRITABLE',
      `Expected a folder without a drive, got one that holds ${found} [${folder}]`,
    );
}

/** vpr sample render: images of a rendered town with their poses. */
export const command: Command = {
  name: 'sample render',
  summary: 'render a drive through a sample town as images with poses',
  positionals: '',
  positionalCount: [0, 0],
  options: {
    output: { type: 'string', short: 'o', value: 'DIR', description: 'folder for the images and poses.csv' },
    seed: {
      type: 'integer',
      range: [0, 2 ** 31],
      value: 'N',
      default: 0,
      description: 'town; 0-99 are for judging, training uses 1000 and up',
    },
    frames: { type: 'integer', range: COUNTS, value: 'N', default: 150, description: 'images of a drive' },
    spacing: { type: 'number', range: DISTANCES_M, value: 'M', default: 2, description: 'metres between two images' },
    start: { type: 'number', value: 'M', default: 2, description: 'metres along the tour to the first image' },
    route: { type: 'number', value: 'M', description: 'least length of the tour (default frames x spacing)' },
    aliased: { type: 'number', value: 'M', default: 24, description: 'metres of street that look alike at two places' },
    left: { type: 'number', value: 'M', default: -1.5, description: 'metres left of the middle of the street' },
    drive: {
      type: 'integer',
      range: [0, 2 ** 31],
      value: 'N',
      default: 0,
      description: 'number of the drive: other people, vehicles, noise',
    },
    crowd: { type: 'number', range: [0, 100], value: 'X', default: 1, description: 'people and vehicles, 0 none' },
    condition: {
      type: 'string',
      default: 'day',
      choices: Object.keys(SAMPLE_CONDITIONS),
      description: 'light and season',
    },
    camera: {
      type: 'string',
      choices: ['front', 'rear'],
      multiple: true,
      description: 'which camera, front by default; more than one only with --bag',
    },
    width: { type: 'integer', range: SIDES_PX, value: 'PX', default: SAMPLE_CAMERA.width, description: 'image width' },
    height: {
      type: 'integer',
      range: SIDES_PX,
      value: 'PX',
      default: SAMPLE_CAMERA.height,
      description: 'image height',
    },
    bag: { type: 'boolean', description: 'write a rosbag2 folder (mcap) with odometry and ground truth' },
    raw: { type: 'boolean', description: 'with --bag: sensor_msgs/Image instead of CompressedImage' },
    set: {
      type: 'boolean',
      description:
        'write a set for "vpr eval": reference/ (day), query/ (--condition, 2 m to the left), ground_truth.json',
    },
    distance: {
      type: 'number',
      range: DISTANCES_M,
      value: 'M',
      default: 25,
      description: 'distance of the positives of --set',
    },
  },
  details:
    'Two drives of one seed and route length are drives through one town. The same options give the same pixels.',
  async run(args) {
    const folder = required(args.string('output'), 'output');
    const several = args.strings('camera').length > 1;
    if (several && !args.flag('bag')) throw new UsageError('Expected --bag with more than one --camera');
    // The ground truth of a set has one row and one index for each picture.
    if (several && args.flag('set')) throw new UsageError('Expected one --camera with --set');
    const number = (name: string): number => args.number(name)!;
    const [seed, frames, spacingM] = [number('seed'), number('frames'), number('spacing')];
    const world = buildTown({ seed, routeM: args.number('route') ?? frames * spacingM, aliasedM: number('aliased') });
    const camera = { ...SAMPLE_CAMERA, width: number('width'), height: number('height') };
    const drive = (number_: number, condition: SampleConditionName, leftM: number): SampleTraverse =>
      new SampleTraverse(world, {
        seed: seedOf(seed, number_),
        condition: SAMPLE_CONDITIONS[condition],
        frames,
        spacingM,
        startM: number('start'),
        leftM,
        crowd: number('crowd'),
        camera,
      });
    const folders = args.flag('set') ? ['reference', 'query'].map((side) => path.join(folder, side)) : [folder];
    for (const into of folders) refuseAnotherDrive(into);
    const write = async (traverse: SampleTraverse, into: string): Promise<void> => {
      const progress = createProgress(path.basename(into), frames);
      const cameras = (args.strings('camera').length === 0 ? ['front'] : args.strings('camera')) as SampleCameraName[];
      const update = (done: number): void => progress.update(done);
      try {
        if (args.flag('bag'))
          await writeSampleBag(traverse, into, {
            cameras,
            transport: args.flag('raw') ? 'raw' : 'compressed',
            progress: update,
          });
        else await writeSampleFolder(traverse, into, cameras[0], update);
      } catch (error) {
        throw writeErrorOf(error, into);
      } finally {
        progress.end();
      }
    };
    const condition = args.string('condition') as SampleConditionName;
    if (!args.flag('set')) {
      await write(drive(number('drive'), condition, number('left')), folder);
      process.stdout.write(`${frames} images in ${folder}\n`);
      return 0;
    }
    const reference = drive(0, 'day', number('left'));
    const query = drive(1 + number('drive'), condition, number('left') + 2);
    await write(reference, path.join(folder, 'reference'));
    await write(query, path.join(folder, 'query'));
    const { positives } = groundTruthFromPoses(
      query.frames.map((frame) => frame.truth),
      reference.frames.map((frame) => frame.truth),
      { distanceM: number('distance') },
    );
    writeText(path.join(folder, 'ground_truth.json'), `${JSON.stringify({ positives })}\n`);
    process.stdout.write(`${2 * frames} images in ${folder}\n`);
    return 0;
  },
};
