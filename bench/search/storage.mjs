/**
 * What f16 and int8 rows cost: the re-rank of the same shortlists with each storage, on places seen under noise.
 *
 *   npm run build && node bench/search/storage.mjs
 *
 * Recall@1: the best reference is the query's own place. Same best / same order: as with f32 rows, bit for bit.
 */
import { createPlaceSearch } from '../../dist/src/search/createPlaceSearch.js';

const [PLACES, QUERIES, K] = [2000, 200, 10];
/** Norm of the noise on a query, whose descriptor has norm 1: so much that f32 rows lose some queries too. */
const NOISE = 6;

let state = 1;
const uniform = () => {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
};
const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
const unit = (row) => {
  const norm = Math.hypot(...row);
  return row.map((value) => value / norm);
};

console.log('| D | rows | recall@1 | same best | same top 10 in order | largest error of a similarity |');
console.log('| ---: | --- | ---: | ---: | ---: | ---: |');
for (const dimension of [512, 2048, 4096]) {
  // Places on a road: each shares most of its descriptor with the one before, so that neighbours are hard to tell apart.
  const rows = new Float32Array(PLACES * dimension);
  let row = unit(Float32Array.from({ length: dimension }, normal));
  for (let place = 0; place < PLACES; place++) {
    row = unit(row.map((value) => value + (0.35 * normal()) / Math.sqrt(dimension)));
    rows.set(row, place * dimension);
  }
  const store = {
    dimension,
    readDescriptors: (ids, out) =>
      ids.forEach((id, i) => out.set(rows.subarray((id - 1) * dimension, id * dimension), i * dimension)),
  };
  const truth = Array.from({ length: QUERIES }, () => Math.floor(uniform() * PLACES));
  const queries = truth.map((place) =>
    unit(
      rows
        .slice(place * dimension, (place + 1) * dimension)
        .map((value) => value + (NOISE * normal()) / Math.sqrt(dimension)),
    ),
  );
  let exact;
  for (const cacheStorage of ['f32', 'f16', 'int8']) {
    const search = createPlaceSearch({ store, cacheStorage, threads: 1 });
    search.addBlock(
      Uint32Array.from({ length: PLACES }, (_, i) => i + 1),
      new Uint8Array(PLACES * 64),
    );
    const found = queries.map((query) => search.search(new Uint8Array(64), query, { k: K, shortlist: PLACES }));
    await search.close();
    exact ??= found;
    const part = (test) => `${((100 * found.filter(test).length) / QUERIES).toFixed(1)} %`;
    let error = 0;
    found.forEach(({ referenceIds, similarity }, q) =>
      referenceIds.forEach((id, i) => {
        let sum = 0;
        for (let j = 0; j < dimension; j++) sum += queries[q][j] * rows[(id - 1) * dimension + j];
        error = Math.max(error, Math.abs(sum - similarity[i]));
      }),
    );
    console.log(
      `| ${dimension} | ${cacheStorage} | ${part(({ referenceIds }, q) => referenceIds[0] === truth[q] + 1)} | ` +
        `${part(({ referenceIds }, q) => referenceIds[0] === exact[q].referenceIds[0])} | ` +
        `${part(({ referenceIds }, q) => referenceIds.join() === exact[q].referenceIds.join())} | ${error.toExponential(1)} |`,
    );
  }
}
