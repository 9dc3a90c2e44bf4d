import type { StampedImage } from '../core/StampedImage.js';
import { POOL_BYTES } from './releaseBuffer.js';

/**
 * An image whose pixels lie alone in their memory, and the list that hands that memory to another thread.
 * A view of at least half of a large buffer (a message with its header) is handed over whole; smaller ones are copied.
 */
export function transferableImage(image: StampedImage): { image: StampedImage; transfer: ArrayBuffer[] } {
  const { data } = image.image;
  const whole = data.buffer;
  if (whole instanceof ArrayBuffer && whole.byteLength > POOL_BYTES && data.byteLength * 2 >= whole.byteLength)
    return { image, transfer: [whole] };
  // new Uint8Array(view) copies; Buffer's slice would not.
  const copy = new Uint8Array(data);
  return { image: { ...image, image: { ...image.image, data: copy } }, transfer: [copy.buffer] };
}
