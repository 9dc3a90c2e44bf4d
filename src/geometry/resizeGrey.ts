import type { GreyImage } from '../core/image.js';

/** Bilinear resize (pixel centres as in PyTorch with align_corners=false). For factors of 0.5 and more; below, it would alias. */
export function resizeGrey(image: GreyImage, width: number, height: number): GreyImage {
  const out = new Uint8Array(width * height);
  const [scaleX, scaleY] = [image.width / width, image.height / height];
  const left = new Int32Array(width);
  const part = new Float32Array(width);
  for (let x = 0; x < width; x++) {
    const at = Math.min(image.width - 1, Math.max(0, (x + 0.5) * scaleX - 0.5));
    left[x] = Math.min(image.width - 2, Math.floor(at));
    part[x] = at - left[x]!;
  }
  const single = image.width === 1;
  for (let y = 0; y < height; y++) {
    const at = Math.min(image.height - 1, Math.max(0, (y + 0.5) * scaleY - 0.5));
    const top = Math.floor(at);
    const down = at - top;
    const first = top * image.width;
    const second = Math.min(image.height - 1, top + 1) * image.width;
    for (let x = 0; x < width; x++) {
      const i = single ? 0 : left[x]!;
      const j = single ? 0 : i + 1;
      const p = single ? 0 : part[x]!;
      const upper = image.data[first + i]! * (1 - p) + image.data[first + j]! * p;
      const lower = image.data[second + i]! * (1 - p) + image.data[second + j]! * p;
      out[y * width + x] = upper * (1 - down) + lower * down + 0.5;
    }
  }
  return { width, height, data: out };
}
