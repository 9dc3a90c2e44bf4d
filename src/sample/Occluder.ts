import type { Route } from './Route.js';
import { uniformNumbers } from '../core/mulberry32.js';
import { between, integerBetween, pick, seedOf } from './random.js';
import type { Colour } from './Canvas.js';

/** A person at a point. */
export interface Pedestrian {
  readonly x: number;
  readonly y: number;
  readonly seed: number;
}

/** A vehicle: a box along x or y. */
export interface Vehicle {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  readonly heightM: number;
  readonly colour: Colour;
}

/** What stands or walks in the town at one moment and will be elsewhere at the next visit. */
export interface Occluders {
  readonly pedestrians: readonly Pedestrian[];
  readonly vehicles: readonly Vehicle[];
}

export const NO_OCCLUDERS: Occluders = { pedestrians: [], vehicles: [] };

const PAINT: readonly Colour[] = [
  [200, 202, 204],
  [46, 48, 52],
  [150, 26, 30],
  [36, 62, 110],
  [226, 226, 222],
  [96, 100, 104],
  [30, 74, 54],
];

/** People and parked vehicles along the tour of one traverse; `at` says where they are `timeS` seconds after its start. */
export class OccluderCrowd {
  readonly #walkers: readonly {
    readonly start: number;
    readonly left: number;
    readonly speed: number;
    readonly seed: number;
  }[];
  readonly #vehicles: readonly Vehicle[];
  readonly #route: Route;

  /** density: 1 is a person every 9 m and a parked vehicle every 22 m; 0 is an empty town. */
  constructor(route: Route, seed: number, density: number) {
    this.#route = route;
    const random = uniformNumbers(seedOf(seed, 11));
    const count = (everyM: number): number => Math.round((route.lengthM / everyM) * density);
    this.#walkers = Array.from({ length: count(9) }, () => ({
      start: random() * route.lengthM,
      left: random() < 0.8 ? pick(random, [-1, 1]) * between(random, 3.2, 5.6) : between(random, -3, 3),
      speed: pick(random, [-1, 1]) * between(random, 0.6, 1.6),
      seed: integerBetween(random, 0, 23),
    }));
    this.#vehicles = Array.from({ length: count(22) }, () => {
      const van = random() < 0.2;
      const half = van ? 2.6 : 2.1;
      const point = route.at(random() * route.lengthM, pick(random, [-1, 1]) * between(random, 3.1, 3.5));
      const alongX = Math.round((point.heading * 2) / Math.PI) % 2 === 0;
      const [halfX, halfY] = alongX ? [half, 0.9] : [0.9, half];
      return {
        x0: point.x - halfX,
        x1: point.x + halfX,
        y0: point.y - halfY,
        y1: point.y + halfY,
        heightM: van ? between(random, 1.9, 2.5) : between(random, 1.35, 1.5),
        colour: pick(random, PAINT),
      };
    });
  }

  at(timeS: number): Occluders {
    const pedestrians = this.#walkers.map(({ start, left, speed, seed }) => {
      const { x, y } = this.#route.at(start + speed * timeS, left);
      return { x, y, seed };
    });
    return { pedestrians, vehicles: this.#vehicles };
  }
}
