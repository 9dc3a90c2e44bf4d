/**
 * node dist/bench/peers/distractors.js SETS POOL MODEL: two-stage R@1 by shortlist, exact float search and the code alone, with
 * the pool's first 12,000 images among the references of each set; with the codes that `vpr map build` would fit to that map,
 * and with the model's own. Prints one JSON array.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { openImageSource } from '../../src/bag/openImageSource.js';
import { describeSource, type DescribedSource } from '../../src/cli/describeSource.js';
import { CODE_BYTES } from '../../src/core/binaryCode.js';
import { encodeAll, fitMapCode, sampleRows } from '../../src/cli/mapCode.js';
import { rankReferences } from '../../src/cli/rankReferences.js';
import { parseGroundTruth } from '../../src/evaluation/groundTruth.js';
import { recallAtN } from '../../src/evaluation/recallAtN.js';
import { openModel } from '../../src/inference/openModel.js';
import { describeImage } from '../../src/worker/describeImage.js';

const DISTRACTORS = 12_000;
const SHORTLISTS = [10, 20, 50, 100, 200];
const SILENT = { update: () => undefined, end: () => undefined };

const [sets, pool, modelPath] = process.argv.slice(2);
if (sets === undefined || pool === undefined || modelPath === undefined)
  throw new RangeError('Expected SETS POOL MODEL');
const { extractor } = await openModel(modelPath);
const { items } = JSON.parse(readFileSync(path.join(pool, 'manifest.json'), 'utf8')) as { items: { file: string }[] };
const distractors: { descriptor: Float32Array; code: Uint8Array }[] = [];
for (const [i, { file }] of items.slice(0, DISTRACTORS).entries()) {
  const image = { kind: 'compressed', format: '', data: readFileSync(path.join(pool, file)) } as const;
  const { descriptor, code } = await describeImage(
    { image, camera: 'pool', frameId: '', stampNs: BigInt(i), name: file },
    extractor,
  );
  distractors.push({ descriptor, code });
}

/** The references of a set, then the distractors. */
function amongDistractors(references: DescribedSource): DescribedSource {
  const { dimension, images } = references;
  const all = images.length + distractors.length;
  const descriptors = new Float32Array(all * dimension);
  const codes = new Uint8Array(all * CODE_BYTES);
  descriptors.set(references.descriptors);
  codes.set(references.codes);
  distractors.forEach(({ descriptor, code }, i) => {
    descriptors.set(descriptor, (images.length + i) * dimension);
    codes.set(code, (images.length + i) * CODE_BYTES);
  });
  const strangers = distractors.map((_, i) => ({ position: images.length + i, name: `distractor ${i}` }));
  return { ...references, descriptors, codes, images: [...images, ...strangers] };
}

const table: object[] = [];
for (const set of readdirSync(sets).sort()) {
  const described = async (side: string): Promise<DescribedSource> =>
    describeSource(await openImageSource(path.join(sets, set, side)), extractor, SILENT);
  const [alone, queries] = [await described('reference'), await described('query')];
  const file = path.join(sets, set, 'ground_truth.json');
  const truth = parseGroundTruth(readFileSync(file, 'utf8'), queries.count, alone.count, file);
  const references = amongDistractors(alone);
  const { dimension } = references;
  const fitted = await fitMapCode(sampleRows(references.descriptors, dimension), dimension);
  const recoded = (side: DescribedSource): DescribedSource => ({
    ...side,
    codes: encodeAll(side.descriptors, dimension, fitted),
  });
  for (const [codes, asked, map] of [
    ['map', recoded(queries), recoded(references)],
    ['model', queries, references],
  ] as const) {
    const twoStage: Record<string, number> = {};
    let [exact, code] = [NaN, NaN];
    for (const shortlist of SHORTLISTS) {
      const rankings = await rankReferences(map, asked, { k: 1, shortlist });
      const r1 = (kind: 'twoStage' | 'exact' | 'hash'): number =>
        recallAtN(
          rankings.map((ranking) => ranking[kind]),
          truth,
          [1],
        )['1']!;
      twoStage[String(shortlist)] = r1('twoStage');
      [exact, code] = [r1('exact'), r1('hash')];
    }
    table.push({ set, codes, references: references.images.length, queries: queries.count, twoStage, exact, code });
  }
}
console.log(JSON.stringify(table));
await extractor.close();
