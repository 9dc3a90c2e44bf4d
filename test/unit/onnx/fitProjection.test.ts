import { expect } from 'chai';
import { mulberry32 } from '../../../src/core/mulberry32.js';
import { VprError } from '../../../src/core/VprError.js';
import { fitProjection } from '../../../src/onnx/hashing/fitProjection.js';
import { createMatrixProduct } from '../../../src/cli/createMatrixProduct.js';
import { fitMapProjection } from '../../../src/onnx/hashing/fitMapProjection.js';
import { nearestOrthonormal, squareRoot } from '../../../src/onnx/hashing/matrices.js';
import type { Matrix } from '../../../src/onnx/hashing/MatrixProduct.js';

const BITS = 16;
const DIMENSION = 24;
const multiply = createMatrixProduct();

function uniform(count: number, seed: number): Float32Array {
  const next = mulberry32(seed);
  return Float32Array.from({ length: count }, () => next() / 2 ** 31 - 1);
}

/** Places seen several times: centres and small noise, with an offset that a projection must take off. */
function samples(places: number, views: number): Float32Array {
  const centres = uniform(places * DIMENSION, 1);
  const noise = uniform(places * views * DIMENSION, 2);
  return Float32Array.from(noise, (value, i) => {
    const place = Math.floor(i / DIMENSION) % places;
    return centres[place * DIMENSION + (i % DIMENSION)]! + 0.15 * value + 3;
  });
}

function square(n: number, values: Float32Array): Matrix {
  return { rows: n, columns: n, values };
}

async function codes(data: Float32Array, projection: Float32Array, mean: Float32Array): Promise<Float32Array> {
  const centred = data.map((value, i) => value - mean[i % DIMENSION]!);
  const rows = { rows: data.length / DIMENSION, columns: DIMENSION, values: centred };
  const { values } = await multiply('a bT', rows, { rows: BITS, columns: DIMENSION, values: projection });
  return values.map((value) => (value >= 0 ? 1 : 0));
}

/** Share of views whose nearest other code belongs to their place. */
function accuracy(bits: Float32Array, places: number): number {
  const n = bits.length / BITS;
  let right = 0;
  for (let i = 0; i < n; i++) {
    let best = Infinity;
    let found = 0;
    let ties = 0;
    for (let j = 0; j < n; j++) {
      if (j === i) continue;
      let distance = 0;
      for (let b = 0; b < BITS; b++) distance += bits[i * BITS + b] === bits[j * BITS + b] ? 0 : 1;
      if (distance < best) [best, found, ties] = [distance, 0, 0];
      if (distance === best) {
        ties++;
        if (j % places === i % places) found++;
      }
    }
    right += found / ties;
  }
  return right / n;
}

describe('fitting a projection to descriptors', () => {
  it('multiplies matrices of any kind as the definition does, and refuses sizes that do not fit', async () => {
    const [a, b] = [
      { rows: 3, columns: 4, values: uniform(12, 5) },
      { rows: 4, columns: 2, values: uniform(8, 6) },
    ];
    const turned = ({ rows, columns, values }: Matrix): Matrix => ({
      rows: columns,
      columns: rows,
      values: Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!),
    });
    for (const product of [
      await multiply('a b', a, b),
      await multiply('aT b', turned(a), b),
      await multiply('a bT', a, turned(b)),
    ]) {
      expect([product.rows, product.columns]).to.deep.equal([3, 2]);
      product.values.forEach((value, i) => {
        let expected = 0;
        for (let k = 0; k < 4; k++) expected += a.values[Math.floor(i / 2) * 4 + k]! * b.values[k * 2 + (i % 2)]!;
        expect(value).to.be.closeTo(expected, 1e-6);
      });
    }
    const outcome = await multiply('a b', b, a).then(
      () => 'a product',
      (error: unknown) => String(error),
    );
    expect(outcome).to.match(/Expected inner sizes that agree for 'a b', got \[4, 2\] and \[3, 4\]/);
  });

  it('finds the orthogonal matrix nearest to a given one', async () => {
    // A rotation times a symmetric positive matrix is nearest to that rotation.
    const rotation = (await nearestOrthonormal(square(8, uniform(64, 3)), multiply))!;
    const identity = await multiply('aT b', rotation, rotation);
    identity.values.forEach((value, i) => expect(value).to.be.closeTo(i % 9 === 0 ? 1 : 0, 1e-5));
    const factor = square(8, uniform(64, 4));
    const stretched = await multiply('a b', rotation, await multiply('aT b', factor, factor));
    const found = (await nearestOrthonormal(stretched, multiply))!;
    found.values.forEach((value, i) => expect(value).to.be.closeTo(rotation.values[i]!, 1e-3));
    expect(await nearestOrthonormal(square(3, new Float32Array(9)), multiply)).to.equal(undefined);
    expect(await nearestOrthonormal(square(2, Float32Array.of(1, 0, 0, 0)), multiply)).to.equal(undefined);
  });

  it('finds orthonormal columns for a matrix that is taller than wide', async () => {
    const found = (await nearestOrthonormal({ rows: 40, columns: 8, values: uniform(320, 5) }, multiply))!;
    expect([found.rows, found.columns]).to.deep.equal([40, 8]);
    const identity = await multiply('aT b', found, found);
    identity.values.forEach((value, i) => expect(value).to.be.closeTo(i % 9 === 0 ? 1 : 0, 1e-5));
  });

  it('finds the square root of a positive definite matrix, of values far apart too', async () => {
    const turn = (await nearestOrthonormal(square(8, uniform(64, 3)), multiply))!;
    const spectrum = [3e4, 900, 25, 4, 1, 0.25, 0.04, 1e-2];
    const stretched = square(
      8,
      turn.values.map((value, i) => value * spectrum[i % 8]!),
    );
    const root = await squareRoot(await multiply('a bT', stretched, turn), multiply);
    const rooted = square(
      8,
      turn.values.map((value, i) => value * Math.sqrt(spectrum[i % 8]!)),
    );
    const expected = await multiply('a bT', rooted, turn);
    root.values.forEach((value, i) => expect(value).to.be.closeTo(expected.values[i]!, 0.02));
  });

  it('makes codes that tell places apart better than random directions do', async () => {
    const places = 60;
    const data = samples(places, 4);
    const fitted = await fitProjection(data, DIMENSION, multiply, { bits: BITS, minDescriptors: 100 });
    const random = uniform(BITS * DIMENSION, 9);
    const own = accuracy(await codes(data, fitted.projection, fitted.mean), places);
    expect(own).to.be.above(accuracy(await codes(data, random, fitted.mean), places) + 0.02);
    expect(fitted.quantizationError[1]).to.be.below(fitted.quantizationError[0]);
  });

  it('gives the same projection for the same seed', async () => {
    const data = samples(50, 3);
    const fit = async (seed: number): Promise<Float32Array> =>
      (await fitProjection(data, DIMENSION, multiply, { bits: BITS, minDescriptors: 1, seed })).projection;
    expect(await fit(1)).to.deep.equal(await fit(1));
    expect(await fit(1)).not.to.deep.equal(await fit(2));
  });

  describe('to the few descriptors of a map', () => {
    const dimensions = [DIMENSION, 700];

    for (const dimension of dimensions)
      it(`gives ${dimension} values 512 directions of which each counts by the fourth root of its variance`, async () => {
        const n = 60;
        // Values of falling spread, around an offset.
        const data = uniform(n * dimension, 4).map((value, i) => value / Math.sqrt(1 + (i % dimension)) + 0.3);
        const { projection, mean } = await fitMapProjection(data, dimension, multiply);
        expect(projection).to.have.length(512 * dimension);
        mean.forEach((value, d) => {
          let sum = 0;
          for (let i = 0; i < n; i++) sum += data[i * dimension + d]! / n;
          expect(value).to.be.closeTo(sum, 1e-5);
        });
        // By the definition: (n C + 30 t I) / (n + 30), t the mean variance.
        const x = { rows: n, columns: dimension, values: data.map((value, i) => value - mean[i % dimension]!) };
        const gram = await multiply('aT b', x, x);
        const prior = (30 * x.values.reduce((sum, value) => sum + value * value, 0)) / n / dimension;
        const mixed = square(
          dimension,
          gram.values.map((value, i) => (value + (i % (dimension + 1) === 0 ? prior : 0)) / (n + 30)),
        );
        const root = await squareRoot(mixed, multiply);
        const p = { rows: 512, columns: dimension, values: projection };
        if (dimension <= 512) {
          const product = await multiply('aT b', p, p);
          product.values.forEach((value, i) => expect(value).to.be.closeTo(root.values[i]!, 1e-4));
        } else {
          // P = Q R with Q Q^T = I and R R = root, so that P root P^T = Q C Q^T; random Q: the trace is 512 / D of C's.
          const product = await multiply('a bT', await multiply('a b', p, root), p);
          let [trace, all] = [0, 0];
          for (let i = 0; i < 512; i++) trace += product.values[i * 513]!;
          for (let i = 0; i < dimension; i++) all += mixed.values[i * (dimension + 1)]!;
          expect(trace / all).to.be.closeTo(512 / dimension, 0.05);
        }
      });

    it('tells places apart better than directions that know nothing of the map', async () => {
      // What all images of the map share is large, what tells its places apart is small.
      const places = 30;
      const data = samples(places, 3);
      const { projection, mean } = await fitMapProjection(data, DIMENSION, multiply);
      const bitsOf = async (rows: Float32Array, directions: Float32Array, centre: Float32Array) => {
        const centred = rows.map((value, i) => value - centre[i % DIMENSION]!);
        const { values } = await multiply(
          'a bT',
          { rows: rows.length / DIMENSION, columns: DIMENSION, values: centred },
          { rows: BITS, columns: DIMENSION, values: directions.subarray(0, BITS * DIMENSION) },
        );
        return values.map((value) => (value >= 0 ? 1 : 0));
      };
      const own = accuracy(await bitsOf(data, projection, mean), places);
      const blind = accuracy(await bitsOf(data, uniform(512 * DIMENSION, 9), new Float32Array(DIMENSION)), places);
      expect(own).to.be.above(blind + 0.1);
    });

    it('gives finite values for descriptors that are all the same', async () => {
      const { projection } = await fitMapProjection(new Float32Array(20 * DIMENSION).fill(0.2), DIMENSION, multiply);
      expect(projection.every(Number.isFinite)).to.equal(true);
    });

    it('uses iterative quantization from 4,096 on, and refuses fewer than 16', async () => {
      const many = uniform(4096 * 8, 3);
      const { quantizationError } = await fitMapProjection(many, 8, multiply, { iterations: 2 });
      expect(quantizationError).to.have.length(2);
      const few: unknown = await fitMapProjection(uniform(15 * 8, 3), 8, multiply).catch((error: unknown) => error);
      expect(String(few)).to.match(/Expected at least 16 descriptors for a fit, got 15/);
    });
  });

  it('refuses too few descriptors', async () => {
    const outcome: unknown = await fitProjection(new Float32Array(DIMENSION * 10), DIMENSION, multiply).catch(
      (error: unknown) => error,
    );
    expect(outcome).to.be.instanceOf(VprError);
    expect(String(outcome)).to.match(/at least 4096 descriptors/);
  });
});
