import { expect } from 'chai';
import type { RawImageMessage } from '../../../src/core/image.js';
import { decodeRawImage, viewRawImage } from '../../../src/image/decodeRawImage.js';
import { interleavedOf, type InterleavedImage } from '../../../src/image/InterleavedImage.js';
import { resampleInFloat, resampleRows } from '../../../src/image/resampleRows.js';
import type { ResampleKernel } from '../../../src/image/axisWeights.js';
import { RowSummer } from '../../../src/image/RowSummer.js';

/** Bytes with everything in them: noise, flat runs, hard edges. */
function noise(length: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    if (i % 97 < 20) return 255;
    return i % 89 < 10 ? 0 : state >>> 24;
  });
}

function message(encoding: string, samples: number, width: number, height: number, padding: number): RawImageMessage {
  const step = width * samples + padding;
  // The last row without its padding, as some drivers send it.
  const data = noise(step * height - padding, width + height);
  return { kind: 'raw', encoding, width, height, step, isBigEndian: false, data };
}

type Resample = typeof resampleRows;

function resampled(resample: Resample, image: InterleavedImage, kernel: ResampleKernel, w: number, h: number) {
  const out = new Float32Array(w * h * 3);
  resample(image, kernel, w, h, (row, y) => out.set(row, y * w * 3));
  return out;
}

function worstDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
}

describe('resampleRows', function () {
  this.timeout(20_000);
  it('has the SIMD kernel here', () => {
    expect(RowSummer.create()).to.not.equal(undefined);
  });

  for (const [encoding, samples] of [
    ['rgb8', 3],
    ['bgr8', 3],
    ['bgra8', 4],
    ['mono8', 1],
    ['rgb16', 6],
  ] as const)
    for (const [width, height, outWidth, outHeight] of [
      [640, 480, 160, 120],
      [333, 251, 64, 40],
      [97, 300, 31, 5],
      [960, 540, 96, 64],
      [50, 1000, 60, 2],
    ] as const)
      it(`sums ${encoding} ${width}x${height} -> ${outWidth}x${outHeight} as floats do, from the message's own bytes`, () => {
        const raw = message(encoding, samples, width, height, 5);
        const decoded = interleavedOf(decodeRawImage(raw));
        for (const kernel of ['bilinear-aa', 'bicubic-aa', 'bilinear'] as const) {
          const floats = resampled(resampleInFloat, decoded, kernel, outWidth, outHeight);
          const sums = resampled(resampleRows, viewRawImage(raw), kernel, outWidth, outHeight);
          expect(worstDifference(sums, floats), kernel).to.be.below(0.01);
        }
      });

  it('keeps a flat image flat', () => {
    for (const grey of [1, 127, 255]) {
      const data = new Uint8Array(640 * 480 * 3).fill(grey);
      const out = resampled(resampleRows, interleavedOf({ width: 640, height: 480, data }), 'bilinear-aa', 160, 120);
      expect(worstDifference(out, new Float32Array(out.length).fill(grey))).to.be.below(1e-4);
    }
  });

  it('resamples images of different sizes in turn', () => {
    const large = interleavedOf(decodeRawImage(message('rgb8', 3, 1280, 720, 0)));
    const small = interleavedOf(decodeRawImage(message('rgb8', 3, 320, 240, 0)));
    const alone = resampled(resampleRows, small, 'bilinear-aa', 40, 30);
    resampled(resampleRows, large, 'bilinear-aa', 160, 120);
    expect(worstDifference(resampled(resampleRows, small, 'bilinear-aa', 40, 30), alone)).to.equal(0);
  });
});
