import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { MAX_MESSAGE_BYTES } from '../core/limits.js';
import { VprError } from '../core/VprError.js';
import { MAX_TEXT_FILE_BYTES } from './bagLimits.js';
import type { ImageSource, ImageSourceOptions, SourceImage, SourceSummary } from './ImageSource.js';
import { fileError } from './openFile.js';
import { parsePoseCsv, type PoseRow } from './parsePoseCsv.js';
import { PictureCount } from './PictureCount.js';
import { PoseTrack } from './PoseTrack.js';
import type { ProblemCount } from './ProblemCount.js';
import { poseFromUtmName } from './utmName.js';

const IMAGE_SUFFIX = /\.(jpe?g|png|webp|tiff?|bmp|p[gpn]m)$/i;
const POSE_FILE = 'poses.csv';
const SECOND_NS = 1_000_000_000n;

export function hasImageSuffix(name: string): boolean {
  return IMAGE_SUFFIX.test(name);
}

interface Picture {
  readonly name: string;
  readonly stampNs: bigint;
  readonly pose?: PoseRow['pose'];
}

/** Pictures of a folder in the order of their names (by code unit, as `sorted` and `ls` with LC_ALL=C do). */
export class FolderImageSource implements ImageSource {
  readonly summary: SourceSummary;
  readonly problems: ProblemCount;
  pictures = new PictureCount();
  readonly #folder: string;
  readonly #pictures: readonly Picture[];
  readonly #camera: string;

  private constructor(folder: string, pictures: readonly Picture[], camera: string, problems: ProblemCount) {
    this.#folder = folder;
    this.#pictures = pictures;
    this.#camera = camera;
    this.problems = problems;
    const stamps = pictures.map(({ stampNs }) => stampNs);
    const startNs = stamps.reduce((a, b) => (a < b ? a : b), stamps[0] ?? 0n);
    const endNs = stamps.reduce((a, b) => (a > b ? a : b), stamps[0] ?? 0n);
    this.summary = {
      path: folder,
      kind: 'folder',
      files: 1,
      topics: [],
      cameras: [{ camera, topic: '', images: pictures.length }],
      images: pictures.length,
      poseTopics: [],
      startNs,
      endNs,
      durationS: Number(endNs - startNs) / 1e9,
    };
  }

  /** names: the files to take; default all images of the folder. Throws FOLDER_INVALID, POSES_INVALID, FILE_MISSING. */
  static async open(
    folder: string,
    options: ImageSourceOptions,
    problems: ProblemCount,
    names?: readonly string[],
  ): Promise<FolderImageSource> {
    if (options.poseTopic !== undefined || options.topics !== undefined)
      throw new VprError('TOPIC_MISSING', `Expected no topics for an image folder, got some [${folder}]`);
    const camera = options.cameraNames?.[''] ?? 'camera';
    if (options.cameras !== undefined && !options.cameras.includes(camera))
      throw new VprError(
        'TOPIC_MISSING',
        `Expected the camera '${camera}', got ${options.cameras.join(', ')} [${folder}]`,
      );
    const all = names ?? (await readdir(folder)).sort();
    const images = all.filter(hasImageSuffix);
    if (images.length === 0)
      throw new VprError(
        'FOLDER_INVALID',
        `Expected images (.jpg, .png, .webp, .tif, .bmp, .ppm) or a bag (.mcap, .db3, metadata.yaml) in the folder, got ${all.length === 0 ? 'nothing' : `${all.length} other entries`} [${folder}]`,
      );
    const beside = all.includes(POSE_FILE) ? path.join(folder, POSE_FILE) : undefined;
    const rows = await readPoseFile(options.poseFile ?? beside);
    if (rows !== undefined && !images.some((name) => rows.has(name)))
      throw new VprError(
        'POSES_INVALID',
        `Expected poses for images of the folder, got none for any of them [${folder}]`,
      );
    const pictures = images.map((name, i): Picture => {
      const row = rows?.get(name);
      const pose = row?.pose ?? poseFromUtmName(name);
      return { name, stampNs: row?.stampNs ?? BigInt(i) * SECOND_NS, ...(pose === undefined ? {} : { pose }) };
    });
    return new FolderImageSource(folder, pictures.slice(0, options.limit ?? Infinity), camera, problems);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SourceImage> {
    this.pictures = new PictureCount();
    // One file is read ahead while the caller works on the one before.
    let next = this.#load(this.#pictures[0]);
    for (const [i, picture] of this.#pictures.entries()) {
      const loaded = await next;
      next = this.#load(this.#pictures[i + 1]);
      const position = this.pictures.next();
      if (loaded instanceof VprError) {
        this.pictures.addUnreadable(loaded.code);
        this.problems.add(loaded);
      } else if (loaded !== undefined)
        yield {
          image: { kind: 'compressed', format: path.extname(picture.name).slice(1).toLowerCase(), data: loaded },
          camera: this.#camera,
          frameId: '',
          stampNs: picture.stampNs,
          name: picture.name,
          position,
          ...(picture.pose === undefined ? {} : { pose: picture.pose }),
        };
    }
  }

  async #load(picture: Picture | undefined): Promise<Uint8Array | VprError | undefined> {
    if (picture === undefined) return undefined;
    const file = path.join(this.#folder, picture.name);
    try {
      const { size } = await stat(file);
      if (size > MAX_MESSAGE_BYTES)
        return new VprError(
          'IMAGE_TOO_LARGE',
          `Expected at most ${MAX_MESSAGE_BYTES} bytes for an image file, got ${size} [${file}]`,
        );
      const bytes = await readFile(file);
      // Small files come from a shared pool, whose memory must not be handed to another thread.
      return bytes.byteLength === bytes.buffer.byteLength ? bytes : Uint8Array.from(bytes);
    } catch (error) {
      return fileError(error, file, 'an image file');
    }
  }

  readPoses(): Promise<PoseTrack> {
    const stamped = this.#pictures.map(({ stampNs, pose }) => ({ stampNs, frameId: '', childFrameId: '', pose }));
    return Promise.resolve(new PoseTrack(stamped));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

async function readPoseFile(file: string | undefined): Promise<ReadonlyMap<string, PoseRow> | undefined> {
  if (file === undefined) return undefined;
  let text: string;
  try {
    if ((await stat(file)).size > MAX_TEXT_FILE_BYTES)
      throw new VprError('POSES_INVALID', `Expected a CSV file of at most ${MAX_TEXT_FILE_BYTES} bytes [${file}]`);
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw error instanceof VprError ? error : fileError(error, file, 'a CSV file of poses');
  }
  return parsePoseCsv(text, file);
}
