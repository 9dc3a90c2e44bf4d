/**
 * Data sets of sequences of the training pool that the default model's training holds out (models/training/data.py, which
 * names them too): the real images that a prior may be fitted on. node dist/bench/confidence/poolSets.js POOL FOLDER
 * writes FOLDER/<name>/{reference,query,ground_truth.json}.
 */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

interface PoolImage {
  readonly file: string;
  readonly group: string;
  readonly place?: string;
  readonly condition?: string;
  readonly seq?: string;
  readonly pos?: number;
  readonly floor?: string;
}

interface PoolSet {
  readonly references: readonly PoolImage[];
  readonly queries: readonly PoolImage[];
  readonly positives: readonly (readonly number[])[];
}

/** Positions of the Nordland drive from which on nothing is trained on. */
const NORDLAND_FROM = 3326;
/** Floors that look alike, of which none is trained on. */
const FLOORS = ['floor5', 'floor11', 'basement2'];

/**
 * References on either side of the right ones that are neither right nor wrong: one place to the confidence
 * (neighbourhood_places), so that an answer there says nothing about answers elsewhere.
 */
const BESIDE = 3;

function besideOf({ references, positives }: Omit<PoolSet, 'queries'>): number[][] {
  return positives.map((row) =>
    references.flatMap((_, index) =>
      !row.includes(index) && row.some((right) => Math.abs(right - index) <= BESIDE) ? [index] : [],
    ),
  );
}

/** Summer is the map, winter asks; only the very same place is right. */
function nordland(items: readonly PoolImage[]): PoolSet {
  const held = items.filter(({ group, pos }) => group === 'nordland-64x32' && pos! >= NORDLAND_FROM);
  const ofSeason = (season: string): PoolImage[] =>
    held.filter(({ condition }) => condition === season).sort((a, b) => a.pos! - b.pos!);
  const references = ofSeason('summer');
  const queries = ofSeason('winter');
  return {
    references,
    queries,
    positives: queries.map(({ place }) => [references.findIndex((r) => r.place === place)]),
  };
}

/** Clips of one building, one after the other: every second image asks, the images before and after it are right. */
function floors(items: readonly PoolImage[]): PoolSet {
  const held = items.filter(({ group, floor }) => group === 'ie-tower' && FLOORS.includes(floor!));
  const references: PoolImage[] = [];
  const queries: PoolImage[] = [];
  const positives: number[][] = [];
  for (const name of [...new Set(held.map(({ seq }) => seq!))].sort()) {
    const clip = held.filter(({ seq }) => seq === name).sort((a, b) => a.pos! - b.pos!);
    const first = references.length;
    references.push(...clip.filter((_, i) => i % 2 === 0));
    for (const [i, image] of clip.filter((_, i) => i % 2 === 1).entries()) {
      queries.push(image);
      positives.push([first + i, first + i + 1].filter((index) => index < references.length));
    }
  }
  return { references, queries, positives };
}

const [pool, folder] = process.argv.slice(2);
if (pool === undefined || folder === undefined) throw new RangeError('Expected POOL FOLDER');
const { items } = JSON.parse(readFileSync(path.join(pool, 'manifest.json'), 'utf8')) as { items: PoolImage[] };
for (const [name, set] of Object.entries({ 'pool-nordland': nordland(items), 'pool-floors': floors(items) })) {
  const target = path.join(folder, name);
  rmSync(target, { recursive: true, force: true });
  for (const side of ['reference', 'query'] as const) {
    mkdirSync(path.join(target, side), { recursive: true });
    for (const [i, { file }] of (side === 'reference' ? set.references : set.queries).entries())
      copyFileSync(path.join(pool, file), path.join(target, side, `${String(i).padStart(5, '0')}.jpg`));
  }
  writeFileSync(
    path.join(target, 'ground_truth.json'),
    JSON.stringify({ positives: set.positives, unclear: besideOf(set) }),
  );
  console.log(`${target}: ${set.references.length} references, ${set.queries.length} queries`);
}
