import { FULL_LIGHT, type FrameBuffer } from './FrameBuffer.js';
import type { Pedestrian, Vehicle } from './Occluder.js';
import { seedOf } from './random.js';
import type { Pinhole } from './Pinhole.js';
import type { SampleCondition } from './SampleCondition.js';
import { lampSprite, pedestrianSprite, signSprite, treeSprite, type Sprite } from './spriteTexture.js';
import type { Prop, Town } from './Town.js';

const SPRITE_REACH_M = 90;
const NEAREST_M = 0.35;
const TREES = 14;
const CELL_M = 24;

/** Depth along the optical axis and metres to the right of it. */
function project(view: Pinhole, x: number, y: number): { depth: number; right: number } {
  const last = view.rayEast.length - 1;
  const east = (view.rayEast[0]! + view.rayEast[last]!) / 2;
  const north = (view.rayNorth[0]! + view.rayNorth[last]!) / 2;
  const dx = x - view.x;
  const dy = y - view.y;
  return { depth: dx * east + dy * north, right: dx * north - dy * east };
}

/** The trees, lamps and signs of a town, found by where they stand, and the people. */
export class SpriteBook {
  readonly #town: Town;
  readonly #condition: SampleCondition;
  readonly #sprites = new Map<string, Sprite>();
  readonly #cells = new Map<number, Prop[]>();

  constructor(town: Town, condition: SampleCondition) {
    this.#town = town;
    this.#condition = condition;
    for (const prop of town.props) {
      const key = Math.floor(prop.y / CELL_M) * 65536 + Math.floor(prop.x / CELL_M);
      const cell = this.#cells.get(key);
      if (cell === undefined) this.#cells.set(key, [prop]);
      else cell.push(prop);
    }
  }

  draw(frame: FrameBuffer, view: Pinhole, pedestrians: readonly Pedestrian[]): void {
    const reach = Math.ceil(SPRITE_REACH_M / CELL_M);
    const cellX = Math.floor(view.x / CELL_M);
    const cellY = Math.floor(view.y / CELL_M);
    for (let y = cellY - reach; y <= cellY + reach; y++)
      for (let x = cellX - reach; x <= cellX + reach; x++)
        for (const prop of this.#cells.get(y * 65536 + x) ?? []) this.#drawAt(frame, view, prop.x, prop.y, prop);
    for (const person of pedestrians) this.#drawAt(frame, view, person.x, person.y, { kind: 'person', ...person });
  }

  #drawAt(
    frame: FrameBuffer,
    view: Pinhole,
    x: number,
    y: number,
    what: { readonly kind: 'tree' | 'lamp' | 'sign' | 'person'; readonly seed: number },
  ): void {
    const { depth, right } = project(view, x, y);
    if (depth < NEAREST_M || depth > SPRITE_REACH_M) return;
    const sprite = this.#spriteOf(what.kind, what.seed);
    const middle = view.centreX + (right / depth) * view.focal;
    const halfWidth = ((sprite.widthM / 2) * view.focal) / depth;
    if (middle + halfWidth < 0 || middle - halfWidth >= frame.width) return;
    drawSprite(frame, view, sprite, depth, middle, halfWidth, this.#condition);
  }

  #spriteOf(kind: 'tree' | 'lamp' | 'sign' | 'person', seed: number): Sprite {
    const variant = kind === 'tree' ? seed % TREES : kind === 'lamp' ? 0 : seed;
    const key = `${kind} ${variant}`;
    let sprite = this.#sprites.get(key);
    if (sprite === undefined) {
      const own = seedOf(this.#town.seed, variant, 31);
      if (kind === 'tree') sprite = treeSprite(own, this.#condition.snow > 0);
      else if (kind === 'lamp') sprite = lampSprite(own);
      // A passer-by looks the same in every town: they are no landmark.
      else sprite = kind === 'sign' ? signSprite(own) : pedestrianSprite(variant);
      this.#sprites.set(key, sprite);
    }
    return sprite;
  }
}

function drawSprite(
  frame: FrameBuffer,
  view: Pinhole,
  sprite: Sprite,
  depth: number,
  middle: number,
  halfWidth: number,
  condition: SampleCondition,
): void {
  const top = view.horizon - ((sprite.heightM - view.heightM) / depth) * view.focal;
  const bottom = view.horizon + (view.heightM / depth) * view.focal;
  const { levels } = sprite.texture;
  let level = 0;
  for (let rate = levels[0]!.height / (bottom - top); rate > 1.5 && level + 1 < levels.length; level++) rate /= 2;
  const { width, height, texels } = levels[level]!;
  const scale = (FULL_LIGHT / 255) * 0.9;
  const light = condition.ambient.map((value, i) => {
    const leaf = sprite.leafy ? condition.leaves[i]! / 110 : 1;
    return (value + 0.45 * condition.sun[i]!) * leaf * scale;
  });
  const part = depth / condition.hazeM;
  const keep = 1 / (1 + 0.5 * part + 1.5 * part * part);
  const haze = condition.skyHorizon.map((value) => (value * FULL_LIGHT * (1 - keep)) / 255);
  const firstColumn = Math.max(0, Math.ceil(middle - halfWidth - 0.5));
  const lastColumn = Math.min(frame.width, Math.ceil(middle + halfWidth - 0.5));
  const firstRow = Math.max(0, Math.ceil(top - 0.5));
  const lastRow = Math.min(frame.height, Math.ceil(bottom - 0.5));
  for (let column = firstColumn; column < lastColumn; column++) {
    const u = Math.min(
      width - 1,
      Math.max(0, Math.floor(((column + 0.5 - middle + halfWidth) / (2 * halfWidth)) * width)),
    );
    for (let row = firstRow; row < lastRow; row++) {
      const v = Math.min(height - 1, Math.floor(((row + 0.5 - top) / (bottom - top)) * height));
      const texel = texels[u * height + v]!;
      const glow = texel >>> 24;
      if (glow === 0) continue;
      const own = (glow - 1) * condition.lamps * 3;
      frame.put(
        row * frame.width + column,
        depth,
        ((texel & 255) * light[0]! + own) * keep + haze[0]!,
        (((texel >>> 8) & 255) * light[1]! + own * 0.85) * keep + haze[1]!,
        (((texel >>> 16) & 255) * light[2]! + own * 0.6) * keep + haze[2]!,
      );
    }
  }
}

/** Boxes with wheels and a band of windows; the roof is seen where it lies below the camera. */
export function drawVehicles(
  frame: FrameBuffer,
  view: Pinhole,
  vehicles: readonly Vehicle[],
  condition: SampleCondition,
): void {
  const light = condition.ambient.map((value, i) => ((value + 0.4 * condition.sun[i]!) * FULL_LIGHT) / 255);
  for (const vehicle of vehicles) {
    const { depth } = project(view, (vehicle.x0 + vehicle.x1) / 2, (vehicle.y0 + vehicle.y1) / 2);
    if (depth < 1 || depth > 70) continue;
    for (let column = 0; column < frame.width; column++) drawVehicleColumn(frame, view, vehicle, column, light);
  }
}

function drawVehicleColumn(
  frame: FrameBuffer,
  view: Pinhole,
  vehicle: Vehicle,
  column: number,
  light: readonly number[],
): void {
  const east = view.rayEast[column]!;
  const north = view.rayNorth[column]!;
  const ax = (vehicle.x0 - view.x) / east;
  const bx = (vehicle.x1 - view.x) / east;
  const ay = (vehicle.y0 - view.y) / north;
  const by = (vehicle.y1 - view.y) / north;
  const enterX = Math.min(ax, bx);
  const enterY = Math.min(ay, by);
  const enter = Math.max(enterX, enterY);
  const leave = Math.min(Math.max(ax, bx), Math.max(ay, by));
  if (!(enter < leave) || enter < NEAREST_M) return;
  const alongX = enterY > enterX;
  const x = view.x + east * enter;
  const y = view.y + north * enter;
  const length = alongX ? vehicle.x1 - vehicle.x0 : vehicle.y1 - vehicle.y0;
  const along = (alongX ? x - vehicle.x0 : y - vehicle.y0) / length;
  const long = length > 3;
  const rowOf = (height: number, depth: number): number =>
    view.horizon - ((height - view.heightM) / depth) * view.focal;
  const first = Math.max(0, Math.ceil(rowOf(vehicle.heightM, leave) - 0.5));
  const roof = rowOf(vehicle.heightM, enter);
  const bottom = rowOf(0.12, enter);
  const last = Math.min(frame.height, Math.ceil(bottom - 0.5));
  const side = alongX ? 0.85 : 1;
  for (let row = Math.min(first, Math.max(0, Math.ceil(roof - 0.5))); row < last; row++) {
    const height = view.heightM - ((row + 0.5 - view.horizon) / view.focal) * enter;
    let tone = side;
    let dark = false;
    if (row + 0.5 < roof) tone = 1.15;
    else {
      const upper = height > vehicle.heightM * 0.58;
      // The cabin of a car is shorter than its body: what is beside it stays open.
      if (upper && long && vehicle.heightM < 1.7 && (along < 0.16 || along > 0.88)) continue;
      if (upper && height < vehicle.heightM * 0.92) dark = !long || Math.abs(along - 0.52) > 0.03;
      if (long && height < 0.55 && (Math.abs(along - 0.2) < 0.09 || Math.abs(along - 0.8) < 0.09)) dark = true;
    }
    const [red, green, blue] = dark ? [36, 40, 46] : vehicle.colour;
    frame.put(
      row * frame.width + column,
      enter,
      red * tone * light[0]!,
      green * tone * light[1]!,
      blue * tone * light[2]!,
    );
  }
}
