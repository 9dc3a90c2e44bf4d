import type { SampleCondition } from './SampleCondition.js';
import { cosine, sine } from './trigonometry.js';
import type { Town } from './Town.js';

const TILE_CELLS = 32;
const CELLS_PER_M = 2;
const REACH_M = 50;

/** Up to which height each point of the streets lies in the shadow of the buildings; worked out tile by tile when seen. */
export class ShadowMap {
  readonly #town: Town;
  readonly #tiles = new Map<number, Float32Array>();
  readonly #east: number;
  readonly #north: number;
  readonly #tangent: number;
  readonly #tilesAcross: number;
  // Neighbouring pixels ask for one tile again and again.
  #lastKey = -1;
  #lastTile: Float32Array = new Float32Array(0);

  constructor(town: Town, condition: SampleCondition) {
    this.#town = town;
    this.#east = cosine(condition.sunAzimuth);
    this.#north = sine(condition.sunAzimuth);
    this.#tangent = condition.sunTangent;
    this.#tilesAcross = Math.ceil((town.widthM * CELLS_PER_M) / TILE_CELLS);
  }

  /** Metres above the ground below which (x, y) is in shadow; 0 outside the town. */
  heightAt(x: number, y: number): number {
    if (x < 0 || y < 0 || x >= this.#town.widthM || y >= this.#town.heightM) return 0;
    const cellX = (x * CELLS_PER_M) | 0;
    const cellY = (y * CELLS_PER_M) | 0;
    const key = ((cellY / TILE_CELLS) | 0) * this.#tilesAcross + ((cellX / TILE_CELLS) | 0);
    if (key !== this.#lastKey) {
      this.#lastTile = this.#tiles.get(key) ?? this.#castTile(key);
      this.#lastKey = key;
    }
    return this.#lastTile[(cellY % TILE_CELLS) * TILE_CELLS + (cellX % TILE_CELLS)]!;
  }

  #castTile(key: number): Float32Array {
    const { buildingAt, buildings, widthM, heightM, tallestM } = this.#town;
    const tile = new Float32Array(TILE_CELLS * TILE_CELLS);
    const left = (key % this.#tilesAcross) * TILE_CELLS;
    const bottom = Math.floor(key / this.#tilesAcross) * TILE_CELLS;
    const reach = Math.min(REACH_M, tallestM / this.#tangent);
    for (let row = 0; row < TILE_CELLS; row++) {
      for (let column = 0; column < TILE_CELLS; column++) {
        const x = (left + column + 0.5) / CELLS_PER_M;
        const y = (bottom + row + 0.5) / CELLS_PER_M;
        const own = Math.floor(y) * widthM + Math.floor(x);
        // Nothing asks for the shadow inside a building.
        if (x >= widthM || y >= heightM || buildingAt[own]! > 0) continue;
        let shadow = 0;
        for (let distance = 0.5; distance < reach; distance += 1) {
          const atX = Math.floor(x + this.#east * distance);
          const atY = Math.floor(y + this.#north * distance);
          if (atX < 0 || atY < 0 || atX >= widthM || atY >= heightM) break;
          const id = buildingAt[atY * widthM + atX]!;
          if (id > 0) shadow = Math.max(shadow, buildings[id - 1]!.heightM - distance * this.#tangent);
        }
        tile[row * TILE_CELLS + column] = shadow;
      }
    }
    this.#tiles.set(key, tile);
    return tile;
  }
}
