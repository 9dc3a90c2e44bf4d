import type { PoseTrack } from '../bag/PoseTrack.js';
import type { ImageSource } from '../bag/ImageSource.js';
import type { Descriptor } from '../core/descriptor.js';
import type { Pose } from '../core/pose.js';
import type { Recognition } from '../core/recognition.js';
import type { StampedImage } from '../core/StampedImage.js';
import type { VprError } from '../core/VprError.js';
import type { Recognizer } from '../worker/protocol.js';
import { SkippedImages, type SkippedCounts } from './SkippedImages.js';

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

/** An image of the stream that the recognizer could not use. */
export type UnusedImage = Pick<ReplayedImage, 'number' | 'truePose'> & Pick<StampedImage, 'camera' | 'stampNs'>;

/** The images, and how many could not be used: damaged messages of the source, damaged pictures. */
export interface Replay extends SkippedCounts {
  readonly images: readonly ReplayedImage[];
  /** Without the pictures that the source itself could not read: of those nothing is known but their number. */
  readonly unused: readonly UnusedImage[];
  /** Length of the stream, skipped images included. */
  readonly count: number;
}

export interface ReplayOptions {
  readonly odometry?: PoseTrack;
  readonly groundTruth?: PoseTrack;
  /** The descriptor of the image that was recognised last, where they are to be kept. */
  readonly lastDescriptor?: () => Descriptor | undefined;
  readonly onImage?: (done: number) => void;
  /** Told of each image that the recognizer could not use. */
  readonly onSkipped?: (problem: VprError) => void;
}

/** Plays every image of a source into a recognizer, one after the other; bad ones are skipped and counted. */
export async function replayImages(
  source: ImageSource,
  recognizer: Pick<Recognizer, 'recognize'>,
  options: ReplayOptions = {},
): Promise<Replay> {
  const { odometry, groundTruth, onImage, onSkipped } = options;
  const images: ReplayedImage[] = [];
  const unused: UnusedImage[] = [];
  const skipped = new SkippedImages();
  let done = 0;
  for await (const image of source) {
    const odomFromBase = odometry?.at(image.stampNs);
    const truePose = groundTruth?.at(image.stampNs);
    try {
      const recognition = await recognizer.recognize(
        odomFromBase === undefined ? image : { ...image, odometry: odomFromBase },
      );
      const descriptor = options.lastDescriptor?.();
      images.push({
        number: image.position + 1,
        recognition,
        ...(truePose === undefined ? {} : { truePose }),
        ...(descriptor === undefined ? {} : { descriptor }),
      });
    } catch (error) {
      const problem = skipped.add(error);
      const { position, camera, stampNs } = image;
      unused.push({ number: position + 1, camera, stampNs, ...(truePose === undefined ? {} : { truePose }) });
      onSkipped?.(problem);
    }
    onImage?.(++done);
  }
  return { images, unused, count: source.pictures.met, ...skipped.countsWith(source) };
}
