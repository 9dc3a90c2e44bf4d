import type { StampedImage } from '../core/StampedImage.js';
import type { VprError, VprErrorCode } from '../core/VprError.js';
import type { PoseTrack } from './PoseTrack.js';
import type { PoseFrames } from './TransformTree.js';

export interface ImageSourceOptions {
  /** Image topics to take. Default: every image topic but depth and disparity; of raw and compressed images of one camera, the raw ones. */
  readonly topics?: readonly string[];
  /** Cameras to take, by name. Default: all. */
  readonly cameras?: readonly string[];
  /** Camera name by topic, instead of the topic's last useful part. For image folders: by ''. */
  readonly cameraNames?: Readonly<Record<string, string>>;
  /**
   * Topic that gives each image its pose: Odometry, PoseStamped, PoseWithCovarianceStamped, NavSatFix (UTM metres), or
   * TFMessage (`poseFrames` says which transform). Default: no poses.
   */
  readonly poseTopic?: string;
  /** For a transform topic: the pose is map from base. Default: map, base_link. */
  readonly poseFrames?: PoseFrames;
  /** CSV of poses for an image folder. Default: poses.csv in the folder, where there is one. */
  readonly poseFile?: string;
  /** At most this many images. */
  readonly limit?: number;
  /** Told of each skipped image or part of a file, at once. */
  readonly onProblem?: (problem: VprError) => void;
}

export interface SourceCamera {
  readonly camera: string;
  /** '' for an image folder. */
  readonly topic: string;
  /** Messages or files; some may turn out to be damaged. */
  readonly images: number;
}

export interface SourceTopic {
  readonly name: string;
  readonly type: string;
  readonly messages: number;
}

export interface SourceSummary {
  readonly path: string;
  readonly kind: 'mcap' | 'sqlite3' | 'ros1' | 'folder';
  /** Files of the bag, or 1. */
  readonly files: number;
  readonly topics: readonly SourceTopic[];
  /** What iterating delivers. */
  readonly cameras: readonly SourceCamera[];
  readonly images: number;
  /** Topics that can be `poseTopic`. */
  readonly poseTopics: readonly string[];
  /** Log times of all messages, 0 when there are none; an image folder counts 1 s a picture. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly durationS: number;
}

/** A picture of a source. */
export interface SourceImage extends StampedImage {
  /** Its place in the order of the source, from 0. Pictures that could not be read count too: this is what ground truths index. */
  readonly position: number;
}

/** Pictures that the latest iteration came to; those that were lost with a damaged part of a file are not known. */
export interface SourcePictures {
  /** Those that could not be read among them. */
  readonly met: number;
  readonly unreadable: ReadonlyMap<VprErrorCode, number>;
}

/** What went wrong so far without ending the reading. */
export interface SourceProblems {
  readonly count: number;
  readonly byCode: ReadonlyMap<VprErrorCode, number>;
  /** The first 20. */
  readonly first: readonly VprError[];
}

/**
 * Pictures in log order (folders: name order), each with memory of its own. Bad messages and damaged parts of a file are
 * skipped, counted in `problems` and told to `onProblem`; only what makes the whole source useless is thrown.
 * Can be iterated more than once, one iteration at a time.
 */
export interface ImageSource extends AsyncIterable<SourceImage> {
  readonly summary: SourceSummary;
  readonly pictures: SourcePictures;
  readonly problems: SourceProblems;
  /** All poses of a topic (default: the option's); frames as `poseFrames` (default: the option's). Throws TOPIC_MISSING, POSES_INVALID. */
  readPoses(topic?: string, frames?: PoseFrames): Promise<PoseTrack>;
  close(): Promise<void>;
}
