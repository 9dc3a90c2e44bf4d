import { McapIndexedReader } from '@mcap/core';
import { messageOf, VprError } from '../core/VprError.js';
import type { BagFile, BagMessage, BagTopic, ProblemListener } from './BagFile.js';
import { MAX_CHUNK_BYTES, MAX_SUMMARY_BYTES } from './bagLimits.js';
import { loadDecompressors } from './decompress.js';
import { FileBytes } from './FileBytes.js';
import {
  checkCrc,
  OPCODE,
  parseChannel,
  parseChunk,
  parseMessage,
  parseSchema,
  RECORD_PREFIX_BYTES,
  recordsIn,
  type McapChannel,
  type McapMessage,
  type McapSchema,
} from './mcapRecords.js';
import { mergeByTime } from './mergeByTime.js';
import { openFile } from './openFile.js';
import { ros2TypeName } from './ros2TypeName.js';

const MAGIC_BYTES = 8;

interface ChunkPlace {
  readonly offset: number;
  /** Record prefix included. */
  readonly length: number;
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
  readonly #bytes: FileBytes;
  readonly #schemas = new Map<number, McapSchema>();
  readonly #channels = new Map<number, McapChannel>();
  readonly #topicByChannel = new Map<number, BagTopic>();
  #index: Index = { chunks: undefined, counts: new Map(), startNs: undefined, endNs: undefined };
  #topics: readonly BagTopic[] = [];

  private constructor(path: string, bytes: FileBytes) {
    this.path = path;
    this.#bytes = bytes;
  }

  /** Throws FILE_MISSING, FILE_UNREADABLE or BAG_INVALID; a damaged or absent summary is told to onProblem and done without. */
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
    const tell: ProblemListener = (problem) => {
      problems++;
      onProblem(problem);
    };
    const { chunks } = this.#index;
    const source = chunks === undefined ? this.#scan(wanted, tell) : this.#merge(chunks, wanted, tell);
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
      onProblem(this.#damage(`Expected ${expected} messages, as the summary says, got ${count}`, 0));
  }

  close(): Promise<void> {
    return this.#bytes.close();
  }

  async #readIndex(onProblem: ProblemListener): Promise<void> {
    const bytes = this.#bytes;
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
        this.#schemas.set(schema.id, { id: schema.id, name: schema.name, encoding: schema.encoding });
      for (const { id, schemaId, topic, messageEncoding } of reader.channelsById.values())
        this.#channels.set(id, { id, schemaId, topic, messageEncoding });
      const statistics = reader.statistics;
      // Summaries may leave out the channels, the statistics or the chunk index: then only a scan knows.
      if (statistics !== undefined && (statistics.messageCount === 0n || reader.channelsById.size > 0)) {
        const chunks = reader.chunkIndexes.map((chunk) => ({
          offset: Number(chunk.chunkStartOffset),
          length: Number(chunk.chunkLength),
          startNs: chunk.messageStartTime,
          channelIds: new Set(chunk.messageIndexOffsets.keys()),
        }));
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
    this.#channels.clear();
    const counts = new Map<number, number>();
    let startNs: bigint | undefined;
    let endNs: bigint | undefined;
    for await (const { channelId, logTimeNs } of this.#scan(undefined, onProblem)) {
      counts.set(channelId, (counts.get(channelId) ?? 0) + 1);
      if (startNs === undefined || logTimeNs < startNs) startNs = logTimeNs;
      if (endNs === undefined || logTimeNs > endNs) endNs = logTimeNs;
    }
    this.#index = { chunks: undefined, counts, startNs, endNs };
    this.#makeTopics();
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
      type: ros2TypeName(this.#schemas.get(schemaId)?.name ?? ''),
      encoding,
    });
    for (const channel of this.#channels.values()) {
      const topic = describe(channel);
      const key = JSON.stringify(topic);
      const messageCount = (topics.get(key)?.messageCount ?? 0) + (this.#index.counts.get(channel.id) ?? 0);
      topics.set(key, { ...topic, messageCount });
    }
    this.#topics = [...topics.values()];
    for (const channel of this.#channels.values())
      this.#topicByChannel.set(channel.id, topics.get(JSON.stringify(describe(channel)))!);
  }

  #damage(sentence: string, offset: number, cause?: unknown): VprError {
    return new VprError('BAG_INVALID', `${sentence} [${this.path}, offset ${offset}]`, { cause });
  }

  #merge(
    chunks: readonly ChunkPlace[],
    wanted: ReadonlySet<number>,
    onProblem: ProblemListener,
  ): AsyncGenerator<McapMessage> {
    // A chunk without message index may hold anything.
    const needed = chunks.filter(
      ({ channelIds }) => channelIds.size === 0 || [...channelIds].some((id) => wanted.has(id)),
    );
    return mergeByTime(needed, async (place) => {
      const chunk = await this.#readChunk(place);
      if (!(chunk instanceof Error)) return this.#messagesOf(chunk, place.offset, wanted, onProblem);
      onProblem(this.#damage(`Expected a whole chunk, got ${chunk.message}; skipped it`, place.offset, chunk));
      return [];
    });
  }

  async #readChunk({ offset, length }: ChunkPlace): Promise<Uint8Array | Error> {
    try {
      if (length > MAX_CHUNK_BYTES) throw new RangeError(`${length} bytes (at most ${MAX_CHUNK_BYTES} are read)`);
      const record = await this.#bytes.read(offset, length);
      if (record[0] !== OPCODE.chunk) throw new RangeError(`a record of type ${record[0] ?? 'none'}`);
      return record.subarray(RECORD_PREFIX_BYTES);
    } catch (error) {
      return error instanceof Error ? error : new Error(messageOf(error));
    }
  }

  /** Messages of one chunk, in log order; wanted undefined: of all channels. Damage is told, not thrown. */
  async #messagesOf(
    content: Uint8Array,
    offset: number,
    wanted: ReadonlySet<number> | undefined,
    onProblem: ProblemListener,
  ): Promise<McapMessage[]> {
    const messages: McapMessage[] = [];
    try {
      const chunk = parseChunk(content);
      let records = chunk.records;
      if (chunk.compression !== '') {
        const decompress = (await loadDecompressors()).get(chunk.compression);
        if (decompress === undefined) throw new RangeError(`a chunk compressed with '${chunk.compression}'`);
        records = decompress(records, chunk.uncompressedSize);
      }
      checkCrc(records, chunk.uncompressedCrc);
      for (const { opcode, content: record } of recordsIn(records)) {
        if (opcode === OPCODE.message) {
          const message = parseMessage(record);
          if (wanted === undefined || wanted.has(message.channelId)) messages.push(message);
        } else this.#define(opcode, record);
      }
    } catch (error) {
      const lost = messages.length === 0 ? 'skipped it' : `kept its first ${messages.length} messages`;
      onProblem(this.#damage(`Expected a whole chunk, got ${messageOf(error)}; ${lost}`, offset, error));
    }
    return messages;
  }

  #define(opcode: number, content: Uint8Array): void {
    if (opcode === OPCODE.schema) {
      const schema = parseSchema(content);
      if (!this.#schemas.has(schema.id)) this.#schemas.set(schema.id, schema);
    } else if (opcode === OPCODE.channel) {
      const channel = parseChannel(content);
      if (!this.#channels.has(channel.id)) this.#channels.set(channel.id, channel);
    }
  }

  /** From front to back, without index: chunks and bare messages, up to where the file is whole. */
  async *#scan(wanted: ReadonlySet<number> | undefined, onProblem: ProblemListener): AsyncGenerator<McapMessage> {
    const { size } = this.#bytes;
    let offset = MAGIC_BYTES;
    for (;;) {
      if (offset + RECORD_PREFIX_BYTES > size) return onProblem(this.#truncated(offset));
      const prefix = await this.#bytes.read(offset, RECORD_PREFIX_BYTES);
      const opcode = prefix[0]!;
      if (opcode === OPCODE.dataEnd || opcode === OPCODE.footer) return;
      const length = Number(new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(1, true));
      const start = offset + RECORD_PREFIX_BYTES;
      if (start + length > size) return onProblem(this.#truncated(offset));
      if (length > MAX_CHUNK_BYTES)
        onProblem(
          this.#damage(`Expected a record of at most ${MAX_CHUNK_BYTES} bytes, got ${length}; skipped it`, offset),
        );
      else if (opcode === OPCODE.chunk)
        yield* await this.#messagesOf(await this.#bytes.read(start, length), offset, wanted, onProblem);
      else if (opcode === OPCODE.message || opcode === OPCODE.schema || opcode === OPCODE.channel) {
        const content = await this.#bytes.read(start, length);
        try {
          if (opcode === OPCODE.message) {
            const message = parseMessage(content);
            if (wanted === undefined || wanted.has(message.channelId)) yield message;
          } else this.#define(opcode, content);
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
          onProblem(this.#damage(`Expected a whole record, got ${error.message}; skipped it`, offset, error));
        }
      }
      offset = start + length;
    }
  }

  #truncated(offset: number): VprError {
    return new VprError(
      'BAG_TRUNCATED',
      `Expected the file to end with a footer, got its end inside a record; read what is whole [${this.path}, offset ${offset} of ${this.#bytes.size}]`,
    );
  }
}
