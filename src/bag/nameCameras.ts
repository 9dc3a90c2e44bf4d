/** Topic parts that say what is sent, not who sends it. */
const GENERIC_PARTS = new Set([
  'image',
  'image_raw',
  'image_color',
  'image_mono',
  'image_rect',
  'image_rect_color',
  'compressed',
  'raw',
]);

function usefulParts(topic: string): readonly string[] {
  const parts = topic.split('/').filter((part) => part !== '');
  while (parts.length > 1 && GENERIC_PARTS.has(parts.at(-1)!)) parts.pop();
  return parts;
}

/**
 * Camera names for topics: the last useful part (/front/image_raw/compressed -> front); where several topics share it, as
 * many parts before it as it takes to tell them apart (/left/camera/image and /right/camera/image -> left_camera, ...).
 */
export function nameCameras(topics: readonly string[]): ReadonlyMap<string, string> {
  const parts = new Map(topics.map((topic) => [topic, usefulParts(topic)]));
  const longest = Math.max(0, ...[...parts.values()].map((p) => p.length));
  const nameOf = (topic: string, count: number): string => parts.get(topic)!.slice(-count).join('_');
  const names = new Map<string, string>();
  for (const topic of topics) {
    let count = 1;
    const isShared = (): boolean =>
      topics.some((other) => other !== topic && nameOf(other, count) === nameOf(topic, count));
    while (count < longest && isShared()) count++;
    names.set(topic, isShared() ? topic : nameOf(topic, count));
  }
  return names;
}

/** Of the topic of compressed images. */
export const COMPRESSED_SUFFIX = '/compressed';

/** The topic without the transport's suffix: raw and compressed images of one camera share it. */
export function baseTopic(topic: string): string {
  return topic.endsWith(COMPRESSED_SUFFIX) ? topic.slice(0, -COMPRESSED_SUFFIX.length) : topic;
}
