import type { ImageSource } from '../bag/ImageSource.js';
import { CODE_BYTES } from '../core/binaryCode.js';
import type { Pose } from '../core/pose.js';
import { VprError } from '../core/VprError.js';
import type { DescriptorExtractor } from '../inference/DescriptorExtractor.js';
import { describeImage } from '../worker/describeImage.js';
import type { Progress } from './progress.js';
import { SkippedImages, type SkippedCounts } from './SkippedImages.js';

/** One image of a source, described. */
export interface DescribedImage {
  /** Position in the source, from 0, pictures that could not be read counted too: what ground truths index. */
  readonly position: number;
  readonly name: string;
  readonly pose?: Pose;
}

/** All images of a source that could be described, in its order. */
export interface DescribedSource extends SkippedCounts {
  /** Pictures of the source, readable or not. */
  readonly count: number;
  readonly images: readonly DescribedImage[];
  /** Of each picture, by position, where the source has one: also of a picture that could not be described. */
  readonly poses: readonly (Pose | undefined)[];
  /** [images, D] f32. */
  readonly descriptors: Float32Array;
  /** [images, 64]. */
  readonly codes: Uint8Array;
  readonly dimension: number;
  readonly decodeMs: readonly number[];
  readonly inferenceMs: readonly number[];
}

/**
 * Runs a model over every picture of a source. Pictures that cannot be read or decoded are skipped and told. Throws
 * MODEL_OUTPUT_INVALID: what a model cannot answer is no fault of the pictures that it is judged on.
 */
export async function describeSource(
  source: ImageSource,
  extractor: DescriptorExtractor,
  progress: Progress,
  onSkipped?: (problem: VprError) => void,
): Promise<DescribedSource> {
  const dimension = extractor.manifest.descriptorDimension;
  const images: DescribedImage[] = [];
  const poses: (Pose | undefined)[] = [];
  const rows: Float32Array[] = [];
  const codes: Uint8Array[] = [];
  const decodeMs: number[] = [];
  const inferenceMs: number[] = [];
  const skipped = new SkippedImages();
  let delivered = 0;
  try {
    for await (const image of source) {
      poses[image.position] = image.pose;
      try {
        const described = await describeImage(image, extractor);
        decodeMs.push(described.decodeMs);
        inferenceMs.push(described.inferenceMs);
        rows.push(described.descriptor);
        codes.push(described.code);
        const { position, name, pose } = image;
        images.push({ position, name, ...(pose === undefined ? {} : { pose }) });
      } catch (error) {
        if (error instanceof VprError && error.code === 'MODEL_OUTPUT_INVALID')
          throw new VprError(error.code, `${error.message} [${image.name}]`, { cause: error });
        const problem = skipped.add(error);
        onSkipped?.(problem);
      }
      progress.update(++delivered, image.name);
    }
  } finally {
    progress.end();
  }
  return {
    count: source.pictures.met,
    images,
    poses: Array.from({ length: source.pictures.met }, (_, position) => poses[position]),
    descriptors: concatenate(rows, dimension),
    codes: Uint8Array.from(Buffer.concat(codes, codes.length * CODE_BYTES)),
    dimension,
    decodeMs,
    inferenceMs,
    ...skipped.countsWith(source),
  };
}

function concatenate(rows: readonly Float32Array[], dimension: number): Float32Array {
  const all = new Float32Array(rows.length * dimension);
  rows.forEach((row, i) => all.set(row, i * dimension));
  return all;
}
