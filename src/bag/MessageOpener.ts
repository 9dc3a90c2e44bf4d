import { CdrCursor } from '../core/CdrCursor.js';
import { MAX_MESSAGE_BYTES } from '../core/limits.js';
import type { MessageCursor } from '../core/MessageCursor.js';
import { messageOf, VprError } from '../core/VprError.js';
import type { BagMessage, BagTopic } from './BagFile.js';
import { loadDecompressor, type Decompress } from './decompress.js';
import { Ros1Cursor } from './Ros1Cursor.js';
import { parseZstdFrame } from './zstdFrame.js';

/** Serialisations that are understood. */
export function isReadable(topic: BagTopic): boolean {
  return topic.encoding === 'cdr' || topic.encoding === 'ros1';
}

/** "topic, stamp": origin of a message for people. */
export function whereOf({ topic, logTimeNs }: BagMessage): string {
  return `${topic.name}, ${Number(logTimeNs / 1_000_000n) / 1000} s`;
}

/** Gives cursors on the messages of a bag, decompressing those that rosbag2 compressed one by one. */
export class MessageOpener {
  readonly #zstd: Decompress;

  private constructor(zstd: Decompress) {
    this.#zstd = zstd;
  }

  static async create(): Promise<MessageOpener> {
    return new MessageOpener(await loadDecompressor('zstd'));
  }

  /** Throws MESSAGE_INVALID when the message is larger than `limit` bytes or cannot be decompressed. */
  open(message: BagMessage, limit = MAX_MESSAGE_BYTES): MessageCursor {
    const { topic, data } = message;
    const where = whereOf(message);
    if (topic.encoding === 'ros1') {
      this.#check(data.length, limit, where);
      return new Ros1Cursor(data, where);
    }
    // A CDR message starts with a zero byte, so the magic number tells without the bag's metadata.
    const frame = parseZstdFrame(data);
    if (frame === undefined) {
      this.#check(data.length, limit, where);
      return new CdrCursor(data, where);
    }
    try {
      if (frame.contentSize === undefined) throw new RangeError('zstd data that does not say its size');
      this.#check(frame.contentSize, limit, where);
      return new CdrCursor(this.#zstd(data, frame.contentSize), where);
    } catch (error) {
      if (error instanceof VprError) throw error;
      throw new VprError('MESSAGE_INVALID', `Expected a whole message, got ${messageOf(error)} [${where}]`, {
        cause: error,
      });
    }
  }

  #check(size: number, limit: number, where: string): void {
    if (size > limit)
      throw new VprError('MESSAGE_INVALID', `Expected at most ${limit} bytes for the message, got ${size} [${where}]`);
  }
}
