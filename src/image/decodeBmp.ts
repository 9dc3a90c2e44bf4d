import type { RgbImage } from '../core/image.js';
import { decodeRawImage } from './decodeRawImage.js';
import { imageError } from './imageError.js';

const HEADER_BYTES = 54;
const BITS_TO_ENCODING: Readonly<Record<number, string>> = { 8: 'mono8', 24: 'bgr8', 32: 'bgra8' };

/** Turns row order and, for indexed images, indices into colours. */
function applyPalette(image: RgbImage, palette: Uint8Array): void {
  const { data } = image;
  for (let i = 0; i < data.length; i += 3) {
    const colour = data[i]! * 4;
    data[i] = palette[colour + 2] ?? 0;
    data[i + 1] = palette[colour + 1] ?? 0;
    data[i + 2] = palette[colour] ?? 0;
  }
}

function flipRows({ data, width, height }: RgbImage): void {
  const rowBytes = width * 3;
  const row = new Uint8Array(rowBytes);
  for (let top = 0, bottom = height - 1; top < bottom; top++, bottom--) {
    row.set(data.subarray(top * rowBytes, (top + 1) * rowBytes));
    data.copyWithin(top * rowBytes, bottom * rowBytes, (bottom + 1) * rowBytes);
    data.set(row, bottom * rowBytes);
  }
}

/** Pixels of an uncompressed BMP file of 8 (indexed), 24 or 32 bits as 8-bit RGB. Throws IMAGE_INVALID, IMAGE_TOO_LARGE. */
export function decodeBmp(data: Uint8Array, where: string): RgbImage {
  if (data.length < HEADER_BYTES)
    throw imageError('IMAGE_INVALID', `Expected ${HEADER_BYTES} bytes for a BMP header, got ${data.length}`, where);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const pixelOffset = view.getUint32(10, true);
  const headerBytes = view.getUint32(14, true);
  const width = view.getInt32(18, true);
  const signedHeight = view.getInt32(22, true);
  const bits = view.getUint16(28, true);
  const compression = view.getUint32(30, true);
  const encoding = BITS_TO_ENCODING[bits];
  // Compression 3 is "bit fields": for 32 bits practically always the plain order, told by masks.
  if (encoding === undefined || !(compression === 0 || (compression === 3 && bits === 32)) || width < 0)
    throw imageError(
      'IMAGE_INVALID',
      `Expected an uncompressed BMP of 8, 24 or 32 bits, got ${bits} bits, compression ${compression}, width ${width}`,
      where,
    );
  const step = Math.ceil((width * bits) / 32) * 4;
  const height = Math.abs(signedHeight);
  const raw = {
    kind: 'raw',
    encoding,
    width,
    height,
    step,
    isBigEndian: false,
    data: data.subarray(pixelOffset),
  } as const;
  const image = decodeRawImage(raw, where);
  if (bits === 8) applyPalette(image, data.subarray(14 + headerBytes, pixelOffset));
  // A positive height means that the bottom row comes first.
  if (signedHeight > 0) flipRows(image);
  return image;
}
