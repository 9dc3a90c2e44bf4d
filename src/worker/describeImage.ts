import type { BinaryCode } from '../core/binaryCode.js';
import type { Descriptor } from '../core/descriptor.js';
import type { StampedImage } from '../core/StampedImage.js';
import { viewImage } from '../image/decodeImage.js';
import { rgbOf } from '../image/InterleavedImage.js';
import { toTensor } from '../image/toTensor.js';
import type { DescriptorExtractor } from '../inference/DescriptorExtractor.js';
import type { DescribedQuery } from '../recognizer/PlaceRecognizer.js';

/**
 * Decode, resize, run the network. encode: the map's own binarizer, where it has one.
 * Throws IMAGE_* with the image's name, MODEL_OUTPUT_INVALID.
 */
export async function describeImage(
  image: StampedImage,
  extractor: DescriptorExtractor,
  encode?: (descriptor: Descriptor) => BinaryCode,
  now: () => number = () => performance.now(),
): Promise<DescribedQuery> {
  const startMs = now();
  const view = await viewImage(image.image, image.name);
  const tensor = toTensor(view, extractor.manifest.input);
  const decodedMs = now();
  const { descriptor, code } = await extractor.extract(tensor);
  return {
    // Few images become references: the others' pixels are never unpacked.
    get pixels() {
      return rgbOf(view);
    },
    descriptor,
    code: encode === undefined ? code : encode(descriptor),
    decodeMs: decodedMs - startMs,
    inferenceMs: now() - decodedMs,
  };
}
