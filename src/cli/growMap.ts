import type { ImageSource } from '../bag/ImageSource.js';
import type { NodeParameters } from '../config/parseParameters.js';
import type { StampedImage } from '../core/StampedImage.js';
import type { VprError } from '../core/VprError.js';
import { encodeThumbnail } from '../image/encodeThumbnail.js';
import type { DescriptorExtractor } from '../inference/DescriptorExtractor.js';
import type { PlaceMap } from '../map/PlaceMap.js';
import { MapBuilder } from '../mapping/MapBuilder.js';
import { describeImage } from '../worker/describeImage.js';
import { mapEncoder } from '../worker/mapEncoder.js';
import { mapBuilderOptions } from '../worker/mapBuilderOptions.js';
import { SkippedImages, type SkippedCounts } from './SkippedImages.js';

/** References that are committed together: one sync of the disk for some seconds of driving. */
const BATCH = 32;

export interface GrowMapOptions {
  readonly parameters: NodeParameters;
  readonly session: { readonly name: string; readonly source: string };
  readonly onImage?: (images: number, references: number) => void;
  /** Told of each picture that could not be used. */
  readonly onProblem?: (problem: VprError) => void;
}

export interface GrownMap extends SkippedCounts {
  /** Images of the source. */
  readonly images: number;
  /** References added. */
  readonly references: number;
}

/**
 * Adds the key frames of a source to a map as one session. Only key frames are decoded and described. A bad picture is
 * skipped and counted; what was committed stays whatever happens later.
 */
export async function growMap(
  source: ImageSource,
  map: PlaceMap,
  extractor: DescriptorExtractor,
  options: GrowMapOptions,
): Promise<GrownMap> {
  const { parameters, session, onImage, onProblem } = options;
  const builder = new MapBuilder(map, session, mapBuilderOptions(parameters, BATCH));
  const encode = mapEncoder(map.meta);
  const skipped = new SkippedImages();
  let images = 0;
  let references = 0;
  const add = async (image: StampedImage): Promise<void> => {
    const { pixels, descriptor, code } = await describeImage(image, extractor, encode);
    // Whether the view has changed is only known now.
    if (!builder.isKeyframe({ ...image, descriptor })) return;
    const { camera, stampNs, name, pose } = image;
    const thumbnail = parameters.thumbnailPx === 0 ? undefined : await encodeThumbnail(pixels, parameters.thumbnailPx);
    builder.add({
      camera,
      stampNs,
      name,
      descriptor,
      code,
      ...(pose === undefined ? {} : { pose }),
      ...(thumbnail === undefined ? {} : { thumbnail }),
    });
    references++;
  };
  try {
    for await (const image of source) {
      images++;
      if (builder.isKeyframe(image)) {
        try {
          await add(image);
        } catch (error) {
          const problem = skipped.add(error);
          onProblem?.(problem);
        }
      }
      onImage?.(images, references);
    }
  } finally {
    // Also when the source breaks off: what was described is worth keeping.
    builder.flush();
  }
  return { images, references, ...skipped.countsWith(source) };
}
