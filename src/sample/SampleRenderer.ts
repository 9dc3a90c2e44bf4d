import type { RgbImage } from '../core/image.js';
import { drawGroundAndSky, Backdrop } from './Backdrop.js';
import { FrameBuffer, FULL_LIGHT } from './FrameBuffer.js';
import { NO_OCCLUDERS, type Occluders } from './Occluder.js';
import type { SampleCondition } from './SampleCondition.js';
import { ShadowMap } from './ShadowMap.js';
import { drawVehicles, SpriteBook } from './drawObjects.js';
import { type CameraSize, type CameraView, type Pinhole, pinholeOf, SAMPLE_CAMERA } from './Pinhole.js';
import { cosine, sine } from './trigonometry.js';
import { TEXELS_PER_M } from './Texture.js';
import { EAST, NORTH, SOUTH, WEST, type Side, type Town } from './Town.js';

const REACH_M = 170;
const MAX_HITS = 12;

/** Renders a town as a camera sees it: walls by casting one ray a column, ground by rows, things as sprites and boxes. */
export class SampleRenderer {
  readonly town: Town;
  readonly condition: SampleCondition;
  readonly #size: CameraSize;
  readonly #frame: FrameBuffer;
  readonly #shadows: ShadowMap;
  readonly #backdrop: Backdrop;
  readonly #sprites: SpriteBook;
  readonly #hitDepth = new Float64Array(MAX_HITS);
  readonly #hitId = new Int32Array(MAX_HITS);
  readonly #hitSide = new Uint8Array(MAX_HITS);
  /** Light on the walls by side, times FULL_LIGHT / 255: [side][lit ? 1 : 0][rgb]. */
  readonly #wallLight: readonly (readonly [readonly number[], readonly number[]])[];

  constructor(town: Town, condition: SampleCondition, size: CameraSize = SAMPLE_CAMERA) {
    this.town = town;
    this.condition = condition;
    this.#size = size;
    this.#frame = new FrameBuffer(size.width, size.height);
    this.#shadows = new ShadowMap(town, condition);
    this.#backdrop = new Backdrop(town, condition);
    this.#sprites = new SpriteBook(town, condition);
    const east = cosine(condition.sunAzimuth);
    const north = sine(condition.sunAzimuth);
    const flat = 1 / Math.sqrt(1 + condition.sunTangent * condition.sunTangent);
    this.#wallLight = [-north, east, north, -east].map((facing, side) => {
      // Walls get a little less from the sky the more they face north, so that corners show on dull days too.
      const sky = [1, 0.92, 0.84, 0.96][side]!;
      const dark = condition.ambient.map((value) => (value * sky * FULL_LIGHT) / 255);
      const lit = dark.map(
        (value, i) => value + (Math.max(0, facing * flat) * condition.sun[i]! * 1.3 * FULL_LIGHT) / 255,
      );
      return [dark, lit] as const;
    });
  }

  /** seed: of the sensor noise; two pictures of one view and seed are the same bytes. */
  render(view: CameraView, occluders: Occluders = NO_OCCLUDERS, seed = 0): RgbImage {
    const pinhole = pinholeOf(view, this.#size);
    this.#frame.clear();
    for (let column = 0; column < this.#size.width; column++) this.#drawWalls(pinhole, column);
    drawGroundAndSky(this.#frame, pinhole, this.#backdrop, this.#shadows);
    drawVehicles(this.#frame, pinhole, occluders.vehicles, this.condition);
    this.#sprites.draw(this.#frame, pinhole, occluders.pedestrians);
    return this.#frame.expose(this.condition.noise, seed);
  }

  /** Walks the ray through the 1 m cells and notes each wall that it enters; returns how many. */
  #castRay(view: Pinhole, east: number, north: number): number {
    const { buildingAt, widthM, heightM, buildings, tallestM } = this.town;
    let cellX = Math.floor(view.x);
    let cellY = Math.floor(view.y);
    const stepX = east > 0 ? 1 : -1;
    const stepY = north > 0 ? 1 : -1;
    const deltaX = east === 0 ? Infinity : Math.abs(1 / east);
    const deltaY = north === 0 ? Infinity : Math.abs(1 / north);
    let nextX = (east > 0 ? cellX + 1 - view.x : view.x - cellX) * deltaX;
    let nextY = (north > 0 ? cellY + 1 - view.y : view.y - cellY) * deltaY;
    let inside =
      cellX >= 0 && cellY >= 0 && cellX < widthM && cellY < heightM ? buildingAt[cellY * widthM + cellX]! : 0;
    let hits = 0;
    let steepest = 0;
    for (;;) {
      let depth: number;
      let side: Side;
      if (nextX < nextY) {
        depth = nextX;
        nextX += deltaX;
        cellX += stepX;
        side = stepX > 0 ? WEST : EAST;
      } else {
        depth = nextY;
        nextY += deltaY;
        cellY += stepY;
        side = stepY > 0 ? SOUTH : NORTH;
      }
      if (cellX < 0 || cellY < 0 || cellX >= widthM || cellY >= heightM || depth > REACH_M) return hits;
      const id = buildingAt[cellY * widthM + cellX]!;
      if (id === inside) continue;
      inside = id;
      if (id === 0) continue;
      this.#hitDepth[hits] = depth;
      this.#hitId[hits] = id;
      this.#hitSide[hits] = side;
      hits++;
      steepest = Math.max(steepest, (buildings[id - 1]!.heightM - view.heightM) / depth);
      // Nothing farther can stand out above what is already there.
      if (hits === MAX_HITS || (tallestM - view.heightM) / depth <= steepest) return hits;
    }
  }

  #drawWalls(view: Pinhole, column: number): void {
    const east = view.rayEast[column]!;
    const north = view.rayNorth[column]!;
    const hits = this.#castRay(view, east, north);
    let clip: number = this.#size.height;
    for (let hit = 0; hit < hits; hit++) {
      const depth = Math.max(0.05, this.#hitDepth[hit]!);
      const id = this.#hitId[hit]!;
      const side = this.#hitSide[hit]! as Side;
      const facade = this.town.facade(id, side);
      const building = this.town.buildings[id - 1]!;
      const x = view.x + east * depth;
      const y = view.y + north * depth;
      const alongX = side === SOUTH || side === NORTH;
      const along =
        side === SOUTH
          ? x - building.x0
          : side === NORTH
            ? building.x1 - x
            : side === EAST
              ? y - building.y0
              : building.y1 - y;
      const facing = Math.abs(alongX ? north : east);
      // Texels a pixel: down the column it is depth / focal; along the wall that over the cosine. Blur by their mean.
      let rate = ((depth / view.focal) * TEXELS_PER_M) / Math.sqrt(Math.max(0.02, facing));
      let level = 0;
      for (; rate > 1.5 && level + 1 < facade.texture.levels.length; level++) rate /= 2;
      const { width, height, texels } = facade.texture.levels[level]!;
      const length = alongX ? building.x1 - building.x0 : building.y1 - building.y0;
      const u = Math.max(0, Math.min(width - 1, Math.floor((along / length) * width)));
      const top = view.horizon - ((facade.heightM - view.heightM) / depth) * view.focal;
      const bottom = view.horizon + (view.heightM / depth) * view.focal;
      const outX = side === EAST ? 0.3 : side === WEST ? -0.3 : 0;
      const outY = side === NORTH ? 0.3 : side === SOUTH ? -0.3 : 0;
      const shadow = this.#shadows.heightAt(x + outX, y + outY);
      this.#drawColumn(
        column,
        depth,
        top,
        Math.min(bottom, clip),
        bottom,
        texels.subarray(u * height, (u + 1) * height),
        view.horizon - ((shadow - view.heightM) / depth) * view.focal,
        this.#wallLight[side]!,
      );
      clip = Math.min(clip, view.horizon - ((facade.solidM - view.heightM) / depth) * view.focal);
      if (clip <= 0) return;
    }
  }

  #drawColumn(
    column: number,
    depth: number,
    top: number,
    end: number,
    bottom: number,
    texels: Uint32Array,
    shadowRow: number,
    [dark, lit]: readonly [readonly number[], readonly number[]],
  ): void {
    const { width } = this.#size;
    const first = Math.max(0, Math.ceil(top - 0.5));
    const last = Math.min(this.#size.height, Math.ceil(end - 0.5));
    const step = texels.length / (bottom - top);
    const { keep, red, green, blue } = this.#backdrop.haze(depth);
    const { lamps } = this.condition;
    let v = (first + 0.5 - top) * step;
    for (let row = first; row < last; row++, v += step) {
      const texel = texels[v | 0]!;
      const glow = texel >>> 24;
      if (glow === 0) continue;
      const shine = row < shadowRow ? lit : dark;
      const own = (glow - 1) * lamps;
      const r = texel & 255;
      const g = (texel >>> 8) & 255;
      const b = (texel >>> 16) & 255;
      this.#frame.put(
        row * width + column,
        depth,
        (r * shine[0]! + own * (1.9 + r * 0.008)) * keep + red,
        (g * shine[1]! + own * (1.4 + g * 0.008)) * keep + green,
        (b * shine[2]! + own * (0.8 + b * 0.008)) * keep + blue,
      );
    }
  }
}
