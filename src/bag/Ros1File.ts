import { Bag } from '@foxglove/rosbag';
import { messageOf, VprError } from '../core/VprError.js';
import type { BagFile, BagMessage, BagTopic, ProblemListener } from './BagFile.js';
import { MAX_CHUNK_BYTES, MAX_SUMMARY_BYTES } from './bagLimits.js';
import { DamageTeller } from './DamageTeller.js';
import { loadDecompressor } from './decompress.js';
import { FileBytes } from './FileBytes.js';
import { mergeByTime } from './mergeByTime.js';
import { openFile } from './openFile.js';
import { ros2TypeName } from './ros2TypeName.js';

type ChunkInfo = Bag['chunkInfos'][number];
type Decompress = Readonly<Record<string, (bytes: Uint8Array, size: number) => Uint8Array>>;

interface Time {
  readonly sec: number;
  readonly nsec: number;
}

const FIRST: Time = { sec: 0, nsec: 0 };
const LAST: Time = { sec: Number.MAX_VALUE, nsec: Number.MAX_VALUE };

function nanoseconds({ sec, nsec }: Time): bigint {
  return BigInt(sec) * 1_000_000_000n + BigInt(nsec);
}

/** A ROS 1 bag, format 2.0: uncompressed, bz2 or lz4 chunks. */
export class Ros1File implements BagFile {
  readonly storage = 'ros1';
  readonly path: string;
  readonly topics: readonly BagTopic[];
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly #bytes: FileBytes;
  readonly #bag: Bag;
  readonly #decompress: Decompress;
  readonly #damage = new DamageTeller();
  readonly #topicByConnection = new Map<number, BagTopic>();

  private constructor(path: string, bytes: FileBytes, bag: Bag, decompress: Decompress) {
    this.path = path;
    this.#bytes = bytes;
    this.#bag = bag;
    this.#decompress = decompress;
    const counts = new Map<number, number>();
    for (const { connections } of bag.chunkInfos)
      for (const { conn, count } of connections) counts.set(conn, (counts.get(conn) ?? 0) + count);
    const topics = new Map<string, BagTopic>();
    const keyOf = (name: string, type: string | undefined): string => JSON.stringify([name, type]);
    for (const { conn, topic: name, type } of bag.connections.values()) {
      const known = topics.get(keyOf(name, type))?.messageCount ?? 0;
      const messageCount = known + (counts.get(conn) ?? 0);
      topics.set(keyOf(name, type), { name, type: ros2TypeName(type ?? ''), encoding: 'ros1', messageCount });
    }
    for (const { conn, topic, type } of bag.connections.values())
      this.#topicByConnection.set(conn, topics.get(keyOf(topic, type))!);
    this.topics = [...topics.values()];
    const starts = bag.chunkInfos.map(({ startTime }) => nanoseconds(startTime));
    const ends = bag.chunkInfos.map(({ endTime }) => nanoseconds(endTime));
    this.startNs = starts.reduce((a, b) => (a < b ? a : b), starts[0] ?? 0n);
    this.endNs = ends.reduce((a, b) => (a > b ? a : b), 0n);
  }

  /** Throws FILE_MISSING, FILE_UNREADABLE, BAG_TRUNCATED when the recorder never wrote the index, or BAG_INVALID. */
  static async open(path: string): Promise<Ros1File> {
    const { handle, size } = await openFile(path, 'a ROS 1 bag');
    const bytes = new FileBytes(handle, size);
    const read = (offset: number, length: number): Promise<Uint8Array> => {
      const most = Math.max(MAX_CHUNK_BYTES, MAX_SUMMARY_BYTES);
      if (length > most) throw new RangeError(`a record of ${length} bytes (at most ${most} are read)`);
      // The library asks for a fixed number of bytes at the start, also of shorter files.
      return bytes.read(offset, Math.min(length, size - offset));
    };
    try {
      const bag = new Bag({ read, size: () => size }, { parse: false });
      const { indexPosition } = await bag.reader.readHeader();
      if (indexPosition === 0)
        throw new VprError(
          'BAG_TRUNCATED',
          `Expected an index in the ROS 1 bag, got none: its recording was cut off; 'rosbag reindex' repairs it [${path}]`,
        );
      await bag.open();
      const [lz4, bz2] = await Promise.all([loadDecompressor('lz4'), loadDecompressor('bz2')]);
      return new Ros1File(path, bytes, bag, { lz4, bz2 });
    } catch (error) {
      await handle.close();
      if (error instanceof VprError) throw error;
      // The library stumbles over what a damaged index leads to; its words for that help nobody.
      const got = error instanceof TypeError ? 'one whose index is damaged' : messageOf(error);
      throw new VprError(
        'BAG_INVALID',
        `Expected a ROS 1 bag, got ${got}; 'rosbag reindex' repairs a damaged index [${path}]`,
        { cause: error },
      );
    }
  }

  async *messages(topics: readonly BagTopic[], onProblem: ProblemListener): AsyncIterable<BagMessage> {
    const wanted = [...this.#topicByConnection].filter(([, topic]) => topics.includes(topic)).map(([id]) => id);
    const places = this.#bag.chunkInfos
      .filter(({ connections }) => connections.some(({ conn }) => wanted.includes(conn)))
      // The index does not say how large a chunk becomes: one is read ahead.
      .map((info) => ({ info, startNs: nanoseconds(info.startTime), bytes: Infinity }))
      .sort((a, b) => (a.startNs < b.startNs ? -1 : a.startNs > b.startNs ? 1 : 0));
    const tell = this.#damage.once(onProblem);
    yield* mergeByTime(places, 1, ({ info }) => this.#messagesOf(info, wanted, tell));
  }

  async #messagesOf(info: ChunkInfo, wanted: number[], onProblem: ProblemListener): Promise<BagMessage[]> {
    try {
      const messages = await this.#bag.reader.readChunkMessages(info, wanted, FIRST, LAST, this.#decompress);
      return messages.map(({ conn, time, data }) => {
        const topic = this.#topicByConnection.get(conn);
        if (topic === undefined || data === undefined) throw new RangeError(`a message of connection ${conn}`);
        return { topic, logTimeNs: nanoseconds(time), data };
      });
    } catch (error) {
      onProblem(
        new VprError(
          'BAG_INVALID',
          `Expected a whole chunk, got ${messageOf(error)}; skipped it [${this.path}, offset ${info.chunkPosition}]`,
          { cause: error },
        ),
      );
      return [];
    }
  }

  close(): Promise<void> {
    return this.#bytes.close();
  }
}
