/**
 * Ways to fit the prior, judged on what they were not fitted on: node dist/bench/confidence/priorVariants.js MODEL [CACHE]
 * after fit_prior.sh (which makes the pool's sets). Each third of the towns, and each of the pool's sequences, is left
 * out in turn. Prints one line for each way and domain: with the temporal filter.
 */
import path from 'node:path';
import { fitSigned, gatherEvidence, labelled, scoreOf, type Labelled } from '../../src/cli/tuning/fitConfidence.js';
import type { TuningWorld } from '../../src/cli/tuning/TuningWorld.js';
import { drivenTuningWorld } from '../../src/cli/tuning/tuningWorlds.js';
import { calibrationError } from '../../src/evaluation/calibrationError.js';
import { precisionRecall } from '../../src/evaluation/precisionRecall.js';
import { FITTED_SEEDS, pairOf } from './drives.js';
import { openStudy, RULE } from './openStudy.js';

const POOL = ['pool-nordland', 'pool-floors'] as const;
const PARTS = 3;

const [modelPath, cache = '.cache'] = process.argv.slice(2);
if (modelPath === undefined) throw new RangeError('Expected MODEL [CACHE]');
const { library, settings } = await openStudy(modelPath, cache);
const worlds: TuningWorld[] = [];
const partOf = new Map<string, string>();
for (const [n, seed] of FITTED_SEEDS.entries()) {
  const [mapping, driving] = pairOf(seed, n);
  const drives = { mapped: await library.drive(mapping), driven: await library.drive(driving), rule: RULE };
  const name = `town ${seed}`;
  partOf.set(name, `towns ${n % PARTS}`);
  worlds.push(drivenTuningWorld(name, library.dimension, drives));
}
for (const name of POOL) {
  partOf.set(name, name);
  worlds.push(await library.set(path.join(cache, 'sets', name)));
}
const data = labelled((await gatherEvidence(worlds, settings)).own, 'temporal');
const domainOf = ({ world }: Labelled): string => partOf.get(world)!.split(' ')[0]!;

/** Every domain weighs the same, however many answers it has. */
function balanced(items: readonly Labelled[]): Labelled[] {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(domainOf(item), (counts.get(domainOf(item)) ?? 0) + 1);
  return items.map((item) => ({ ...item, weight: items.length / counts.size / counts.get(domainOf(item))! }));
}

const WAYS: Readonly<Record<string, (items: readonly Labelled[]) => Float64Array>> = {
  'all inputs': (items) => fitSigned(items, new Set()),
  'without similarity': (items) => fitSigned(items, new Set(['similarity'])),
  'domains of equal weight': (items) => fitSigned(balanced(items), new Set()),
  both: (items) => fitSigned(balanced(items), new Set(['similarity'])),
};
console.log('| fit | judged on | R@100P | R@99P | AUC | ECE | Brier |\n| --- | --- | --- | --- | --- | --- | --- |');
for (const [way, fit] of Object.entries(WAYS)) {
  const claims = new Map<string, { score: number; correct: boolean; answerable: boolean }[]>();
  for (const part of new Set(partOf.values())) {
    const weights = fit(data.filter(({ world }) => partOf.get(world) !== part));
    for (const item of data.filter(({ world }) => partOf.get(world) === part)) {
      const claim = { score: scoreOf(weights, item.features), correct: item.right, answerable: item.shown };
      const domain = domainOf(item);
      if (!claims.has(domain)) claims.set(domain, []);
      claims.get(domain)!.push(claim);
    }
  }
  for (const [domain, items] of claims) {
    const { recallAt100Precision, recallAt99Precision, areaUnderCurve } = precisionRecall(items);
    const { expectedCalibrationError, brier } = calibrationError(
      items.map(({ score, correct }) => ({ confidence: score, correct })),
    );
    const cells = [recallAt100Precision, recallAt99Precision, areaUnderCurve, expectedCalibrationError, brier];
    console.log(`| ${way} | ${domain} | ${cells.map((value) => value.toFixed(3)).join(' | ')} |`);
  }
}
await library.model.extractor.close();
