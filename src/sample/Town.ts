import { facadeTexture, type Facade } from './facadeTexture.js';
import { seedOf } from './random.js';

/** Sides of a building, as indices: the wall that faces south, east, north, west. */
export const SOUTH = 0;
export const EAST = 1;
export const NORTH = 2;
export const WEST = 3;
export type Side = 0 | 1 | 2 | 3;

/** A box on whole metres: x0 <= x < x1, y0 <= y < y1. */
export interface Building {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  readonly heightM: number;
  /** Its looks follow from this; two buildings of one seed and size look alike. */
  readonly seed: number;
  /** Which sides face a street. */
  readonly street: readonly [boolean, boolean, boolean, boolean];
}

/** A thing that stands at a point and looks the same from all around. */
export interface Prop {
  readonly kind: 'tree' | 'lamp' | 'sign';
  readonly x: number;
  readonly y: number;
  readonly seed: number;
}

/** What the ground shows; the value is the index of its colour. */
export const GROUND = { grass: 0, road: 1, sidewalk: 2, kerb: 3, paint: 4, patch: 5, metal: 6, paving: 7 } as const;
/** Ground cells per metre. */
export const GROUND_PER_M = 4;

/** Everything of a sample world that stays the same from traverse to traverse. 1 m cells, x east, y north, z up. */
export class Town {
  readonly widthM: number;
  readonly heightM: number;
  /** [heightM][widthM]: 0 = open, else index into buildings + 1. */
  readonly buildingAt: Uint16Array;
  /** [heightM * 4][widthM * 4] values of GROUND. */
  readonly ground: Uint8Array;
  readonly buildings: Building[] = [];
  readonly props: Prop[] = [];
  readonly seed: number;
  readonly #facades = new Map<number, Facade>();
  #tallest = 0;

  constructor(seed: number, widthM: number, heightM: number) {
    this.seed = seed;
    this.widthM = widthM;
    this.heightM = heightM;
    this.buildingAt = new Uint16Array(widthM * heightM);
    this.ground = new Uint8Array(widthM * heightM * GROUND_PER_M * GROUND_PER_M);
  }

  /** Height of the tallest building with its roof, metres: nothing needs to be looked for above. */
  get tallestM(): number {
    return this.#tallest;
  }

  addBuilding(building: Building): void {
    if (this.buildings.length >= 65535) throw new RangeError('Expected at most 65535 buildings in a town');
    this.buildings.push(building);
    const id = this.buildings.length;
    for (let y = building.y0; y < building.y1; y++)
      this.buildingAt.fill(id, y * this.widthM + building.x0, y * this.widthM + building.x1);
    this.#tallest = Math.max(this.#tallest, building.heightM + 3.5);
  }

  /** Metres, half open; parts outside the town are cut off. */
  paintGround(x0: number, y0: number, x1: number, y1: number, value: number): void {
    const columns = this.widthM * GROUND_PER_M;
    const left = Math.max(0, Math.round(x0 * GROUND_PER_M));
    const right = Math.min(columns, Math.round(x1 * GROUND_PER_M));
    const last = Math.min(this.heightM * GROUND_PER_M, Math.round(y1 * GROUND_PER_M));
    for (let y = Math.max(0, Math.round(y0 * GROUND_PER_M)); y < last; y++)
      if (right > left) this.ground.fill(value, y * columns + left, y * columns + right);
  }

  /** The wall of building `id` (from 1) on that side; painted when it is first seen. */
  facade(id: number, side: Side): Facade {
    const key = id * 4 + side;
    let facade = this.#facades.get(key);
    if (facade === undefined) {
      const building = this.buildings[id - 1]!;
      const along = side === SOUTH || side === NORTH ? building.x1 - building.x0 : building.y1 - building.y0;
      const kind = building.street[side] ? 'street' : 'side';
      facade = facadeTexture(seedOf(building.seed, side), along, building.heightM, kind);
      this.#facades.set(key, facade);
    }
    return facade;
  }
}
