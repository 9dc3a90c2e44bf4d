import { SampleDrive, traversePair, type SampleDriveOptions } from '../../src/cli/tuning/SampleDrive.js';
import { buildTown } from '../../src/sample/buildTown.js';
import { SAMPLE_CONDITIONS, type SampleConditionName } from '../../src/sample/SampleCondition.js';

const CONDITIONS = Object.keys(SAMPLE_CONDITIONS) as SampleConditionName[];
const FRAMES = 150;
const TOWN = { routeM: 2 * FRAMES, aliasedM: 24 } as const;

function seeds(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

/** The condition of the n-th world's queries: all in turn. */
export function conditionOf(n: number): SampleConditionName {
  return CONDITIONS[n % CONDITIONS.length]!;
}

/** Worlds of the prior: nothing is judged on them, and no network is trained on them. */
export const FITTED_SEEDS = seeds(5000, 18);
/** Calibration, open set, recall at precision: 14 worlds, 2,100 queries. */
export const JUDGED_SEEDS = seeds(0, 14);
/** Drives that close a loop in one session. */
export const LOOP_SEEDS = seeds(20, 10);
/** Drives through both look-alike stretches. */
export const CORRIDOR_SEEDS = seeds(40, 10);
/** Worlds that are mapped in three lights and asked in a fourth. */
export const SEASON_SEEDS = seeds(60, 3);
export const SEASONS = ['day', 'dusk', 'winter'] as const;
export const FOURTH_SEASON: SampleConditionName = 'overcast';

/** Mapping drive and query drive of the n-th world of a list. */
export function pairOf(seed: number, n: number): readonly [SampleDriveOptions, SampleDriveOptions] {
  return traversePair(seed, conditionOf(n), FRAMES);
}

/** One and a third laps of the tour in one light, 2.5 m a picture. */
export function loopDrive(seed: number): SampleDriveOptions {
  const { route } = buildTown({ seed, ...TOWN });
  const spacingM = 2.5;
  const frames = Math.ceil((1.35 * route.lengthM) / spacingM);
  return { seed, number: 0, condition: 'day', frames, spacingM, leftM: -1.5, ...TOWN };
}

/** Where the two look-alike stretches of a town lie, metres along the tour. */
export function aliasedStretches(seed: number): readonly [readonly [number, number], readonly [number, number]] {
  const { aliased } = buildTown({ seed, ...TOWN });
  if (aliased === undefined) throw new Error('Expected a town with look-alike stretches');
  return aliased;
}

/** Map of the street with both look-alike stretches, and 200 pictures of a slow drive along it. */
export function corridorDrives(seed: number, n: number): readonly [SampleDriveOptions, SampleDriveOptions] {
  const lengthM = aliasedStretches(seed)[1][1] + 10;
  return [
    { seed, number: 0, condition: 'day', frames: Math.ceil(lengthM / 2), leftM: -1.5, ...TOWN },
    { seed, number: 1, condition: conditionOf(n), frames: 200, spacingM: lengthM / 200, leftM: 0.5, ...TOWN },
  ];
}

/** Mapping drives in the three lights, and the drive of the fourth. */
export function seasonDrives(seed: number): { maps: SampleDriveOptions[]; asked: SampleDriveOptions } {
  const common = { seed, frames: FRAMES, ...TOWN };
  return {
    maps: SEASONS.map((condition, i) => ({ ...common, number: i, condition, leftM: -1.5 + i })),
    asked: { ...common, number: 3, condition: FOURTH_SEASON, leftM: 0 },
  };
}

export function fittingDrives(): SampleDriveOptions[] {
  return FITTED_SEEDS.flatMap((seed, n) => pairOf(seed, n));
}

export function judgingDrives(): SampleDriveOptions[] {
  return [
    ...JUDGED_SEEDS.flatMap((seed, n) => pairOf(seed, n)),
    ...LOOP_SEEDS.map(loopDrive),
    ...CORRIDOR_SEEDS.flatMap((seed, n) => corridorDrives(seed, n)),
    ...SEASON_SEEDS.flatMap((seed) => {
      const { maps, asked } = seasonDrives(seed);
      return [...maps, asked];
    }),
  ];
}

/** Pictures of a drive, kept in the folder. */
export function openDrive(options: SampleDriveOptions, pictures: string): SampleDrive {
  return new SampleDrive(options, pictures);
}
