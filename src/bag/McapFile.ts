import { McapIndexedReader } from '@mcap/core';
import { messageOf } from '../core/VprError.js';
import type { BagFile, BagMessage, BagTopic, ProblemListener } from './BagFile.js';
import { MAX_CHUNK_BYTES, MAX_SUMMARY_BYTES } from './bagLimits.js';
import { DamageTeller } from './DamageTeller.js';
import { FileBytes } from './FileBytes.js';
import { McapContent } from './McapContent.js';
import { OPCODE, RECORD_PREFIX_BYTES, type McapChannel, type McapChunk, type McapMessage } from './mcapRecords.js';
import { mergeByTime } from './mergeByTime.js';
import { openFile } from './openFile.js';
import { ros2TypeName } from './ros2TypeName.js';
import { scanMcap } from './scanMcap.js';
import { unpackChunk } from './unpackChunk.js';
import { UnpackThreads } from './UnpackThreads.js';

/** Threads take longer to start than this much takes to unpack. */
const MIN_BYTES_FOR_THREADS = 16 * 1024 * 1024;

interface ChunkPlace {
  readonly offset: number;
  /** Record prefix included. */
  readonly length: number;
  /** Unpacked, as the index says. */
  readonly bytes: number;
  readonly isCompressed: boolean;
  readonly startNs: bigint;
  readonly channelIds: ReadonlySet<number>;
}

interface Index {
  /** In order of start time; undefined: messages lie outside chunks, read the file from front to back. */
  readonly chunks: readonly ChunkPlace[] | undefined;
  readonly counts: ReadonlyMap<number, number>;
  readonly startNs: bigint | undefined;
  readonly endNs: bigint | undefined;
}

/** `application/x.mcap`: indexed, or without summary, or cut off. */
export class McapFile implements BagFile {
  readonly storage = 'mcap';
  readonly path: string;
  readonly #content: McapContent;
  readonly #topicByChannel = new Map<number, BagTopic>();
  #index: Index = { chunks: undefined, counts: new Map(), startNs: undefined, endNs: undefined };
  #topics: readonly BagTopic[] = [];
  readonly #damage = new DamageTeller();

  private constructor(path: string, bytes: FileBytes) {
    this.path = path;
    this.#content = new McapContent(path, bytes);
  }

  /** Throws FILE_MISSING, FILE_UNREADABLE or BAG_INVALID; without a usable summary the whole file is read, and what is damaged in it told. */
  static async open(path: string, onProblem: ProblemListener): Promise<McapFile> {
    const { handle, size } = await openFile(path, 'an mcap file');
    const file = new McapFile(path, new FileBytes(handle, size));
    try {
      await file.#readIndex(onProblem);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return file;
  }

  get topics(): readonly BagTopic[] {
    return this.#topics;
  }

  get startNs(): bigint {
    return this.#index.startNs ?? 0n;
  }

  get endNs(): bigint {
    return this.#index.endNs ?? 0n;
  }

  async *messages(topics: readonly BagTopic[], onProblem: ProblemListener): AsyncIterable<BagMessage> {
    const wanted = new Set<number>();
    for (const [id, topic] of this.#topicByChannel) if (topics.includes(topic)) wanted.add(id);
    let problems = 0;
    const tellOnce = this.#damage.once(onProblem);
    const tell: ProblemListener = (problem) => {
      problems++;
      tellOnce(problem);
    };
    const { chunks } = this.#index;
    const source = chunks === undefined ? scanMcap(this.#content, wanted, tell) : this.#merge(chunks, wanted, tell);
    let count = 0;
    for await (const message of source) {
      const topic = this.#topicByChannel.get(message.channelId);
      if (topic === undefined) continue;
      count++;
      yield { topic, logTimeNs: message.logTimeNs, data: message.data };
    }
    // A record whose type byte was hit is an unknown record, to be skipped in silence; only the statistics know better.
    const expected = topics.reduce((sum, { messageCount }) => sum + messageCount, 0);
    if (problems === 0 && count < expected)
      tellOnce(this.#content.damage(`Expected ${expected} messages, as the summary says, got ${count}`, 0));
  }

  close(): Promise<void> {
    return this.#content.bytes.close();
  }

  async #readIndex(onProblem: ProblemListener): Promise<void> {
    const { bytes } = this.#content;
    const readable = {
      size: () => Promise.resolve(BigInt(bytes.size)),
      read: (offset: bigint, length: bigint) => {
        if (length > BigInt(MAX_SUMMARY_BYTES)) throw new RangeError(`a summary of ${length} bytes`);
        return bytes.read(Number(offset), Number(length));
      },
    };
    try {
      const reader = await McapIndexedReader.Initialize({ readable });
      for (const schema of reader.schemasById.values())
        this.#content.schemas.set(schema.id, { id: schema.id, name: schema.name, encoding: schema.encoding });
      for (const { id, schemaId, topic, messageEncoding } of reader.channelsById.values())
        this.#content.channels.set(id, { id, schemaId, topic, messageEncoding });
      const statistics = reader.statistics;
      // Summaries may leave out the channels, the statistics or the chunk index: then only a scan knows.
      if (statistics !== undefined && (statistics.messageCount === 0n || reader.channelsById.size > 0)) {
        // Of an index that names a chunk twice, one: it misses another then, and the file is read from front to back.
        const byOffset = new Map(
          reader.chunkIndexes.map((chunk) => [
            chunk.chunkStartOffset,
            {
              offset: Number(chunk.chunkStartOffset),
              length: Number(chunk.chunkLength),
              bytes: Number(chunk.uncompressedSize),
              isCompressed: chunk.compression !== '',
              startNs: chunk.messageStartTime,
              channelIds: new Set(chunk.messageIndexOffsets.keys()),
            },
          ]),
        );
        const chunks = [...byOffset.values()];
        chunks.sort((a, b) => (a.startNs < b.startNs ? -1 : a.startNs > b.startNs ? 1 : a.offset - b.offset));
        this.#index = {
          chunks: statistics.chunkCount === 0 || chunks.length < statistics.chunkCount ? undefined : chunks,
          counts: new Map([...statistics.channelMessageCounts].map(([id, count]) => [id, Number(count)])),
          startNs: statistics.messageStartTime,
          endNs: statistics.messageEndTime,
        };
        this.#makeTopics();
        return;
      }
    } catch (error) {
      // The reader's reasons are many (magic, footer, checksum, a record of wrong length); the scan tells what matters.
      void error;
    }
    await this.#scanForIndex(onProblem);
  }

  /** Without a summary: one pass over the file for the topics and counts. */
  async #scanForIndex(onProblem: ProblemListener): Promise<void> {
    this.#content.channels.clear();
    const counts = new Map<number, number>();
    let startNs: bigint | undefined;
    let endNs: bigint | undefined;
    const tell = this.#damage.once(onProblem);
    for await (const { channelId, logTimeNs } of scanMcap(this.#content, undefined, tell)) {
      counts.set(channelId, (counts.get(channelId) ?? 0) + 1);
      if (startNs === undefined || logTimeNs < startNs) startNs = logTimeNs;
      if (endNs === undefined || logTimeNs > endNs) endNs = logTimeNs;
    }
    this.#content.settleDefinitions();
    this.#index = { chunks: undefined, counts, startNs, endNs };
    this.#makeTopics();
    const { channels, schemas } = this.#content;
    const isDefined = (id: number): boolean => {
      const channel = channels.get(id);
      // A channel may do without a schema: it then says so.
      return channel !== undefined && (channel.schemaId === 0 || schemas.has(channel.schemaId));
    };
    const lost = [...counts].filter(([id]) => !isDefined(id)).reduce((sum, [, count]) => sum + count, 0);
    if (lost > 0)
      tell(
        this.#content.damage(`Expected a topic for each message, got ${lost} messages without one; skipped them`, 0),
      );
  }

  #makeTopics(): void {
    // Channels of one topic, type and encoding (one a recorder) are one topic to us.
    const topics = new Map<string, BagTopic>();
    const describe = ({
      schemaId,
      topic: name,
      messageEncoding: encoding,
    }: McapChannel): Omit<BagTopic, 'messageCount'> => ({
      name,
      type: ros2TypeName(this.#content.schemas.get(schemaId)?.name ?? ''),
      encoding,
    });
    for (const channel of this.#content.channels.values()) {
      const topic = describe(channel);
      const key = JSON.stringify(topic);
      const messageCount = (topics.get(key)?.messageCount ?? 0) + (this.#index.counts.get(channel.id) ?? 0);
      topics.set(key, { ...topic, messageCount });
    }
    this.#topics = [...topics.values()];
    for (const channel of this.#content.channels.values())
      this.#topicByChannel.set(channel.id, topics.get(JSON.stringify(describe(channel)))!);
  }

  async *#merge(
    chunks: readonly ChunkPlace[],
    wanted: ReadonlySet<number>,
    onProblem: ProblemListener,
  ): AsyncGenerator<McapMessage> {
    // A chunk without message index may hold anything.
    const needed = chunks.filter(
      ({ channelIds }) => channelIds.size === 0 || [...channelIds].some((id) => wanted.has(id)),
    );
    const packedBytes = needed.reduce((sum, { bytes, isCompressed }) => sum + (isCompressed ? bytes : 0), 0);
    const content = this.#content;
    const threads = packedBytes < MIN_BYTES_FOR_THREADS ? undefined : UnpackThreads.shared();
    const unpack = threads === undefined ? unpackChunk : (chunk: McapChunk) => threads.unpack(chunk);
    yield* mergeByTime(needed, threads?.count ?? 1, async (place) => {
      const chunk = await this.#readChunk(place);
      if (!(chunk instanceof Error)) return content.messagesOf(chunk, place.offset, wanted, onProblem, unpack);
      onProblem(content.damage(`Expected a whole chunk, got ${chunk.message}; skipped it`, place.offset, chunk));
      return [];
    });
  }

  async #readChunk({ offset, length }: ChunkPlace): Promise<Uint8Array | Error> {
    try {
      if (length > MAX_CHUNK_BYTES) throw new RangeError(`${length} bytes (at most ${MAX_CHUNK_BYTES} are read)`);
      const record = await this.#content.bytes.read(offset, length);
      if (record[0] !== OPCODE.chunk) throw new RangeError(`a record of type ${record[0] ?? 'none'}`);
      return record.subarray(RECORD_PREFIX_BYTES);
    } catch (error) {
      return error instanceof Error ? error : new Error(messageOf(error));
    }
  }
}
