import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Pose } from '../../core/pose.js';
import type { StampedImage } from '../../core/StampedImage.js';
import { buildTown, type TownAndRoute } from '../../sample/buildTown.js';
import { encodeJpeg } from '../../sample/encodeJpeg.js';
import { seedOf } from '../../sample/random.js';
import { SAMPLE_CONDITIONS, type SampleConditionName } from '../../sample/SampleCondition.js';
import { SampleTraverse, type TraverseFrame } from '../../sample/SampleTraverse.js';

/** One drive through a rendered town. The same options give the same pictures on every machine. */
export interface SampleDriveOptions {
  /** Of the town. */
  readonly seed: number;
  /** Which drive through it: people, wander, noise and drift differ. */
  readonly number: number;
  readonly condition: SampleConditionName;
  readonly frames: number;
  /** Metres between two pictures; 2 by default. */
  readonly spacingM?: number;
  /** Metres from the start of the tour to the first picture; 2 by default. */
  readonly startM?: number;
  readonly leftM: number;
  /** The tour is at least this long; changes the town. */
  readonly routeM: number;
  /** Metres that look alike at two places; 24 by default. Changes the town. */
  readonly aliasedM?: number;
}

const CAMERA = 'front';

/** A drive by day that maps a town, and one 2 m beside it in another light, 2 m a picture. */
export function traversePair(
  seed: number,
  condition: SampleConditionName,
  frames: number,
): readonly [SampleDriveOptions, SampleDriveOptions] {
  const common = { seed, frames, routeM: 2 * frames };
  return [
    { ...common, number: 0, condition: 'day', leftM: -1.5 },
    { ...common, number: 1, condition, leftM: 0.5 },
  ];
}

/**
 * A drive whose pictures are rendered when they are read. Rendering takes longer than everything else that is done with
 * a picture, so a folder may keep them: the name follows from all options.
 */
export class SampleDrive {
  readonly key: string;
  readonly town: TownAndRoute;
  readonly #frames: readonly TraverseFrame[];
  readonly #folder: string | undefined;

  /** pictures: folder that keeps the pictures, or none. */
  constructor(options: SampleDriveOptions, pictures?: string) {
    const { seed, number, condition, frames, spacingM = 2, startM = 2, leftM, routeM, aliasedM = 24 } = options;
    this.town = buildTown({ seed, routeM, aliasedM });
    const traverse = new SampleTraverse(this.town, {
      seed: seedOf(seed, number),
      condition: SAMPLE_CONDITIONS[condition],
      frames,
      spacingM,
      startM,
      leftM,
    });
    this.#frames = traverse.frames;
    const identity = JSON.stringify([seed, number, condition, frames, spacingM, startM, leftM, routeM, aliasedM]);
    this.key = `${seed}-${number}-${condition}-${createHash('sha256').update(identity).digest('hex').slice(0, 10)}`;
    this.#folder = pictures === undefined ? undefined : path.join(pictures, this.key);
    if (this.#folder !== undefined) mkdirSync(this.#folder, { recursive: true });
  }

  get length(): number {
    return this.#frames.length;
  }

  /** Metres along the tour of each picture. */
  get distancesM(): readonly number[] {
    return this.#frames.map(({ distanceM }) => distanceM);
  }

  /** Where each picture was taken. */
  get truths(): readonly Pose[] {
    return this.#frames.map(({ truth }) => truth);
  }

  /** Stamps and odometry of all images, without pixels. */
  get headers(): readonly StampedImage[] {
    return this.#frames.map((frame) => stamped(frame, new Uint8Array()));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StampedImage> {
    for (const frame of this.#frames) yield stamped(frame, await this.#jpeg(frame));
  }

  async #jpeg(frame: TraverseFrame): Promise<Uint8Array> {
    const file = this.#folder === undefined ? undefined : path.join(this.#folder, `${frame.index}.jpg`);
    if (file !== undefined && existsSync(file)) return readFileSync(file);
    const data = await encodeJpeg(frame.render(CAMERA));
    if (file !== undefined) {
      // Two programs may fill one folder: a file is there whole or not at all.
      const partial = `${file}.${process.pid}`;
      writeFileSync(partial, data);
      renameSync(partial, file);
    }
    return data;
  }
}

function stamped({ index, stampNs, odometry }: TraverseFrame, data: Uint8Array): StampedImage {
  const image = { kind: 'compressed', format: 'jpeg', data } as const;
  return { image, camera: CAMERA, frameId: CAMERA, stampNs, name: `frame ${index}`, odometry };
}
