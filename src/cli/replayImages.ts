import type { PoseTrack } from '../bag/PoseTrack.js';
import type { ImageSource } from '../bag/ImageSource.js';
import type { Descriptor } from '../core/descriptor.js';
import type { Pose } from '../core/pose.js';
import type { Recognition } from '../core/recognition.js';
import { VprError, type VprErrorCode } from '../core/VprError.js';
import type { Recognizer } from '../worker/protocol.js';

/** One image of the stream and what was said of it. */
export interface ReplayedImage {
  /** Position in the stream, from 1, skipped images included. */
  readonly number: number;
  readonly recognition: Recognition;
  /** True pose, where ground truth gives one. */
  readonly truePose?: Pose;
  /** Where the replay keeps them. */
  readonly descriptor?: Descriptor;
}

export interface Replay {
  readonly images: readonly ReplayedImage[];
  /** Images that could not be used: damaged messages of the source, damaged pictures. */
  readonly skipped: number;
  readonly skippedByCode: Readonly<Record<string, number>>;
  /** The first few sentences. */
  readonly problems: readonly string[];
}

export interface ReplayOptions {
  readonly odometry?: PoseTrack;
  readonly groundTruth?: PoseTrack;
  /** The descriptor of the image that was recognised last, where they are to be kept. */
  readonly lastDescriptor?: () => Descriptor | undefined;
  readonly onImage?: (done: number) => void;
}

/** Errors that are one image's fault. Anything else ends the work. */
export const IMAGE_CODES: ReadonlySet<VprErrorCode> = new Set([
  'IMAGE_INVALID',
  'IMAGE_ENCODING_UNSUPPORTED',
  'IMAGE_TOO_LARGE',
  'MESSAGE_INVALID',
  'MODEL_OUTPUT_INVALID',
]);
const MAX_SENTENCES = 20;

/** Plays every image of a source into a recognizer, one after the other; bad ones are skipped and counted. */
export async function replayImages(
  source: ImageSource,
  recognizer: Pick<Recognizer, 'recognize'>,
  options: ReplayOptions = {},
): Promise<Replay> {
  const { odometry, groundTruth, onImage } = options;
  const images: ReplayedImage[] = [];
  const problems: string[] = [];
  const byCode = new Map<string, number>();
  let number = 0;
  for await (const image of source) {
    number++;
    const odomFromBase = odometry?.at(image.stampNs);
    const truePose = groundTruth?.at(image.stampNs);
    try {
      const recognition = await recognizer.recognize(
        odomFromBase === undefined ? image : { ...image, odometry: odomFromBase },
      );
      const descriptor = options.lastDescriptor?.();
      images.push({
        number,
        recognition,
        ...(truePose === undefined ? {} : { truePose }),
        ...(descriptor === undefined ? {} : { descriptor }),
      });
    } catch (error) {
      if (!(error instanceof VprError) || !IMAGE_CODES.has(error.code)) throw error;
      byCode.set(error.code, (byCode.get(error.code) ?? 0) + 1);
      if (problems.length < MAX_SENTENCES) problems.push(error.message);
    }
    onImage?.(number);
  }
  const { problems: ofSource } = source;
  for (const [code, count] of ofSource.byCode) byCode.set(code, (byCode.get(code) ?? 0) + count);
  return {
    images,
    skipped: [...byCode.values()].reduce((sum, count) => sum + count, 0),
    skippedByCode: Object.fromEntries([...byCode].sort()),
    problems: [...ofSource.first.map(({ message }) => message), ...problems].slice(0, MAX_SENTENCES),
  };
}
