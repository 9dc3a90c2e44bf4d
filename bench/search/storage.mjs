/**
 * What f16 and int8 rows cost: the re-rank of the same shortlists with each storage.
 *
 *   npm run build && node bench/search/storage.mjs [--sets ../shared/data/sets] [--models models/default,...] [--write]
 *
 * Made-up places seen under noise, all of them on the shortlist; with --sets also every set in the folder (reference/,
 * query/, ground_truth.json) by every model, shortlists of 100. --write: into src/hamming/README.md.
 * Recall@1: the best reference shows the query's place. Same best, same order: as with f32 rows. Kendall: agreement of the
 * order of the 10 best of f32 rows, 1 for the same order.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { uniformNumbers } from '../../dist/src/core/mulberry32.js';
import { readNpy } from '../../dist/src/core/npy.js';
import { createPlaceSearch } from '../../dist/src/search/createPlaceSearch.js';

const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const K = 10;
const { values } = parseArgs({
  options: {
    sets: { type: 'string' },
    models: { type: 'string', default: path.join(ROOT, 'models', 'default') },
    write: { type: 'boolean', default: false },
  },
});

const lines = [];
function print(line) {
  lines.push(line);
  console.log(line);
}

/** Places on a road: each shares most of its descriptor with the one before, so that neighbours are hard to tell apart. */
function madeUp(dimension) {
  const [places, queryCount] = [2000, 200];
  // Norm of the noise on a query, whose descriptor has norm 1: so much that f32 rows lose some queries too.
  const noise = 6;
  const uniform = uniformNumbers(1);
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const unit = (row) => {
    const norm = Math.hypot(...row);
    return row.map((value) => value / norm);
  };
  const rows = new Float32Array(places * dimension);
  let row = unit(Float32Array.from({ length: dimension }, normal));
  for (let place = 0; place < places; place++) {
    row = unit(row.map((value) => value + (0.35 * normal()) / Math.sqrt(dimension)));
    rows.set(row, place * dimension);
  }
  const truth = Array.from({ length: queryCount }, () => Math.floor(uniform() * places));
  const queries = new Float32Array(queryCount * dimension);
  truth.forEach((place, q) =>
    queries.set(
      unit(
        rows
          .slice(place * dimension, (place + 1) * dimension)
          .map((value) => value + (noise * normal()) / Math.sqrt(dimension)),
      ),
      q * dimension,
    ),
  );
  return {
    name: 'made-up',
    dimension,
    rows,
    codes: new Uint8Array(places * 64),
    queries,
    queryCodes: new Uint8Array(queryCount * 64),
    shortlist: places,
    positives: truth.map((place) => [place]),
  };
}

function realSet(set, model) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-storage-'));
  try {
    const vpr = path.join(ROOT, 'bin', 'vpr.mjs');
    const summary = JSON.parse(
      execFileSync(process.execPath, [vpr, 'eval', set, '--model', model, '--export', folder, '--json'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    );
    const load = (name) => readNpy(readFileSync(path.join(folder, `${name}.npy`)), name).data;
    return {
      name: `${path.basename(set)}, ${summary.model.name}`,
      dimension: summary.model.descriptorDimension,
      rows: load('reference_descriptors'),
      codes: load('reference_codes'),
      queries: load('query_descriptors'),
      queryCodes: load('query_codes'),
      shortlist: 100,
      positives: JSON.parse(readFileSync(path.join(set, 'ground_truth.json'), 'utf8')).positives,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Kendall's tau of the order that `similarity` gives to `ids`, which are in the order wanted. */
function kendall(ids, found) {
  const rank = new Map(Array.from(found, (id, i) => [id, i]));
  const at = Array.from(ids, (id) => rank.get(id) ?? Infinity);
  let agreement = 0;
  for (let i = 0; i < at.length; i++) for (let j = i + 1; j < at.length; j++) agreement += at[i] < at[j] ? 1 : -1;
  return at.length < 2 ? 1 : agreement / ((at.length * (at.length - 1)) / 2);
}

async function measure({ name, dimension: d, rows, codes, queries, queryCodes, shortlist, positives }) {
  const n = rows.length / d;
  const store = {
    dimension: d,
    readDescriptors: (ids, out) => ids.forEach((id, i) => out.set(rows.subarray((id - 1) * d, id * d), i * d)),
  };
  let exact;
  for (const cacheStorage of ['f32', 'f16', 'int8']) {
    const search = createPlaceSearch({ store, cacheStorage, threads: 1 });
    search.addBlock(
      Uint32Array.from({ length: n }, (_, i) => i + 1),
      codes,
    );
    const found = search.searchBatch(queryCodes, queries, { k: K, shortlist: Math.max(K, shortlist) });
    await search.close();
    exact ??= found;
    const part = (list, test) => {
      const chosen = list.filter((_, q) => positives[q].length > 0);
      return `${((100 * chosen.filter(test).length) / chosen.length).toFixed(1)} %`;
    };
    let error = 0;
    found.forEach(({ referenceIds, similarity }, q) =>
      referenceIds.forEach((id, i) => {
        let sum = 0;
        for (let j = 0; j < d; j++) sum += queries[q * d + j] * rows[(id - 1) * d + j];
        error = Math.max(error, Math.abs(sum - similarity[i]));
      }),
    );
    const all = found.map(({ referenceIds }, q) => ({ ids: referenceIds, wanted: exact[q].referenceIds, q }));
    const tau = all.reduce((sum, { ids, wanted }) => sum + kendall(wanted, ids), 0) / all.length;
    print(
      `| ${name} | ${d} | ${cacheStorage} | ${part(all, ({ ids, q }) => positives[q].includes(ids[0] - 1))} | ` +
        `${part(all, ({ ids, wanted }) => ids[0] === wanted[0])} | ${part(all, ({ ids, wanted }) => ids.join() === wanted.join())} | ` +
        `${tau.toFixed(4)} | ${error.toExponential(1)} |`,
    );
  }
}

print(
  '| places | D | rows | recall@1 | same best | same top 10 in order | Kendall of the top 10 | largest error of a similarity |',
);
print('| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |');
for (const dimension of [512, 2048, 4096]) await measure(madeUp(dimension));
if (values.sets !== undefined)
  for (const set of readdirSync(values.sets))
    for (const model of values.models.split(',')) await measure(realSet(path.join(values.sets, set), model));
if (values.write) {
  const readme = path.join(ROOT, 'src', 'hamming', 'README.md');
  const text = readFileSync(readme, 'utf8');
  const marked = /<!-- bench:storage -->[\s\S]*<!-- \/bench:storage -->/;
  if (!marked.test(text)) throw new Error('src/hamming/README.md has no <!-- bench:storage --> markers');
  writeFileSync(
    readme,
    text.replace(marked, () => `<!-- bench:storage -->\n${lines.join('\n')}\n<!-- /bench:storage -->`),
  );
}
