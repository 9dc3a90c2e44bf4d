import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { playWorld } from '../../src/cli/tuning/playWorld.js';
import type { TuningWorld } from '../../src/cli/tuning/TuningWorld.js';
import { drivenTuningWorld, verdictByPoses, type DescribedDrive } from '../../src/cli/tuning/tuningWorlds.js';
import { PlaceMap } from '../../src/map/PlaceMap.js';
import { storedReferences } from '../../src/map/storedReferences.js';
import { combineMaps } from '../../src/mapping/combineMaps.js';
import { newMapMeta } from '../../src/worker/openMap.js';
import { FOURTH_SEASON, SEASON_SEEDS, seasonDrives, SEASONS } from './drives.js';
import { answersOf, rounded, RULE, type Study } from './openStudy.js';

function writeMap(file: string, world: TuningWorld, { library }: Study): void {
  const map = PlaceMap.create(file, newMapMeta(library.model, { storage: 'f16', mapFrame: 'map' }));
  map.beginSession(world.name, 'rendered');
  map.appendReferences(world.references);
  map.close();
}

/** The world again, with the references of a map file. */
function worldOf(file: string, asked: DescribedDrive, name: string): TuningWorld {
  const map = PlaceMap.open(file, 'read');
  try {
    const references = Array.from(storedReferences(map), (reference) => ({ ...reference, pose: reference.pose! }));
    return {
      name,
      dimension: map.dimension,
      references,
      queries: asked.pictures,
      verdict: (query, reference) => verdictByPoses(asked.truths[query]!, references[reference]!.pose, RULE),
    };
  } finally {
    map.close();
  }
}

/** R@1 of a drive in a fourth light against each map of one light, and against the three merged by `map merge`. */
export async function studySeasons(study: Study) {
  const { library, settings, confidence } = study;
  const right = new Map<string, { single: number; filtered: number; queries: number; references: number }>();
  const folder = mkdtempSync(path.join(tmpdir(), 'vpr-seasons-'));
  const ask = async (name: string, world: TuningWorld): Promise<void> => {
    const play = await playWorld(world, { settings, confidence });
    const rightOf = (kind: 'single' | 'temporal'): number =>
      answersOf([play], kind, confidence).filter(({ correct }) => correct).length;
    const sum = right.get(name) ?? { single: 0, filtered: 0, queries: 0, references: 0 };
    right.set(name, {
      single: sum.single + rightOf('single'),
      filtered: sum.filtered + rightOf('temporal'),
      queries: sum.queries + play.images.filter(({ truth }) => truth === 'shown').length,
      references: sum.references + world.references.length,
    });
  };
  try {
    for (const seed of SEASON_SEEDS) {
      const { maps, asked } = seasonDrives(seed);
      const driven = await library.drive(asked);
      const files: string[] = [];
      for (const [i, drive] of maps.entries()) {
        const mapped = await library.drive(drive);
        const world = drivenTuningWorld(`town ${seed}`, library.dimension, { mapped, driven, rule: RULE });
        const file = path.join(folder, `${seed}-${i}.vprmap`);
        writeMap(file, world, study);
        files.push(file);
        await ask(SEASONS[i]!, worldOf(file, driven, `town ${seed}`));
      }
      for (const [name, maxPerPlace] of [
        ['merged', undefined],
        ['merged, 2 references a place', 2],
      ] as const) {
        const merged = path.join(folder, `${seed}-${name}.vprmap`);
        combineMaps(
          files.map((file) => ({ file })),
          merged,
          {
            associate: { pose: { distanceM: 2, angleRad: Math.PI / 4 } },
            target: 'new',
            ...(maxPerPlace === undefined ? {} : { maxPerPlace }),
          },
        );
        await ask(name, worldOf(merged, driven, `town ${seed}`));
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return {
    asked: FOURTH_SEASON,
    maps: Object.fromEntries(
      Array.from(right, ([name, { single, filtered, queries, references }]) => [
        name,
        { references, queries, recallAt1: rounded(single / queries), recallAt1Filtered: rounded(filtered / queries) },
      ]),
    ),
  };
}
