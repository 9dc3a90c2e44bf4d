import { CdrCursor } from './CdrCursor.js';
import type { ImageMessage } from './image.js';
import { MAX_MESSAGE_BYTES } from './limits.js';
import type { MessageCursor } from './MessageCursor.js';
import { VprError } from './VprError.js';

export const RAW_IMAGE_TYPE = 'sensor_msgs/msg/Image';
export const COMPRESSED_IMAGE_TYPE = 'sensor_msgs/msg/CompressedImage';
export type ImageMessageType = typeof RAW_IMAGE_TYPE | typeof COMPRESSED_IMAGE_TYPE;

export function isImageMessageType(type: string): type is ImageMessageType {
  return type === RAW_IMAGE_TYPE || type === COMPRESSED_IMAGE_TYPE;
}

/** An image message with its header. */
export interface ParsedImage {
  readonly stampNs: bigint;
  readonly frameId: string;
  readonly image: ImageMessage;
}

/**
 * Reads a serialised sensor_msgs/Image or CompressedImage. The pixels are a view into `bytes`, not a copy: they live as
 * long as `bytes` is left alone. Whether they fit the encoding, height and step is the decoder's matter.
 * bytes: CDR with its encapsulation header, either byte order; where: "topic, stamp" for error sentences.
 * Throws MESSAGE_INVALID when a field lies beyond the end or the message is larger than MAX_MESSAGE_BYTES.
 */
export function parseImageCdr(type: ImageMessageType, bytes: Uint8Array, where = ''): ParsedImage {
  if (bytes.length > MAX_MESSAGE_BYTES)
    throw new VprError(
      'MESSAGE_INVALID',
      `Expected at most ${MAX_MESSAGE_BYTES} bytes for an image message, got ${bytes.length} [${where}]`,
    );
  return readImage(type, new CdrCursor(bytes, where));
}

/** The same from a cursor of any serialisation. */
export function readImage(type: ImageMessageType, cursor: MessageCursor): ParsedImage {
  const { stampNs, frameId } = cursor.header();
  if (type === COMPRESSED_IMAGE_TYPE) {
    const format = cursor.string('format');
    return { stampNs, frameId, image: { kind: 'compressed', format, data: cursor.octets('data') } };
  }
  const height = cursor.uint32('height');
  const width = cursor.uint32('width');
  const encoding = cursor.string('encoding');
  const isBigEndian = cursor.uint8('is_bigendian') !== 0;
  const step = cursor.uint32('step');
  const data = cursor.octets('data');
  return { stampNs, frameId, image: { kind: 'raw', encoding, width, height, step, isBigEndian, data } };
}
