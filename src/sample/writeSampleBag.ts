import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from '@foxglove/rosmsg';
import { MessageWriter } from '@foxglove/rosmsg2-serialization';
import { McapWriter, type IWritable } from '@mcap/core';
import type { Pose } from '../core/pose.js';
import { encodeJpeg } from './encodeJpeg.js';
import { inOrder } from './inOrder.js';
import { ROS_SCHEMAS, type RosSchemaName } from './rosSchemas.js';
import type { SampleCameraName, SampleTraverse, TraverseFrame } from './SampleTraverse.js';

/** Ground truth: mapFromBase. */
export const SAMPLE_TRUTH_TOPIC = '/ground_truth/odom';
/** Wheel odometry with drift: odomFromBase. */
export const SAMPLE_ODOMETRY_TOPIC = '/odom';

export interface SampleBagOptions {
  /** `['front']` by default. */
  readonly cameras?: readonly SampleCameraName[];
  /** CompressedImage (JPEG) by default, else Image (rgb8). */
  readonly transport?: 'compressed' | 'raw';
  /** Called after each frame with the number written. */
  readonly progress?: (done: number) => void;
}

/** The image topic of a camera: `/camera/front/image_raw`, with `/compressed` for JPEG. */
export function sampleImageTopic(camera: SampleCameraName, transport: 'compressed' | 'raw' = 'compressed'): string {
  return `/camera/${camera}/image_raw${transport === 'compressed' ? '/compressed' : ''}`;
}

/**
 * Writes a rosbag2 folder: `metadata.yaml` and one chunked, indexed mcap file, with images, odometry and ground truth.
 * An mcap file of that name is replaced. The same traverse and options give the same bytes. Returns the mcap's path.
 */
export async function writeSampleBag(
  traverse: SampleTraverse,
  folder: string,
  { cameras = ['front'], transport = 'compressed', progress = () => undefined }: SampleBagOptions = {},
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const fileName = `${path.basename(path.resolve(folder))}_0.mcap`;
  const filePath = path.join(folder, fileName);
  await rm(filePath, { force: true });
  const file = await open(filePath, 'wx');
  try {
    let position = 0n;
    const writable: IWritable = {
      position: () => position,
      async write(bytes) {
        await file.write(bytes);
        position += BigInt(bytes.length);
      },
    };
    const bag = new BagStream(new McapWriter({ writable, chunkSize: 1 << 20 }));
    await bag.start(
      cameras.map((camera) => sampleImageTopic(camera, transport)),
      transport,
    );
    await inOrder(
      traverse.frames,
      (frame) => imagesOf(frame, cameras, transport),
      async (images, frame) => {
        await bag.write(SAMPLE_TRUTH_TOPIC, frame.stampNs, odometryOf(frame, 'map', frame.truth));
        await bag.write(SAMPLE_ODOMETRY_TOPIC, frame.stampNs, odometryOf(frame, 'odom', frame.odometry));
        for (const { topic, message } of images) await bag.write(topic, frame.stampNs, message);
        progress(frame.index + 1);
      },
    );
    await bag.end();
    await writeFile(path.join(folder, 'metadata.yaml'), bag.metadata(fileName, traverse.frames));
  } finally {
    await file.close();
  }
  return filePath;
}

/** Topics, counters and serialisers of one bag that is being written. */
class BagStream {
  readonly #writer: McapWriter;
  readonly #topics = new Map<
    string,
    { readonly channelId: number; readonly type: RosSchemaName; readonly serialiser: MessageWriter; count: number }
  >();

  constructor(writer: McapWriter) {
    this.#writer = writer;
  }

  async start(imageTopics: readonly string[], transport: 'compressed' | 'raw'): Promise<void> {
    await this.#writer.start({ profile: 'ros2', library: 'vpr_node sample world' });
    const imageType = transport === 'compressed' ? 'sensor_msgs/msg/CompressedImage' : 'sensor_msgs/msg/Image';
    await this.#addTopics('nav_msgs/msg/Odometry', [SAMPLE_TRUTH_TOPIC, SAMPLE_ODOMETRY_TOPIC]);
    await this.#addTopics(imageType, imageTopics);
  }

  async #addTopics(type: RosSchemaName, topics: readonly string[]): Promise<void> {
    const definition = ROS_SCHEMAS[type];
    const schemaId = await this.#writer.registerSchema({
      name: type,
      encoding: 'ros2msg',
      data: new TextEncoder().encode(definition),
    });
    const serialiser = new MessageWriter(parse(definition, { ros2: true }));
    for (const topic of topics) {
      const metadata = new Map([['offered_qos_profiles', '']]);
      const channelId = await this.#writer.registerChannel({ topic, schemaId, messageEncoding: 'cdr', metadata });
      this.#topics.set(topic, { channelId, type, serialiser, count: 0 });
    }
  }

  async write(topic: string, stampNs: bigint, message: Record<string, unknown>): Promise<void> {
    const channel = this.#topics.get(topic)!;
    const data = channel.serialiser.writeMessage(message);
    const { channelId } = channel;
    await this.#writer.addMessage({
      channelId,
      sequence: channel.count++,
      logTime: stampNs,
      publishTime: stampNs,
      data,
    });
  }

  async end(): Promise<void> {
    await this.#writer.end();
  }

  /** rosbag2's metadata.yaml, version 5 (Humble and later read it). */
  metadata(fileName: string, frames: readonly TraverseFrame[]): string {
    const start = frames[0]?.stampNs ?? 0n;
    const duration = (frames.at(-1)?.stampNs ?? start) - start;
    const total = [...this.#topics.values()].reduce((sum, topic) => sum + topic.count, 0);
    const times = `duration:\n    nanoseconds: ${duration}\n  starting_time:\n    nanoseconds_since_epoch: ${start}`;
    const topics = [...this.#topics].map(
      ([name, { type, count }]) =>
        `    - topic_metadata:\n        name: ${name}\n        type: ${type}\n        serialization_format: cdr\n` +
        `        offered_qos_profiles: ""\n      message_count: ${count}\n`,
    );
    return (
      `rosbag2_bagfile_information:\n  version: 5\n  storage_identifier: mcap\n  ${times}\n  message_count: ${total}\n` +
      `  topics_with_message_count:\n${topics.join('')}  compression_format: ""\n  compression_mode: ""\n` +
      `  relative_file_paths:\n    - ${fileName}\n  files:\n    - path: ${fileName}\n` +
      `      starting_time:\n        nanoseconds_since_epoch: ${start}\n      duration:\n        nanoseconds: ${duration}\n` +
      `      message_count: ${total}\n`
    );
  }
}

function headerOf(stampNs: bigint, frameId: string): Record<string, unknown> {
  const stamp = { sec: Number(stampNs / 1_000_000_000n), nanosec: Number(stampNs % 1_000_000_000n) };
  return { stamp, frame_id: frameId };
}

async function imagesOf(
  frame: TraverseFrame,
  cameras: readonly SampleCameraName[],
  transport: 'compressed' | 'raw',
): Promise<{ topic: string; message: Record<string, unknown> }[]> {
  return Promise.all(
    cameras.map(async (camera) => {
      const image = frame.render(camera);
      const header = headerOf(frame.stampNs, `camera_${camera}_optical_frame`);
      const topic = sampleImageTopic(camera, transport);
      if (transport === 'compressed')
        return { topic, message: { header, format: 'rgb8; jpeg compressed bgr8', data: await encodeJpeg(image) } };
      const { width, height, data } = image;
      return { topic, message: { header, height, width, encoding: 'rgb8', is_bigendian: 0, step: width * 3, data } };
    }),
  );
}

function odometryOf(frame: TraverseFrame, frameId: string, pose: Pose): Record<string, unknown> {
  const [x, y, z] = pose.position;
  const [qx, qy, qz, qw] = pose.orientation;
  const position = { x, y, z };
  const orientation = { x: qx, y: qy, z: qz, w: qw };
  const none = new Float64Array(36);
  const still = { x: 0, y: 0, z: 0 };
  return {
    header: headerOf(frame.stampNs, frameId),
    child_frame_id: 'base_link',
    pose: { pose: { position, orientation }, covariance: none },
    twist: { twist: { linear: still, angular: still }, covariance: none },
  };
}
