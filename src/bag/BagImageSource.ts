import { isImageMessageType, RAW_IMAGE_TYPE, readImage } from '../core/parseImageCdr.js';
import { VprError } from '../core/VprError.js';
import type { BagFile, BagMessage, BagTopic } from './BagFile.js';
import type { ImageSource, ImageSourceOptions, SourceCamera, SourceImage, SourceSummary } from './ImageSource.js';
import { isReadable, MessageOpener, whereOf } from './MessageOpener.js';
import { baseTopic, COMPRESSED_SUFFIX, nameCameras } from './nameCameras.js';
import { PictureCount } from './PictureCount.js';
import type { PoseTrack } from './PoseTrack.js';
import type { ProblemCount } from './ProblemCount.js';
import { isPoseMessageType, POSE_TYPES } from './readPose.js';
import { readPoseTrack } from './readPoseTrack.js';
import type { PoseFrames } from './TransformTree.js';

/** Images whose values are metres or pixels of shift, not light. */
const NOT_PICTURES = /depth|disparity/i;

/** REP-105. */
const DEFAULT_FRAMES: PoseFrames = { map: 'map', base: 'base_link' };

function isImageTopic(topic: BagTopic): boolean {
  return isReadable(topic) && isImageMessageType(topic.type);
}

function availableTopics(topics: readonly BagTopic[], fits: (topic: BagTopic) => boolean): string {
  const names = [...new Set(topics.filter(fits).map(({ name }) => name))];
  return names.length === 0 ? 'none of that kind' : names.join(', ');
}

/** Every image topic but depth; of raw and compressed images of one camera the raw ones, unless there are none. */
function pictureTopics(topics: readonly BagTopic[]): readonly string[] {
  const pictures = topics.filter((topic) => isImageTopic(topic) && !NOT_PICTURES.test(topic.name));
  // Over all files: a driver may announce a topic long before it publishes there, or never.
  const withImages = new Set(pictures.filter(({ messageCount }) => messageCount > 0).map(({ name }) => name));
  const rawNames = new Set(pictures.filter(({ type }) => type === RAW_IMAGE_TYPE).map(({ name }) => name));
  const isTaken = ({ name }: BagTopic): boolean => {
    const base = baseTopic(name);
    const other = name === base ? `${base}${COMPRESSED_SUFFIX}` : base;
    if (name !== base) return !rawNames.has(base) || (withImages.has(name) && !withImages.has(base));
    return !rawNames.has(name) || withImages.has(name) || !withImages.has(other);
  };
  return [...new Set(pictures.filter(isTaken).map(({ name }) => name))];
}

/** The images of a rosbag2 bag. */
export class BagImageSource implements ImageSource {
  readonly summary: SourceSummary;
  readonly problems: ProblemCount;
  pictures = new PictureCount();
  readonly #files: readonly BagFile[];
  readonly #topics: readonly BagTopic[];
  readonly #cameraByTopic: ReadonlyMap<string, string>;
  readonly #options: ImageSourceOptions;
  #poses: Promise<PoseTrack> | undefined;

  /** Throws TOPIC_MISSING when a named topic or camera is not there. */
  constructor(path: string, files: readonly BagFile[], options: ImageSourceOptions, problems: ProblemCount) {
    this.#files = files;
    this.#options = options;
    this.problems = problems;
    this.#topics = files.flatMap((file) => file.topics);
    const taken = options.topics ?? pictureTopics(this.#topics);
    for (const name of taken)
      if (!this.#topics.some((topic) => topic.name === name && isImageTopic(topic)))
        throw new VprError(
          'TOPIC_MISSING',
          `Expected an image topic ${name}, got ${availableTopics(this.#topics, isImageTopic)} [${path}]`,
        );
    const automatic = nameCameras(taken);
    const named = new Map(taken.map((topic) => [topic, options.cameraNames?.[topic] ?? automatic.get(topic)!]));
    for (const camera of options.cameras ?? [])
      if (![...named.values()].includes(camera))
        throw new VprError(
          'TOPIC_MISSING',
          `Expected a camera '${camera}', got ${[...named.values()].join(', ') || 'none'} [${path}]`,
        );
    this.#cameraByTopic = new Map([...named].filter(([, camera]) => options.cameras?.includes(camera) ?? true));
    if (options.poseTopic !== undefined) this.#checkPoseTopic(options.poseTopic, path);
    this.summary = this.#summarize(path);
  }

  #summarize(path: string): SourceSummary {
    const counted = new Map<string, { name: string; type: string; messages: number }>();
    for (const { name, type, messageCount } of this.#topics) {
      const key = JSON.stringify([name, type]);
      const entry = counted.get(key) ?? { name, type, messages: 0 };
      counted.set(key, { ...entry, messages: entry.messages + messageCount });
    }
    const topics = [...counted.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    const cameras: SourceCamera[] = [...this.#cameraByTopic].map(([topic, camera]) => ({
      camera,
      topic,
      images: topics
        .filter(({ name, type }) => name === topic && isImageMessageType(type))
        .reduce((sum, { messages }) => sum + messages, 0),
    }));
    const spans = this.#files.filter((file) => file.topics.some(({ messageCount }) => messageCount > 0));
    const earliest = (a: bigint, b: bigint): bigint => (a < b ? a : b);
    const startNs = spans.map((file) => file.startNs).reduce(earliest, spans[0]?.startNs ?? 0n);
    const endNs = spans.map((file) => file.endNs).reduce((a, b) => (a > b ? a : b), spans[0]?.endNs ?? 0n);
    return {
      path,
      kind: this.#files[0]!.storage,
      files: this.#files.length,
      topics,
      cameras,
      images: cameras.reduce((sum, { images }) => sum + images, 0),
      // Static transforms alone are no drive.
      poseTopics: topics
        .filter(({ name, type }) => isPoseMessageType(type) && !name.endsWith('tf_static'))
        .map(({ name }) => name),
      startNs,
      endNs,
      durationS: Number(endNs - startNs) / 1e9,
    };
  }

  #checkPoseTopic(name: string, path: string): void {
    if (!this.#topics.some((topic) => topic.name === name && isReadable(topic) && isPoseMessageType(topic.type)))
      throw new VprError(
        'TOPIC_MISSING',
        `Expected a topic ${name} of ${POSE_TYPES.join(', ')}, got ${availableTopics(this.#topics, ({ type }) => isPoseMessageType(type))} [${path}]`,
      );
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SourceImage> {
    this.pictures = new PictureCount();
    if (this.#cameraByTopic.size === 0)
      throw new VprError(
        'BAG_NO_IMAGES',
        `Expected a topic of sensor_msgs/msg/Image or CompressedImage, got ${this.#topics.map(({ name }) => name).join(', ') || 'no topics'} [${this.summary.path}]`,
      );
    const limit = this.#options.limit ?? Infinity;
    const poses = this.#options.poseTopic === undefined ? undefined : await this.readPoses();
    let delivered = 0;
    if (limit <= 0) return;
    const opener = await MessageOpener.create();
    for (const file of this.#files) {
      const topics = file.topics.filter((topic) => isImageTopic(topic) && this.#cameraByTopic.has(topic.name));
      for await (const message of file.messages(topics, (problem) => this.#countProblem(problem))) {
        const image = this.#read(message, opener, poses);
        if (image === undefined) continue;
        yield image;
        if (++delivered >= limit) return;
      }
    }
  }

  /** A message that the file has but does not hand out is a picture; other damage is of none or of many. */
  #countProblem(problem: VprError): void {
    if (problem.code === 'MESSAGE_INVALID') {
      this.pictures.next();
      this.pictures.addUnreadable(problem.code);
    }
    this.problems.add(problem);
  }

  #read(message: BagMessage, opener: MessageOpener, poses: PoseTrack | undefined): SourceImage | undefined {
    const { topic, logTimeNs } = message;
    if (!isImageMessageType(topic.type)) return undefined;
    const position = this.pictures.next();
    const where = whereOf(message);
    try {
      const parsed = readImage(topic.type, opener.open(message));
      // Drivers that never set the stamp leave 0; the recorder's clock is then the best there is.
      const stampNs = parsed.stampNs === 0n ? logTimeNs : parsed.stampNs;
      const pose = poses?.at(stampNs);
      return {
        // The caller may hand the pixels to another thread, so they must not share a chunk's memory. (slice() would not
        // do: that of a Buffer is a view.)
        image: { ...parsed.image, data: new Uint8Array(parsed.image.data) },
        camera: this.#cameraByTopic.get(topic.name)!,
        frameId: parsed.frameId,
        stampNs,
        name: where,
        position,
        ...(pose === undefined ? {} : { pose }),
      };
    } catch (error) {
      if (!(error instanceof VprError)) throw error;
      this.pictures.addUnreadable(error.code);
      this.problems.add(error);
      return undefined;
    }
  }

  async readPoses(name = this.#options.poseTopic, frames?: PoseFrames): Promise<PoseTrack> {
    if (name === undefined) throw new TypeError('Expected the name of a pose topic');
    this.#checkPoseTopic(name, this.summary.path);
    const ownFrames = this.#options.poseFrames ?? DEFAULT_FRAMES;
    if (name !== this.#options.poseTopic || frames !== undefined) return this.#readTrack(name, frames ?? ownFrames);
    return (this.#poses ??= this.#readTrack(name, ownFrames));
  }

  async #readTrack(name: string, frames: PoseFrames): Promise<PoseTrack> {
    const track = await readPoseTrack(this.#files, name, frames, this.problems);
    if (track.invalidCount > 0)
      this.problems.add(
        new VprError(
          'POSES_INVALID',
          `Expected finite poses with unit quaternions, got ${track.invalidCount} that are not, beside ${track.poses.length}; left them out [${name}]`,
        ),
      );
    if (track.poses.length === 0)
      throw new VprError('POSES_INVALID', `Expected poses, got none that can be used [${name}, ${this.summary.path}]`);
    return track;
  }

  async close(): Promise<void> {
    for (const file of this.#files) await file.close();
  }
}
