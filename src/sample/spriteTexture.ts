import { Canvas, shade, type Colour } from './Canvas.js';
import { uniformNumbers } from '../core/mulberry32.js';
import { between, integerBetween, pick } from './random.js';
import type { Texture } from './Texture.js';

/** A picture that always faces the camera. */
export interface Sprite {
  readonly texture: Texture;
  readonly widthM: number;
  readonly heightM: number;
  /** Painted in greys that take the colour of the season's leaves. */
  readonly leafy: boolean;
}

const CLOTHES: readonly Colour[] = [
  [40, 46, 70],
  [130, 34, 38],
  [54, 92, 60],
  [208, 196, 170],
  [34, 34, 36],
  [96, 110, 140],
  [190, 140, 50],
];
const SKIN: readonly Colour[] = [
  [224, 180, 150],
  [168, 118, 88],
  [104, 70, 52],
];

/** A tree of 4 to 8 m; in winter its crown has holes. */
export function treeSprite(seed: number, bare: boolean): Sprite {
  const random = uniformNumbers(seed);
  const heightM = between(random, 4.5, 8.5);
  const widthM = between(random, 2.8, 5.5);
  const canvas = new Canvas(Math.round(widthM * 16), Math.round(heightM * 16));
  const { width, height } = canvas;
  const trunk = between(random, 2, 5);
  canvas.fill(width / 2 - trunk / 2, height * 0.3, trunk, height * 0.7, [92, 84, 92]);
  const crown = between(random, 0.5, 0.72) * height;
  for (let leaf = bare ? 60 : 260; leaf > 0; leaf--) {
    const x = random() * 2 - 1;
    const y = random() * 2 - 1;
    if (x * x + y * y > 1) continue;
    const radius = bare ? 1.2 : between(random, 3, 8);
    const grey = Math.round(150 - 70 * y + 60 * (random() - 0.5) - 30 * x);
    canvas.disc(width / 2 + x * (width / 2 - radius), crown / 2 + y * (crown / 2 - radius), radius, radius * 0.8, [
      grey,
      grey,
      grey,
    ]);
  }
  return { texture: canvas.toTexture(), widthM, heightM, leafy: true };
}

export function lampSprite(seed: number): Sprite {
  const random = uniformNumbers(seed);
  const heightM = between(random, 3.5, 6);
  const canvas = new Canvas(12, Math.round(heightM * 16));
  canvas.fill(5, 6, 2, canvas.height, [60, 66, 66]);
  canvas.fill(4, canvas.height - 14, 4, 14, [50, 54, 54]);
  canvas.disc(6, 5, 5, 5, [232, 226, 200], 254);
  return { texture: canvas.toTexture(), widthM: 0.75, heightM, leafy: false };
}

/** Traffic signs, advertising pillars, poster stands. */
export function signSprite(seed: number): Sprite {
  const random = uniformNumbers(seed);
  const pillar = random() < 0.35;
  const heightM = pillar ? between(random, 2.2, 3) : between(random, 2.1, 2.9);
  const widthM = pillar ? between(random, 0.9, 1.4) : between(random, 0.6, 0.9);
  const canvas = new Canvas(Math.round(widthM * 32), Math.round(heightM * 32));
  const { width, height } = canvas;
  const face = pick(random, [
    [196, 34, 40],
    [24, 84, 160],
    [236, 196, 40],
    [238, 238, 236],
    [30, 120, 80],
  ] as const);
  if (pillar) {
    canvas.fill(0, 4, width, height, [112, 116, 112]);
    for (let poster = 0; poster < 3; poster++)
      canvas.fill(
        random() * width * 0.5,
        between(random, 0.1, 0.6) * height,
        between(random, 12, 26),
        between(random, 16, 36),
        shade(pick(random, CLOTHES), 1.5),
        60,
      );
  } else {
    canvas.fill(width / 2 - 1, height * 0.3, 2, height, [150, 152, 154]);
    if (random() < 0.5) canvas.disc(width / 2, width / 2, width / 2, width / 2, face);
    else canvas.fill(0, 0, width, width * between(random, 0.7, 1.3), face);
    canvas.fill(width * 0.25, width * 0.4, width * 0.5, width * 0.2, shade(face, face[0] > 200 ? 0.3 : 1.7));
  }
  return { texture: canvas.toTexture(), widthM, heightM, leafy: false };
}

export function pedestrianSprite(seed: number): Sprite {
  const random = uniformNumbers(seed);
  const heightM = between(random, 1.5, 1.95);
  const canvas = new Canvas(24, Math.round(heightM * 32));
  const { height } = canvas;
  const coat = shade(pick(random, CLOTHES), between(random, 0.7, 1.3));
  const trousers = shade(pick(random, CLOTHES), between(random, 0.5, 0.9));
  const stride = integerBetween(random, 0, 4);
  canvas.fill(7 - stride, height * 0.52, 5, height * 0.48, trousers);
  canvas.fill(12 + stride, height * 0.52, 5, height * 0.48, shade(trousers, 0.85));
  canvas.fill(5, height * 0.17, 14, height * 0.4, coat);
  canvas.fill(2, height * 0.19, 3, height * 0.32, shade(coat, 0.8));
  canvas.fill(19, height * 0.19, 3, height * 0.32, shade(coat, 0.8));
  canvas.disc(12, height * 0.09, 4.5, height * 0.085, pick(random, SKIN));
  canvas.fill(8, 0, 9, height * 0.06, shade(pick(random, CLOTHES), 0.6));
  if (random() < 0.3) canvas.fill(17, height * 0.45, 7, height * 0.18, pick(random, CLOTHES));
  return { texture: canvas.toTexture(), widthM: 0.75, heightM, leafy: false };
}
