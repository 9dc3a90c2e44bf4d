import { CdrCursor } from './CdrCursor.js';
import type { ImageMessage } from './image.js';
import { MAX_MESSAGE_BYTES } from './limits.js';
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
  const cdr = new CdrCursor(bytes, where);
  const stampNs = cdr.stampNs('header.stamp');
  const frameId = cdr.string('header.frame_id');
  if (type === COMPRESSED_IMAGE_TYPE) {
    const format = cdr.string('format');
    return { stampNs, frameId, image: { kind: 'compressed', format, data: cdr.octets('data') } };
  }
  const height = cdr.uint32('height');
  const width = cdr.uint32('width');
  const encoding = cdr.string('encoding');
  const isBigEndian = cdr.uint8('is_bigendian') !== 0;
  const step = cdr.uint32('step');
  const data = cdr.octets('data');
  return { stampNs, frameId, image: { kind: 'raw', encoding, width, height, step, isBigEndian, data } };
}
