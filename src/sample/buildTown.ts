import { type Random, uniformNumbers } from '../core/mulberry32.js';
import { between, integerBetween, pick, seedOf } from './random.js';
import { Route } from './Route.js';
import { EAST, GROUND, NORTH, SOUTH, Town, WEST, type Side } from './Town.js';

export interface TownOptions {
  /** Any integer. */
  readonly seed: number;
  /** The round tour through the town is at least this long. */
  readonly routeM: number;
  /** Metres of the street that look alike at two places; 0: none. */
  readonly aliasedM: number;
}

/** A street: the coordinate of its middle, half its width from wall to wall, half the roadway. */
interface Street {
  readonly centre: number;
  readonly half: number;
  readonly road: number;
}

/** One stretch of a block's edge with one building (or a gap) on it. */
interface Lot {
  readonly start: number;
  readonly length: number;
  readonly seed: number;
  readonly aliased: boolean;
}

/** Where along the tour two stretches look alike: metres from the start of the tour, [start, end] each. */
export type AliasedStretches = readonly [readonly [number, number], readonly [number, number]];

export interface TownAndRoute {
  readonly town: Town;
  readonly route: Route;
  readonly aliased?: AliasedStretches;
}

const BLOCK_DEPTH_M = 11;

/** What one edge of a block is like: streets of a town differ at large before they differ in detail. */
interface Character {
  readonly heightM: readonly [number, number];
  /** Chance of a lot without a building. */
  readonly gaps: number;
  /** Trees on a lot's sidewalk, on average. */
  readonly trees: number;
  readonly setbackM: number;
}

const MIXED: Character = { heightM: [4.5, 20], gaps: 0.1, trees: 0.6, setbackM: 2 };
const CHARACTERS: readonly Character[] = [
  MIXED,
  { heightM: [4, 6.5], gaps: 0.12, trees: 0.2, setbackM: 3 },
  { heightM: [8, 12], gaps: 0.05, trees: 1.6, setbackM: 1 },
  { heightM: [15, 27], gaps: 0.08, trees: 0.3, setbackM: 0 },
  { heightM: [4, 9], gaps: 0.75, trees: 1.2, setbackM: 3 },
  { heightM: [11, 14], gaps: 0, trees: 0, setbackM: 0 },
];

/**
 * Lays out a town of streets at right angles with its buildings, trees and ground, and a closed tour through it.
 * The same options give the same town on every machine.
 */
export function buildTown({ seed, routeM, aliasedM }: TownOptions): TownAndRoute {
  const random = uniformNumbers(seedOf(seed, 1));
  const skyline = chooseTour(random, routeM);
  const columns = skyline.length + 2;
  const rows = Math.max(...skyline) + 2;
  const xs = placeStreets(random, columns);
  const ys = placeStreets(random, rows);
  const end = (streets: readonly Street[]): number => streets.at(-1)!.centre + streets.at(-1)!.half + 2;
  const town = new Town(seed, end(xs), end(ys));
  paintStreets(town, random, xs, ys);
  // The tour runs east along the street below the first row of inner blocks; two blocks there share a stretch.
  const aliasedSeed = seedOf(seed, 77);
  for (let column = 0; column < columns; column++) {
    for (let row = 0; row < rows; row++) {
      const shares = aliasedM > 0 && (column === 1 || column === 2);
      const stretch = (side: Side): number | undefined =>
        shares && ((row === 1 && side === SOUTH) || (row === 0 && side === NORTH))
          ? seedOf(aliasedSeed, side)
          : undefined;
      buildBlock(town, xs, ys, column, row, seedOf(seed, 2, column, row), aliasedM, stretch);
    }
  }
  const route = new Route(tourCorners(skyline, xs, ys));
  if (aliasedM <= 0) return { town, route };
  const stretchOf = (column: number): readonly [number, number] => {
    const first = xs[column]!.centre + xs[column]!.half + aliasedStart(xs, column, aliasedM);
    const start = first - xs[1]!.centre - Route.CORNER_RADIUS_M;
    return [start, start + aliasedM];
  };
  return { town, route, aliased: [stretchOf(1), stretchOf(2)] };
}

/** Heights, in blocks, of the columns that the tour encloses; its outline is at least routeM long. */
function chooseTour(random: Random, routeM: number): number[] {
  // 56 m is the shortest block with its street, and a rounded corner cuts off 2 m.
  const edges = Math.ceil(routeM / 54);
  const heights = [integerBetween(random, 1, 2), integerBetween(random, 1, 2)];
  const outline = (): number =>
    2 * heights.length +
    heights[0]! +
    heights.at(-1)! +
    heights.slice(1).reduce((sum, height, i) => sum + Math.abs(height - heights[i]!), 0);
  while (outline() < edges) {
    // Tall neighbours of low columns make long winding tours on little ground.
    if (random() < 0.6) heights.push(integerBetween(random, 1, 5));
    else heights[integerBetween(random, 0, heights.length - 1)]! += 1;
  }
  return heights;
}

function placeStreets(random: Random, blocks: number): Street[] {
  const streets: Street[] = [];
  let centre = 10;
  for (let i = 0; i <= blocks; i++) {
    const half = integerBetween(random, 6, 9);
    streets.push({ centre, half, road: half - between(random, 2, 3.25) });
    centre += integerBetween(random, 56, 74);
  }
  return streets;
}

function tourCorners(skyline: readonly number[], xs: readonly Street[], ys: readonly Street[]): [number, number][] {
  const x = (i: number): number => xs[i]!.centre;
  const y = (i: number): number => ys[i]!.centre;
  const corners: [number, number][] = [
    [x(1), y(1)],
    [x(skyline.length + 1), y(1)],
  ];
  for (let column = skyline.length; column >= 1; column--) {
    const top = y(1 + skyline[column - 1]!);
    const before = corners.at(-1)!;
    if (before[1] !== top) corners.push([before[0], top]);
    const next = skyline[column - 2];
    if (column === 1 || next !== skyline[column - 1]) corners.push([x(column), top]);
  }
  return corners;
}

function paintStreets(town: Town, random: Random, xs: readonly Street[], ys: readonly Street[]): void {
  const { widthM, heightM } = town;
  for (const { centre, half } of xs) town.paintGround(centre - half, 0, centre + half, heightM, GROUND.sidewalk);
  for (const { centre, half } of ys) town.paintGround(0, centre - half, widthM, centre + half, GROUND.sidewalk);
  for (const extra of [0.25, 0]) {
    const value = extra > 0 ? GROUND.kerb : GROUND.road;
    for (const { centre, road } of xs)
      town.paintGround(centre - road - extra, 0, centre + road + extra, heightM, value);
    for (const { centre, road } of ys) town.paintGround(0, centre - road - extra, widthM, centre + road + extra, value);
  }
  for (let spots = (widthM * heightM) / 60; spots > 0; spots--) {
    const x = random() * widthM;
    const y = random() * heightM;
    const metal = random() < 0.3;
    const wide = metal ? 0.75 : between(random, 0.5, 4);
    const long = metal ? 0.75 : between(random, 0.5, 4);
    const under = town.ground[Math.floor(y * 4) * widthM * 4 + Math.floor(x * 4)];
    if (under === GROUND.road) town.paintGround(x, y, x + wide, y + long, metal ? GROUND.metal : GROUND.patch);
    else if (under === GROUND.sidewalk && !metal) town.paintGround(x, y, x + wide, y + 0.75, GROUND.paving);
  }
  for (const x of xs) {
    for (const y of ys) {
      town.paintGround(x.centre - x.road, y.centre - y.road, x.centre + x.road, y.centre + y.road, GROUND.road);
      for (const direction of [-1, 1]) {
        if (random() < 0.5)
          for (let at = -y.road + 0.25; at < y.road - 0.5; at += 1)
            strip(town, x.centre + direction * (x.half + 0.5), y.centre + at, direction * 2.5, 0.5);
        if (random() < 0.5)
          for (let at = -x.road + 0.25; at < x.road - 0.5; at += 1)
            strip(town, x.centre + at, y.centre + direction * (y.half + 0.5), 0.5, direction * 2.5);
      }
    }
  }
  const dashes = (crossing: readonly Street[], paint: (start: number, end: number) => void): void => {
    for (let i = 0; i + 1 < crossing.length; i++)
      for (let at = crossing[i]!.centre + 11; at + 3 < crossing[i + 1]!.centre - 10; at += 6) paint(at, at + 3);
  };
  for (const { centre } of xs)
    dashes(ys, (start, end) => town.paintGround(centre - 0.125, start, centre + 0.125, end, GROUND.paint));
  for (const { centre } of ys)
    dashes(xs, (start, end) => town.paintGround(start, centre - 0.125, end, centre + 0.125, GROUND.paint));
}

/** A painted rectangle whose sides may be given backwards. */
function strip(town: Town, x: number, y: number, width: number, height: number): void {
  town.paintGround(
    Math.min(x, x + width),
    Math.min(y, y + height),
    Math.max(x, x + width),
    Math.max(y, y + height),
    GROUND.paint,
  );
}

function aliasedStart(xs: readonly Street[], column: number, aliasedM: number): number {
  const length = xs[column + 1]!.centre - xs[column + 1]!.half - xs[column]!.centre - xs[column]!.half;
  return Math.max(8, Math.floor((length - aliasedM) / 2));
}

function buildBlock(
  town: Town,
  xs: readonly Street[],
  ys: readonly Street[],
  column: number,
  row: number,
  seed: number,
  aliasedM: number,
  stretch: (side: Side) => number | undefined,
): void {
  const west = xs[column]!.centre + xs[column]!.half;
  const east = xs[column + 1]!.centre - xs[column + 1]!.half;
  const south = ys[row]!.centre + ys[row]!.half;
  const north = ys[row + 1]!.centre - ys[row + 1]!.half;
  const inset = { [SOUTH]: 0, [NORTH]: 0, [EAST]: BLOCK_DEPTH_M, [WEST]: BLOCK_DEPTH_M };
  for (const side of [SOUTH, EAST, NORTH, WEST] as const) {
    const alongX = side === SOUTH || side === NORTH;
    const length = (alongX ? east - west : north - south) - 2 * inset[side];
    const character = pick(uniformNumbers(seedOf(seed, side, 3)), CHARACTERS);
    const lots = divide(length, seedOf(seed, side), aliasedM, stretch(side), aliasedStart(xs, column, aliasedM));
    lots.forEach((lot, index) => {
      const random = uniformNumbers(seedOf(lot.seed, 5));
      const corner = alongX && (index === 0 || index === lots.length - 1);
      const { heightM, gaps, trees, setbackM } = lot.aliased ? MIXED : character;
      const setback = corner || random() < 0.6 ? 0 : integerBetween(random, 0, setbackM);
      const depth = BLOCK_DEPTH_M - setback;
      const start = lot.start + inset[side];
      const box = alongX
        ? { x0: west + start, x1: west + start + lot.length, y0: south, y1: north }
        : { x0: west, x1: east, y0: south + start, y1: south + start + lot.length };
      if (side === SOUTH) Object.assign(box, { y0: south + setback, y1: south + setback + depth });
      else if (side === NORTH) Object.assign(box, { y0: north - setback - depth, y1: north - setback });
      else if (side === WEST) Object.assign(box, { x0: west + setback, x1: west + setback + depth });
      else Object.assign(box, { x0: east - setback - depth, x1: east - setback });
      const gap = !corner && !lot.aliased && random() < gaps;
      if (!gap)
        town.addBuilding({
          ...box,
          heightM: between(random, heightM[0], heightM[1]),
          seed: lot.seed,
          street: [box.y0 === south, box.x1 === east, box.y1 === north, box.x0 === west].map(
            (touches, face) => touches || face === side,
          ) as [boolean, boolean, boolean, boolean],
        });
      furnish(town, random, side, { west, east, south, north }, start, lot.length, gap, trees);
    });
  }
}

/** Cuts an edge of a block into lots; with `stretch`, a run in its middle follows from that seed alone. */
function divide(length: number, seed: number, aliasedM: number, stretch: number | undefined, aliasedAt: number): Lot[] {
  const lots: Lot[] = [];
  const cut = (start: number, end: number, random: Random, aliased: boolean): void => {
    for (let at = start; at < end;) {
      const wanted = integerBetween(random, 7, 15);
      const size = end - at - wanted < 6 ? end - at : wanted;
      lots.push({ start: at, length: size, seed: Math.floor(random() * 4294967296), aliased });
      at += size;
    }
  };
  const random = uniformNumbers(seed);
  if (stretch === undefined) {
    cut(0, length, random, false);
  } else {
    cut(0, aliasedAt, random, false);
    cut(aliasedAt, Math.min(length, aliasedAt + aliasedM), uniformNumbers(stretch), true);
    cut(Math.min(length, aliasedAt + aliasedM), length, random, false);
  }
  return lots;
}

/** Puts trees, lamps and signs on the sidewalk before a lot, and a small green where the lot is empty. */
function furnish(
  town: Town,
  random: Random,
  side: Side,
  block: { readonly west: number; readonly east: number; readonly south: number; readonly north: number },
  start: number,
  length: number,
  gap: boolean,
  trees: number,
): void {
  const place = (kind: 'tree' | 'lamp' | 'sign', along: number, out: number): void => {
    const x = side === WEST ? block.west - out : side === EAST ? block.east + out : block.west + start + along;
    const y = side === SOUTH ? block.south - out : side === NORTH ? block.north + out : block.south + start + along;
    town.props.push({ kind, x, y, seed: Math.floor(random() * 4294967296) });
  };
  for (let wanted = trees; random() < wanted; wanted--) place('tree', between(random, 1, length - 1), 1.4);
  if (random() < 0.4) place('lamp', between(random, 0, length), 1.7);
  if (random() < 0.35) place('sign', between(random, 0, length), between(random, 0.6, 1.6));
  if (gap)
    for (let count = integerBetween(random, 2, 4); count > 0; count--)
      place('tree', between(random, 1, length - 1), -between(random, 2, 9));
}
