import { COMPRESSED_IMAGE_TYPE, RAW_IMAGE_TYPE, type ImageMessageType } from '../core/parseImageCdr.js';

/** Where a camera's images are: topic and message type. */
export interface ImageSource {
  readonly topic: string;
  readonly type: ImageMessageType;
}

export type ImageTransport = 'auto' | 'raw' | 'compressed';

const COMPRESSED_SUFFIX = '/compressed';

/**
 * Where to subscribe for a camera's base topic. auto: what is published there, raw before compressed (no decoding);
 * undefined while nobody publishes images. A base topic that already ends in /compressed is taken at its word.
 * baseTopic: resolved ("/front/image_raw"): remapping comes before the suffix.
 * typesOf: message types that are published on a topic.
 */
export function chooseImageSource(
  baseTopic: string,
  transport: ImageTransport,
  typesOf: (topic: string) => readonly string[],
): ImageSource | undefined {
  const raw: ImageSource = { topic: baseTopic, type: RAW_IMAGE_TYPE };
  const compressed: ImageSource = {
    topic: baseTopic.endsWith(COMPRESSED_SUFFIX) ? baseTopic : baseTopic + COMPRESSED_SUFFIX,
    type: COMPRESSED_IMAGE_TYPE,
  };
  if (transport === 'raw') return raw;
  if (transport === 'compressed') return compressed;
  const onBase = typesOf(baseTopic);
  if (onBase.includes(RAW_IMAGE_TYPE)) return raw;
  if (onBase.includes(COMPRESSED_IMAGE_TYPE)) return { topic: baseTopic, type: COMPRESSED_IMAGE_TYPE };
  return typesOf(compressed.topic).includes(COMPRESSED_IMAGE_TYPE) ? compressed : undefined;
}
