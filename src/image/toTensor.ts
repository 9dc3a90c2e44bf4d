import type { RgbImage } from '../core/image.js';
import type { TensorInput } from '../core/tensorInput.js';
import { VprError } from '../core/VprError.js';
import { interleavedOf, rgbOf, type InterleavedImage } from './InterleavedImage.js';
import { resampleLikePillow } from './resampleLikePillow.js';
import { resampleRows } from './resampleRows.js';

/** Writes one row [width, 3] of 0...255 into the three planes of `out`, normalised. */
function planeWriter(input: TensorInput, out: Float32Array): (row: ArrayLike<number>, y: number) => void {
  const { width, height, mean, std } = input;
  const plane = width * height;
  // (v / 255 - mean) / std = v * scale + offset. Weights of a resampler sum to 1, so normalising before or after the
  // resize is the same but for the last bits of a float, and both orders are served by this one.
  const [sr, sg, sb] = std.map((s) => 1 / (255 * s)) as [number, number, number];
  const [or, og, ob] = mean.map((m, c) => -m / std[c]!) as [number, number, number];
  return (row, y) => {
    let to = y * width;
    for (let from = 0; from < width * 3; from += 3, to++) {
      out[to] = row[from]! * sr + or;
      out[to + plane] = row[from + 1]! * sg + og;
      out[to + 2 * plane] = row[from + 2]! * sb + ob;
    }
  };
}

function writePlanes(input: TensorInput, pixels: Uint8Array, out: Float32Array): void {
  const write = planeWriter(input, out);
  const rowLength = input.width * 3;
  for (let y = 0; y < input.height; y++) write(pixels.subarray(y * rowLength, (y + 1) * rowLength), y);
}

/** Resized bytes [height, width, 3], or undefined when the rule works in floats. */
function resizedBytes(image: InterleavedImage, input: TensorInput): Uint8Array | undefined {
  const { resize, width, height } = input;
  if (resize === 'pil-bilinear') return resampleLikePillow(rgbOf(image), 'bilinear-aa', width, height);
  if (resize === 'pil-bicubic') return resampleLikePillow(rgbOf(image), 'bicubic-aa', width, height);
  if (resize === 'none' && (image.width !== width || image.height !== height))
    throw new VprError(
      'IMAGE_INVALID',
      `Expected ${width}x${height} pixels for a model that does not resize, got ${image.width}x${image.height}`,
    );
  return image.width === width && image.height === height ? rgbOf(image).data : undefined;
}

/**
 * The network's input for one image: resized as the manifest says, then
 * nchw-f32: [1, 3, height, width] f32, (value / 255 - mean) / std per RGB channel; nhwc-u8: [1, height, width, 3] u8.
 * Float rules follow PyTorch (align_corners=false; -aa: antialias=True, no clamp of bicubic overshoot), pil-* rules follow
 * Pillow bit for bit. The image is only read. Throws IMAGE_INVALID when the rule is `none` and the size is another.
 */
export function toTensor(source: RgbImage | InterleavedImage, input: TensorInput): Float32Array | Uint8Array {
  const { layout, width, height, resize } = input;
  const image = 'samples' in source ? source : interleavedOf(source);
  const bytes = resizedBytes(image, input);
  if (layout === 'nhwc-u8') {
    if (bytes !== undefined) return bytes.buffer === image.data.buffer ? Uint8Array.from(bytes) : bytes;
    const out = new Uint8ClampedArray(width * height * 3);
    if (resize === 'bilinear-aa' || resize === 'bilinear' || resize === 'bicubic-aa')
      resampleRows(image, resize, width, height, (row, y) => out.set(row, y * width * 3));
    return new Uint8Array(out.buffer);
  }
  const out = new Float32Array(3 * height * width);
  if (bytes !== undefined) writePlanes(input, bytes, out);
  else if (resize === 'bilinear-aa' || resize === 'bilinear' || resize === 'bicubic-aa')
    resampleRows(image, resize, width, height, planeWriter(input, out));
  return out;
}
