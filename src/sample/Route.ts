import { cosine, sine } from './trigonometry.js';

/** A point of the tour: metres, and heading in radians counter-clockwise from +x. */
export interface RoutePoint {
  readonly x: number;
  readonly y: number;
  readonly heading: number;
}

interface Stretch {
  readonly start: number;
  readonly length: number;
  readonly x: number;
  readonly y: number;
  readonly heading: number;
  /** +1 a left bend, -1 a right bend, 0 straight. */
  readonly bend: number;
}

/** A closed tour with right-angled, rounded corners. */
export class Route {
  static readonly CORNER_RADIUS_M = 5;
  readonly lengthM: number;
  readonly #stretches: readonly Stretch[];

  /** corners: [x, y] in order of the drive; neighbours share x or y and are more than two radii apart. */
  constructor(corners: readonly (readonly [number, number])[]) {
    const radius = Route.CORNER_RADIUS_M;
    const stretches: Stretch[] = [];
    let at = 0;
    corners.forEach((corner, i) => {
      const next = corners[(i + 1) % corners.length]!;
      const after = corners[(i + 2) % corners.length]!;
      const quarter = quarterOf(corner, next);
      const turn = (quarterOf(next, after) - quarter + 4) & 3;
      if (turn === 2) throw new RangeError('Expected a tour without turning back');
      const length = Math.abs(next[0] - corner[0]) + Math.abs(next[1] - corner[1]) - 2 * radius;
      const east = quarter === 0 ? 1 : quarter === 2 ? -1 : 0;
      const north = quarter === 1 ? 1 : quarter === 3 ? -1 : 0;
      const heading = (quarter * Math.PI) / 2;
      const x = corner[0] + east * radius;
      const y = corner[1] + north * radius;
      stretches.push({ start: at, length, x, y, heading, bend: 0 });
      at += length;
      const bend = turn === 0 ? 0 : turn === 1 ? 1 : -1;
      const arc = bend === 0 ? 2 * radius : (radius * Math.PI) / 2;
      stretches.push({ start: at, length: arc, x: x + east * length, y: y + north * length, heading, bend });
      at += arc;
    });
    this.#stretches = stretches;
    this.lengthM = at;
  }

  /** The point after `distanceM` of the middle line (any number: the tour is a ring), `leftM` metres left of it. */
  at(distanceM: number, leftM = 0): RoutePoint {
    const along = distanceM - Math.floor(distanceM / this.lengthM) * this.lengthM;
    const stretch = this.#stretches.findLast((candidate) => candidate.start <= along)!;
    const into = along - stretch.start;
    const radius = Route.CORNER_RADIUS_M;
    const heading = stretch.heading + (stretch.bend * into) / radius;
    let { x, y } = stretch;
    if (stretch.bend === 0) {
      x += into * cosine(heading);
      y += into * sine(heading);
    } else {
      // The centre of the bend lies one radius to the left (or right) of its first point.
      x += stretch.bend * radius * (sine(heading) - sine(stretch.heading));
      y -= stretch.bend * radius * (cosine(heading) - cosine(stretch.heading));
    }
    return { x: x - leftM * sine(heading), y: y + leftM * cosine(heading), heading };
  }
}

function quarterOf(from: readonly [number, number], to: readonly [number, number]): number {
  if (to[0] > from[0]) return 0;
  if (to[1] > from[1]) return 1;
  return to[0] < from[0] ? 2 : 3;
}
