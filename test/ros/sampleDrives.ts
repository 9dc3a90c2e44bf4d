import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openBag } from '../../src/bag/openBag.js';
import type { ImageMessageType } from '../../src/core/parseImageCdr.js';
import { parseImageCdr } from '../../src/core/parseImageCdr.js';
import type { StampedImage } from '../../src/core/StampedImage.js';
import { refitMap } from '../../src/cli/mapCode.js';
import { buildTown } from '../../src/sample/buildTown.js';
import { seedOf } from '../../src/sample/random.js';
import { SAMPLE_CONDITIONS } from '../../src/sample/SampleCondition.js';
import { SampleTraverse, type SampleCameraName } from '../../src/sample/SampleTraverse.js';
import { SAMPLE_CAMERA } from '../../src/sample/Pinhole.js';
import { writeSampleBag } from '../../src/sample/writeSampleBag.js';
import { defaultModelPath } from '../../src/worker/defaultModel.js';
import { RecognizerClient } from '../../src/worker/RecognizerClient.js';

export const CAMERAS = ['front', 'rear'] as const satisfies readonly SampleCameraName[];
const SEED = 7;
const FRAMES = 24;

/** One image message of a bag, serialised. */
export interface DriveMessage {
  readonly camera: SampleCameraName;
  readonly topic: string;
  readonly type: ImageMessageType;
  readonly stampNs: bigint;
  readonly cdr: Uint8Array;
}

/** Two drives through one sample town: the first one's map, the second one's images. */
export interface SampleDrives {
  readonly folder: string;
  readonly mapPath: string;
  readonly bag: Readonly<Record<'compressed' | 'raw', string>>;
  readonly messages: Readonly<Record<'compressed' | 'raw', readonly DriveMessage[]>>;
}

let made: Promise<SampleDrives> | undefined;

/** Rendered once for all tests of a run; the folder goes when the process ends. */
export function sampleDrives(): Promise<SampleDrives> {
  made ??= make();
  return made;
}

async function make(): Promise<SampleDrives> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-ros-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const first = path.join(folder, 'first');
  await writeSampleBag(drive(0), first, { cameras: CAMERAS });
  const bag = { compressed: path.join(folder, 'second'), raw: path.join(folder, 'second_raw') };
  await writeSampleBag(drive(1), bag.compressed, { cameras: CAMERAS });
  await writeSampleBag(drive(1), bag.raw, { cameras: CAMERAS, transport: 'raw' });
  const messages = { compressed: await readMessages(bag.compressed), raw: await readMessages(bag.raw) };
  const mapPath = path.join(folder, 'town.vpr');
  await buildMap(await readMessages(first), mapPath);
  return { folder, mapPath, bag, messages };
}

function drive(number: number): SampleTraverse {
  return new SampleTraverse(buildTown({ seed: SEED, routeM: 2 * FRAMES, aliasedM: 0 }), {
    seed: seedOf(SEED, number),
    condition: SAMPLE_CONDITIONS.day,
    frames: FRAMES,
    spacingM: 2,
    crowd: 0,
    camera: { ...SAMPLE_CAMERA, width: 160, height: 120 },
    startNs: BigInt(1000 + 1000 * number) * 1_000_000_000n,
  });
}

async function readMessages(folder: string): Promise<DriveMessage[]> {
  const fail = (problem: Error): never => {
    throw problem;
  };
  const messages: DriveMessage[] = [];
  for (const file of await openBag(folder, fail)) {
    const topics = file.topics.filter(({ name }) => name.includes('image_raw'));
    for await (const { topic, logTimeNs, data } of file.messages(topics, fail))
      messages.push({
        camera: topic.name.includes('front') ? 'front' : 'rear',
        topic: topic.name,
        type: topic.type as ImageMessageType,
        stampNs: logTimeNs,
        cdr: Uint8Array.from(data),
      });
    await file.close();
  }
  return messages;
}

/** The image as the node sees it. */
export function stampedImage({ type, cdr, camera, topic }: DriveMessage): StampedImage {
  const { image, stampNs, frameId } = parseImageCdr(type, Uint8Array.from(cdr), topic);
  return { image, stampNs, frameId, camera, name: topic };
}

async function buildMap(messages: readonly DriveMessage[], mapPath: string): Promise<void> {
  const truth = drive(0).frames;
  const recognizer = await RecognizerClient.open({
    modelPath: defaultModelPath(),
    mode: 'mapping',
    executionProviders: ['cpu'],
    parameters: { 'keyframe.distance_m': 0, 'keyframe.interval_s': 0, 'keyframe.angle_deg': 0 },
  });
  for (const message of messages) {
    const frame = truth.find(({ stampNs }) => stampNs === message.stampNs)!;
    await recognizer.addPlace({ ...stampedImage(message), pose: frame.truth }, message.camera, 0);
  }
  await recognizer.saveMap(mapPath);
  await recognizer.close();
  // As `vpr map build` leaves it: with codes of its own.
  await refitMap(mapPath, mapPath, { target: 'overwrite' });
}
