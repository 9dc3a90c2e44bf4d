/** Texels per metre of the finest level of facades. */
export const TEXELS_PER_M = 16;

/** One level of a texture, column-major (a screen column walks down a texture column): index = u * height + v. */
export interface TextureLevel {
  readonly width: number;
  readonly height: number;
  /** R, G, B in the low bytes; top byte 0 = transparent, else 1 + light that the texel gives off (0...254). */
  readonly texels: Uint32Array;
}

/** A picture with its halved copies, so that far surfaces do not flicker. Row 0 is the top. */
export class Texture {
  readonly levels: readonly TextureLevel[];

  constructor(finest: TextureLevel) {
    const levels = [finest];
    for (let last = finest; last.width > 1 && last.height > 1 && levels.length < 6;) {
      last = halve(last);
      levels.push(last);
    }
    this.levels = levels;
  }
}

function halve(from: TextureLevel): TextureLevel {
  const width = Math.max(1, from.width >> 1);
  const height = Math.max(1, from.height >> 1);
  const texels = new Uint32Array(width * height);
  for (let u = 0; u < width; u++) {
    for (let v = 0; v < height; v++) {
      const corner = 2 * u * from.height + 2 * v;
      let red = 0;
      let green = 0;
      let blue = 0;
      let light = 0;
      let solid = 0;
      for (let quarter = 0; quarter < 4; quarter++) {
        const texel = from.texels[corner + (quarter >> 1) * from.height + (quarter & 1)]!;
        if (texel >>> 24 === 0) continue;
        red += texel & 255;
        green += (texel >>> 8) & 255;
        blue += (texel >>> 16) & 255;
        light += (texel >>> 24) - 1;
        solid++;
      }
      if (solid < 2) continue;
      texels[u * height + v] = packTexel(
        (red / solid) | 0,
        (green / solid) | 0,
        (blue / solid) | 0,
        (light / solid) | 0,
      );
    }
  }
  return { width, height, texels };
}

/** red, green, blue: 0...255; light: 0...254. */
export function packTexel(red: number, green: number, blue: number, light = 0): number {
  return (red | (green << 8) | (blue << 16) | ((light + 1) << 24)) >>> 0;
}
