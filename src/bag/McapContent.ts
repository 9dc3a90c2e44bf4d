import { messageOf, VprError } from '../core/VprError.js';
import type { ProblemListener } from './BagFile.js';
import type { FileBytes } from './FileBytes.js';
import {
  OPCODE,
  parseChannel,
  parseChunk,
  parseMessage,
  parseSchema,
  recordsIn,
  type McapChannel,
  type McapChunk,
  type McapMessage,
  type McapSchema,
} from './mcapRecords.js';
import { unpackChunk } from './unpackChunk.js';

/** What the records of an mcap file define, and the reading of its chunks. */
export class McapContent {
  readonly path: string;
  readonly bytes: FileBytes;
  readonly schemas = new Map<number, McapSchema>();
  readonly channels = new Map<number, McapChannel>();
  /** Definitions of chunks with another checksum than they say; for what no whole chunk defines. */
  readonly #doubtful: { readonly opcode: number; readonly content: Uint8Array }[] = [];

  constructor(path: string, bytes: FileBytes) {
    this.path = path;
    this.bytes = bytes;
  }

  damage(sentence: string, offset: number, cause?: unknown): VprError {
    return new VprError('BAG_INVALID', `${sentence} [${this.path}, offset ${offset}]`, { cause });
  }

  /** Takes in a Schema or Channel record; of two of one id, the first. Throws RangeError when it is not whole. */
  define(opcode: number, content: Uint8Array): void {
    if (opcode === OPCODE.schema) {
      const schema = parseSchema(content);
      if (!this.schemas.has(schema.id)) this.schemas.set(schema.id, schema);
    } else if (opcode === OPCODE.channel) {
      const channel = parseChannel(content);
      if (!this.channels.has(channel.id)) this.channels.set(channel.id, channel);
    }
  }

  /**
   * Messages of one chunk record (offset: of the record in the file), in its order; wanted undefined: of all channels.
   * Damage is told, not thrown; what is whole in front of it counts. Without an index (wanted undefined) the definitions
   * of a damaged chunk are kept for settleDefinitions: they may be the only ones, also for whole chunks behind it.
   */
  async messagesOf(
    content: Uint8Array,
    offset: number,
    wanted: ReadonlySet<number> | undefined,
    onProblem: ProblemListener,
    unpack: (chunk: McapChunk) => Promise<Uint8Array> = unpackChunk,
  ): Promise<McapMessage[]> {
    const messages: McapMessage[] = [];
    try {
      const records = await unpack(parseChunk(content));
      for (const { opcode, content: record } of recordsIn(records)) {
        if (opcode === OPCODE.message) {
          const message = parseMessage(record);
          if (wanted === undefined || wanted.has(message.channelId)) messages.push(message);
        } else this.define(opcode, record);
      }
    } catch (error) {
      const lost = messages.length === 0 ? 'skipped it' : `kept its first ${messages.length} messages`;
      onProblem(this.damage(`Expected a whole chunk, got ${messageOf(error)}; ${lost}`, offset, error));
      if (wanted === undefined) await this.#keepDefinitions(content);
    }
    return messages;
  }

  async #keepDefinitions(content: Uint8Array): Promise<void> {
    try {
      const records = await unpackChunk({ ...parseChunk(content), uncompressedCrc: 0 });
      for (const { opcode, content: record } of recordsIn(records))
        if (opcode === OPCODE.schema || opcode === OPCODE.channel)
          this.#doubtful.push({ opcode, content: Uint8Array.from(record) });
    } catch {
      // The chunk is told of already.
    }
  }

  /** Takes in the definitions of damaged chunks where no whole one has them; to be called after the last chunk. */
  settleDefinitions(): void {
    for (const { opcode, content } of this.#doubtful.splice(0))
      try {
        this.define(opcode, content);
      } catch {
        // Nor is this one whole.
      }
  }
}
