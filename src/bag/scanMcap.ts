import { VprError } from '../core/VprError.js';
import type { ProblemListener } from './BagFile.js';
import { MAX_CHUNK_BYTES } from './bagLimits.js';
import type { McapContent } from './McapContent.js';
import {
  CHUNK_FIXED_BYTES,
  MESSAGE_FIXED_BYTES,
  OPCODE,
  parseMessage,
  RECORD_PREFIX_BYTES,
  type McapMessage,
} from './mcapRecords.js';

/** In front of the first record. */
const MAGIC_BYTES = 8;
/** Read at once while looking for the next whole record. */
const SEARCH_BYTES = 1 << 20;
/** Places that look like a record and are none, before the search is given up: a hostile file may be full of them. */
const MAX_CANDIDATES = 10_000;
/** A schema or channel that is taken for one; message definitions are kilobytes. */
const MAX_DEFINITION_BYTES = 1 << 20;
const DATA_END_BYTES = 4;
const FOOTER_BYTES = 20;
/** Fields of a message index before its entries: the channel, and their length in bytes. */
const MESSAGE_INDEX_FIXED_BYTES = 6;
/** Beside those with a length of their own. */
const BETWEEN_MESSAGES: ReadonlySet<number> = new Set([
  OPCODE.header,
  OPCODE.schema,
  OPCODE.channel,
  OPCODE.message,
  OPCODE.chunk,
  OPCODE.attachment,
  OPCODE.metadata,
]);
const FIRST_FREE_TYPE = 0x80;
/** Of a chunk record: enough to see that it is one. */
const HEAD_BYTES = RECORD_PREFIX_BYTES + CHUNK_FIXED_BYTES + 8;

/**
 * Messages from front to back, without index: chunks and bare messages. Where a record says an impossible length, reading
 * goes on at the next whole chunk or message, and the gap is told; a file that ends inside a record is told too.
 */
export async function* scanMcap(
  content: McapContent,
  wanted: ReadonlySet<number> | undefined,
  onProblem: ProblemListener,
): AsyncGenerator<McapMessage> {
  const { bytes } = content;
  const strange = new Set<number>();
  for (let offset = MAGIC_BYTES; ;) {
    const record = await readPrefix(content, offset);
    if (record === undefined) {
      const next = await findRecord(content, offset + 1);
      if (next === undefined) return onProblem(truncated(content, offset));
      const gap = `Expected a record that ends inside the file, got one that does not; left out ${next - offset} bytes`;
      onProblem(content.damage(gap, offset));
      offset = next;
      continue;
    }
    const { opcode, start, length } = record;
    const isInPlace = await belongsHere(content, record);
    if (isInPlace && (opcode === OPCODE.dataEnd || opcode === OPCODE.footer)) return;
    if (!isInPlace) {
      // Where the data's end is what was hit, the index follows: one of each type is told.
      const sentence = `Expected a record that belongs between messages, got one of type ${opcode} and ${length} bytes; skipped it`;
      if (!strange.has(opcode)) onProblem(content.damage(sentence, offset));
      strange.add(opcode);
    } else if (length > MAX_CHUNK_BYTES) {
      const sentence = `Expected a record of at most ${MAX_CHUNK_BYTES} bytes, got ${length}; skipped it`;
      onProblem(content.damage(sentence, offset));
    } else if (opcode === OPCODE.chunk)
      yield* await content.messagesOf(await bytes.read(start, length), offset, wanted, onProblem);
    else if (opcode === OPCODE.message || opcode === OPCODE.schema || opcode === OPCODE.channel) {
      try {
        const record = await bytes.read(start, length);
        if (opcode === OPCODE.message) {
          const message = parseMessage(record);
          if (wanted === undefined || wanted.has(message.channelId)) yield message;
        } else content.define(opcode, record);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        onProblem(content.damage(`Expected a whole record, got ${error.message}; skipped it`, offset, error));
      }
    }
    offset = start + length;
  }
}

interface RecordPlace {
  readonly opcode: number;
  /** Of its content. */
  readonly start: number;
  readonly length: number;
}

/**
 * Whether a record is of a type that stands between messages, and as long as that type is where this is known: the one
 * byte that makes a chunk an index or the end of the file is else never noticed. Types from 0x80 are free for anyone.
 */
async function belongsHere({ bytes }: McapContent, { opcode, start, length }: RecordPlace): Promise<boolean> {
  if (opcode === OPCODE.dataEnd) return length === DATA_END_BYTES;
  if (opcode === OPCODE.footer) return length === FOOTER_BYTES;
  if (opcode !== OPCODE.messageIndex) return opcode >= FIRST_FREE_TYPE || BETWEEN_MESSAGES.has(opcode);
  if (length < MESSAGE_INDEX_FIXED_BYTES) return false;
  const head = await bytes.peek(start, MESSAGE_INDEX_FIXED_BYTES);
  return new DataView(head.buffer, head.byteOffset).getUint32(2, true) === length - MESSAGE_INDEX_FIXED_BYTES;
}

/**
 * The record at an offset; undefined when the file ends before it does, or where there is none: no record has the type 0,
 * and files of a system that lost power often end in zeros.
 */
async function readPrefix({ bytes }: McapContent, offset: number): Promise<RecordPlace | undefined> {
  const start = offset + RECORD_PREFIX_BYTES;
  if (start > bytes.size) return undefined;
  const prefix = await bytes.peek(offset, RECORD_PREFIX_BYTES);
  if (prefix[0] === 0) return undefined;
  const length = Number(new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(1, true));
  return start + length > bytes.size ? undefined : { opcode: prefix[0]!, start, length };
}

/** Offset of the next chunk or message that looks whole and is followed by another record; undefined: there is none. */
async function findRecord(content: McapContent, from: number): Promise<number | undefined> {
  const { size } = content.bytes;
  let candidates = 0;
  for (let base = from; base + HEAD_BYTES <= size; base += SEARCH_BYTES) {
    const window = await content.bytes.read(base, Math.min(SEARCH_BYTES + HEAD_BYTES, size - base));
    const view = new DataView(window.buffer, window.byteOffset, window.byteLength);
    for (let at = 0; at < Math.min(SEARCH_BYTES, window.length - HEAD_BYTES); at++) {
      // No type is 0, and lengths fit in 40 bits: four bytes rule nearly everything out at once.
      if (view.getUint8(at) === 0) continue;
      if (view.getUint8(at + 6) !== 0 || view.getUint8(at + 7) !== 0 || view.getUint8(at + 8) !== 0) continue;
      if (!looksLikeRecord(content, view, at)) continue;
      if (++candidates > MAX_CANDIDATES) return undefined;
      const record = await readPrefix(content, base + at);
      const next = record === undefined ? undefined : await readPrefix(content, record.start + record.length);
      if (next !== undefined && next.opcode >= OPCODE.header && next.opcode <= OPCODE.dataEnd) return base + at;
    }
  }
  return undefined;
}

/** A chunk of a known compression, a message of a known channel, or a definition, of lengths that fit. */
function looksLikeRecord({ channels }: McapContent, view: DataView, at: number): boolean {
  const length = Number(view.getBigUint64(at + 1, true));
  const start = at + RECORD_PREFIX_BYTES;
  switch (view.getUint8(at)) {
    case OPCODE.message:
      return length >= MESSAGE_FIXED_BYTES && channels.has(view.getUint16(start, true));
    case OPCODE.chunk: {
      const nameBytes = view.getUint32(start + 28, true);
      if (nameBytes > 4 || length > MAX_CHUNK_BYTES) return false;
      const name = String.fromCharCode(
        ...Array.from({ length: nameBytes }, (_, i) => view.getUint8(start + CHUNK_FIXED_BYTES + i)),
      );
      return ['', 'lz4', 'zstd'].includes(name);
    }
    case OPCODE.schema:
      return length <= MAX_DEFINITION_BYTES && view.getUint32(start + 2, true) <= length;
    case OPCODE.channel:
      return length <= MAX_DEFINITION_BYTES && view.getUint32(start + 4, true) <= length;
    default:
      return false;
  }
}

function truncated({ path, bytes }: McapContent, offset: number): VprError {
  return new VprError(
    'BAG_TRUNCATED',
    `Expected the file to end with a footer, got its end inside a record; read what is whole [${path}, offset ${offset} of ${bytes.size}]`,
  );
}
