import type { ImageSource, ImageSourceOptions } from '../bag/ImageSource.js';
import type { PoseFrames } from '../bag/TransformTree.js';
import { COUNTS, UsageError, type Arguments, type Option } from './Command.js';

/** Which frames' pose a transform topic is asked for. */
export const POSE_FRAMES_OPTION: Option = {
  type: 'string',
  value: 'MAP,BASE',
  description: 'poses from transforms (/tf): of frame BASE in frame MAP (default: map,base_link)',
};

/** Options of the commands that take images from one bag or image folder. */
export const SOURCE_OPTIONS: Readonly<Record<string, Option>> = {
  topic: { type: 'string', multiple: true, description: 'image topics to take (default: all)' },
  camera: { type: 'string', multiple: true, description: 'cameras to take (default: all)' },
  'pose-topic': {
    type: 'string',
    value: 'TOPIC',
    description: 'poses of new references: odometry, poses, transforms (/tf) or satellite fixes (default: none)',
  },
  'pose-frames': POSE_FRAMES_OPTION,
  limit: { type: 'integer', range: COUNTS, value: 'N', description: 'at most this many images' },
};

/** For the help of commands with --pose-topic. */
export const POSE_DETAILS =
  'A pose topic may have Odometry, PoseStamped, PoseWithCovarianceStamped, TFMessage (all transform topics of the bag make\n' +
  'one tree) or NavSatFix (UTM metres in the zone of the first fix; heading from the direction of travel).';

/** The value of a frames option; undefined where it is not given. */
export function framesOf(args: Arguments, name: string): PoseFrames | undefined {
  const text = args.string(name);
  if (text === undefined) return undefined;
  const [map, base, ...rest] = text.split(',').map((frame) => frame.trim().replace(/^\//, ''));
  if (!map || !base || rest.length > 0) throw new UsageError(`Expected MAP,BASE for --${name}, got '${text}'`);
  return { map, base };
}

/** What SOURCE_OPTIONS say of the source. */
export function sourceOptionsOf(args: Arguments): ImageSourceOptions {
  const [topics, cameras] = [args.strings('topic'), args.strings('camera')];
  const [poseTopic, poseFrames, limit] = [
    args.string('pose-topic'),
    framesOf(args, 'pose-frames'),
    args.number('limit'),
  ];
  return {
    ...(topics.length === 0 ? {} : { topics }),
    ...(cameras.length === 0 ? {} : { cameras }),
    ...(poseTopic === undefined ? {} : { poseTopic }),
    ...(poseFrames === undefined ? {} : { poseFrames }),
    ...(limit === undefined ? {} : { limit }),
  };
}

/** One line for each image or part of a file that is left out. */
export function sayProblem(problem: Error): void {
  process.stderr.write(`skipped: ${problem.message}\n`);
}

/** 1 where a file itself was damaged, not only some images in it. */
export function exitCodeOf(...sources: readonly ImageSource[]): 0 | 1 {
  return sources.some(({ problems }) => [...problems.byCode.keys()].some((code) => code.startsWith('BAG_'))) ? 1 : 0;
}
