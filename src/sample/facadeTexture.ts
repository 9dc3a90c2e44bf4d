import { Canvas, mixColours, shade, type Colour } from './Canvas.js';
import { type Random, uniformNumbers } from '../core/mulberry32.js';
import { between, integerBetween, pick } from './random.js';
import { TEXELS_PER_M, type Texture } from './Texture.js';

/** What is behind a wall: the picture that is hung on it, whose top may stand above the solid part. */
export interface Facade {
  readonly texture: Texture;
  /** Metres from the ground to the top of the picture. */
  readonly heightM: number;
  /** Metres up to which the wall hides everything behind it. */
  readonly solidM: number;
}

const WALLS: readonly Colour[] = [
  [196, 182, 158],
  [171, 92, 70],
  [214, 205, 190],
  [148, 122, 100],
  [120, 128, 134],
  [205, 170, 110],
  [178, 150, 140],
  [132, 148, 128],
  [226, 220, 210],
  [150, 80, 64],
  [104, 100, 98],
  [188, 196, 204],
];
const ACCENTS: readonly Colour[] = [
  [168, 36, 40],
  [26, 74, 140],
  [24, 110, 70],
  [226, 170, 30],
  [70, 40, 100],
  [230, 230, 226],
  [34, 34, 38],
  [200, 96, 30],
];
const ROOFS: readonly Colour[] = [
  [120, 58, 44],
  [70, 70, 76],
  [92, 74, 60],
  [136, 80, 58],
];

/**
 * Paints one wall of a building. kind 'street': doors, shops, windows, roof line; 'side': mostly blank, a few windows,
 * perhaps a mural. All of it follows from the seed.
 */
export function facadeTexture(seed: number, widthM: number, heightM: number, kind: 'street' | 'side'): Facade {
  const random = uniformNumbers(seed);
  const roofM = random() < 0.55 ? between(random, 1.2, 3.2) : between(random, 0.2, 0.6);
  const canvas = new Canvas(Math.round(widthM * TEXELS_PER_M), Math.round((heightM + roofM) * TEXELS_PER_M));
  const wall = shade(pick(random, WALLS), between(random, 0.75, 1.1));
  const top = roofM * TEXELS_PER_M;
  canvas.fill(0, top, canvas.width, canvas.height - top, wall);
  paintMaterial(canvas, random, wall, top);
  paintRoof(canvas, random, top, roofM);
  if (kind === 'street') paintFloors(canvas, random, wall, top, heightM);
  else paintSide(canvas, random, wall, top);
  canvas.roughen(random, between(random, 0.04, 0.1), between(random, 0.06, 0.2), between(random, 14, 40));
  return { texture: canvas.toTexture(), heightM: heightM + roofM, solidM: heightM };
}

/** Brick courses, panels, siding or plain plaster with a plinth. */
function paintMaterial(canvas: Canvas, random: Random, wall: Colour, top: number): void {
  const material = random();
  if (material < 0.3) {
    for (let y = top; y < canvas.height; y += 3)
      for (let x = (y & 1) * 3; x < canvas.width; x += 6) canvas.fill(x, y, 5, 2, shade(wall, 0.82 + random() * 0.32));
  } else if (material < 0.5) {
    const step = between(random, 1.1, 2.4) * TEXELS_PER_M;
    for (let y = canvas.height - step; y > top; y -= step) canvas.fill(0, y, canvas.width, 1.5, shade(wall, 0.6));
    for (let x = step; x < canvas.width; x += step * 1.5)
      canvas.fill(x, top, 1.5, canvas.height - top, shade(wall, 0.65));
  } else if (material < 0.62) {
    for (let y = top; y < canvas.height; y += 4) canvas.fill(0, y, canvas.width, 1, shade(wall, 0.72));
  }
  if (random() < 0.7) {
    const plinth = between(random, 0.3, 1.1) * TEXELS_PER_M;
    canvas.fill(0, canvas.height - plinth, canvas.width, plinth, shade(wall, between(random, 0.45, 0.75)));
  }
}

/** A gable, a mansard with dormers, or a parapet; what is left open above it stays transparent. */
function paintRoof(canvas: Canvas, random: Random, top: number, roofM: number): void {
  const roof = shade(pick(random, ROOFS), between(random, 0.8, 1.2));
  const { width } = canvas;
  if (roofM > 1) {
    const style = random();
    const slope = style < 0.4 ? width / 2 : between(random, 2, 14);
    for (let y = 0; y < top; y++) {
      const inset = slope * (1 - y / top);
      canvas.fill(inset, y, width - 2 * inset, 1, y % 4 === 0 ? shade(roof, 0.8) : roof);
    }
    if (style >= 0.4)
      for (let x = between(random, 16, 40); x < width - 24; x += between(random, 36, 70)) {
        canvas.fill(x, top * 0.3, 16, top * 0.7, shade(roof, 1.3));
        canvas.fill(x + 3, top * 0.45, 10, top * 0.5, [52, 60, 70], random() < 0.3 ? 180 : 0);
      }
    for (let count = integerBetween(random, 0, 2); count > 0; count--)
      canvas.fill(between(random, slope, width - slope), top * between(random, 0, 0.3), 10, top, [116, 74, 60]);
  } else {
    canvas.fill(0, 0, width, top, shade(roof, 1.3));
    canvas.fill(0, top, width, 5, shade(pick(random, WALLS), 0.9));
  }
}

function paintFloors(canvas: Canvas, random: Random, wall: Colour, top: number, heightM: number): void {
  const ground = Math.min(heightM - 0.6, between(random, 3.0, 4.2)) * TEXELS_PER_M;
  const floor = between(random, 2.7, 3.5) * TEXELS_PER_M;
  const spacing = between(random, 1.9, 3.4) * TEXELS_PER_M;
  const columns = Math.max(1, Math.floor((canvas.width - 12) / spacing));
  const margin = (canvas.width - columns * spacing) / 2;
  const width = spacing * between(random, 0.36, 0.68);
  const height = floor * between(random, 0.42, 0.68);
  const frame = random() < 0.5 ? ([226, 224, 218] as const) : shade(pick(random, ACCENTS), 0.8);
  const shutters = random() < 0.25 ? pick(random, ACCENTS) : undefined;
  const balcony = random() < 0.25 ? integerBetween(random, 0, columns - 1) : -1;
  const arched = random() < 0.2;
  for (let sill = canvas.height - ground; sill - floor >= top - 4; sill -= floor) {
    if (random() < 0.5) canvas.fill(0, sill - 3, canvas.width, 3, shade(wall, 0.8));
    for (let column = 0; column < columns; column++) {
      if (random() < 0.04) continue;
      const x = margin + column * spacing + (spacing - width) / 2;
      const y = sill - floor * 0.25 - height;
      if (arched) canvas.disc(x + width / 2, y, width / 2 + 2, width / 3, frame);
      paintWindow(canvas, random, x, y, width, height, frame);
      if (shutters !== undefined) {
        canvas.fill(x - width * 0.3, y, width * 0.26, height, shutters);
        canvas.fill(x + width * 1.04, y, width * 0.26, height, shutters);
      }
      if (column === balcony) {
        canvas.fill(x - 8, y + height * 0.55, width + 16, height * 0.5, [58, 58, 62]);
        for (let bar = 0; bar < width + 16; bar += 3)
          canvas.fill(x - 8 + bar, y + height * 0.6, 1, height * 0.4, [128, 126, 122]);
      }
    }
  }
  paintGroundFloor(canvas, random, ground, frame);
  if (random() < 0.5) canvas.fill(random() < 0.5 ? 2 : canvas.width - 5, top, 3, canvas.height - top, [82, 84, 84]);
}

function paintWindow(
  canvas: Canvas,
  random: Random,
  x: number,
  y: number,
  width: number,
  height: number,
  frame: Colour,
): void {
  const lit = random() < 0.45 ? integerBetween(random, 110, 254) : 0;
  const glass = mixColours([38, 46, 58], [120, 138, 156], random() * 0.8);
  canvas.fill(x - 2, y - 2, width + 4, height + 4, frame);
  canvas.fill(x, y, width, height, glass, lit);
  const curtain = random();
  if (curtain < 0.35) canvas.fill(x, y, width, height * between(random, 0.2, 0.8), [206, 196, 178], lit >> 1);
  else if (curtain < 0.5) {
    canvas.fill(x, y, width * 0.25, height, [190, 176, 160], lit >> 1);
    canvas.fill(x + width * 0.75, y, width * 0.25, height, [190, 176, 160], lit >> 1);
  }
  canvas.fill(x + width / 2 - 1, y, 2, height, frame);
  canvas.fill(x - 3, y + height + 2, width + 6, 2, shade(frame, 0.75));
}

function paintGroundFloor(canvas: Canvas, random: Random, ground: number, frame: Colour): void {
  const { width, height } = canvas;
  const accent = pick(random, ACCENTS);
  const use = random();
  if (use < 0.45) {
    // A shop: display windows, a sign with blocks that stand for letters, perhaps an awning.
    const signHeight = ground * between(random, 0.16, 0.26);
    const signTop = height - ground;
    canvas.fill(4, signTop, width - 8, ground, shade(accent, 0.6));
    canvas.fill(4, signTop, width - 8, signHeight, accent, 90);
    const ink: Colour = accent[0] + accent[1] + accent[2] > 380 ? [30, 28, 34] : [240, 236, 220];
    for (let x = between(random, 8, width * 0.3); x < width * 0.85; x += between(random, 6, 15))
      if (random() < 0.85)
        canvas.fill(
          x,
          signTop + signHeight * 0.25,
          between(random, 3, 9),
          signHeight * between(random, 0.35, 0.55),
          ink,
          160,
        );
    const pane = between(random, 26, 52);
    for (let x = 10; x + pane < width - 6; x += pane + 6) {
      canvas.fill(x, signTop + signHeight + 4, pane, ground - signHeight - 14, [70, 78, 86], 200);
      for (let goods = 0; goods < 7; goods++)
        canvas.fill(
          x + random() * (pane - 10),
          height - 12 - random() * (ground - signHeight - 30),
          between(random, 3, 10),
          between(random, 3, 12),
          pick(random, ACCENTS),
          120,
        );
    }
    if (random() < 0.4) {
      const awning = pick(random, ACCENTS);
      for (let x = 4; x < width - 4; x += 8)
        canvas.fill(x, signTop + signHeight, 8, ground * 0.14, (x >> 3) & 1 ? awning : [232, 228, 220]);
    }
  } else if (use < 0.62) {
    const doors = integerBetween(random, 1, 3);
    for (let i = 0; i < doors; i++) {
      const x = (width / doors) * i + 8;
      canvas.fill(x, height - ground * 0.78, width / doors - 16, ground * 0.78, shade(accent, 0.75));
      for (let y = height - ground * 0.78; y < height; y += 6)
        canvas.fill(x, y, width / doors - 16, 1, shade(accent, 0.5));
    }
  } else {
    const spacing = between(random, 30, 56);
    for (let x = between(random, 8, 20); x + 20 < width; x += spacing)
      if (random() < 0.8) paintWindow(canvas, random, x, height - ground * 0.78, 19, ground * 0.4, frame);
  }
  const door = between(random, 0.1, 0.8) * (width - 24);
  canvas.fill(door - 3, height - 39, 24, 39, frame);
  canvas.fill(door, height - 36, 18, 36, shade(pick(random, ACCENTS), 0.7));
  canvas.fill(door + 3, height - 32, 12, 8, [90, 100, 110], 120);
}

/** A fire wall: blank, a few small windows, pipes, sometimes a mural of big shapes. */
function paintSide(canvas: Canvas, random: Random, wall: Colour, top: number): void {
  const { width, height } = canvas;
  if (random() < 0.3) {
    for (let shape = 0; shape < 9; shape++) {
      const colour = shade(pick(random, ACCENTS), between(random, 0.7, 1.2));
      const x = random() * width;
      const y = top + random() * (height - top);
      if (random() < 0.5) canvas.disc(x, y, between(random, 8, 40), between(random, 8, 40), colour);
      else canvas.fill(x, y, between(random, 10, 70), between(random, 10, 60), colour);
    }
  }
  for (let count = integerBetween(random, 0, 6); count > 0; count--)
    paintWindow(
      canvas,
      random,
      random() * (width - 20),
      top + 10 + random() * (height - top - 60),
      13,
      18,
      [200, 198, 192],
    );
  for (let count = integerBetween(random, 0, 3); count > 0; count--)
    canvas.fill(random() * width, top, 3, height - top, shade(wall, 0.55));
}
