import type { YuvLayout } from './pixelFormats.js';

// ITU-R BT.601, luma 16...235, as OpenCV's cvtColor (hence cv_bridge) converts: 20-bit fixed point.
const SHIFT = 20;
const HALF = 1 << (SHIFT - 1);
const LUMA = 1220542;
const V_TO_RED = 1673527;
const V_TO_GREEN = -852492;
const U_TO_GREEN = -409993;
const U_TO_BLUE = 2116026;

function writePixel(luma: number, u: number, v: number, out: Uint8ClampedArray, to: number): void {
  const y = Math.max(0, luma - 16) * LUMA + HALF;
  out[to] = (y + V_TO_RED * v) >> SHIFT;
  out[to + 1] = (y + V_TO_GREEN * v + U_TO_GREEN * u) >> SHIFT;
  out[to + 2] = (y + U_TO_BLUE * u) >> SHIFT;
}

/**
 * YUV to RGB; chroma is repeated, not interpolated.
 * data: packed rows of `step` bytes, or `height` luma rows followed by the chroma rows, all of `step` bytes (the caller has
 * checked that they are there); out: [height, width, 3].
 */
export function yuvToRgb(
  data: Uint8Array,
  width: number,
  height: number,
  step: number,
  layout: YuvLayout,
  out: Uint8ClampedArray,
): void {
  let to = 0;
  for (let row = 0; row < height; row++) {
    const start = row * step;
    if (layout.kind === 'packed') {
      for (let x = 0; x < width; x++, to += 3) {
        const pair = start + (x >> 1) * 4;
        const luma = data[pair + ((x & 1) === 0 ? layout.y0 : layout.y1)]!;
        writePixel(luma, data[pair + layout.u]! - 128, data[pair + layout.v]! - 128, out, to);
      }
    } else {
      const half = layout.subsampling - 1;
      // Rows of nv24's chroma hold twice as many bytes as its luma's: they fill two steps each.
      const chroma = (height + (half === 1 ? row >> 1 : row * 2)) * step;
      for (let x = 0; x < width; x++, to += 3) {
        const pair = chroma + (x >> half) * 2;
        writePixel(data[start + x]!, data[pair + layout.u]! - 128, data[pair + layout.v]! - 128, out, to);
      }
    }
  }
}
