import { expect } from 'chai';
import { mulberry32 } from '../../../src/core/mulberry32.js';
import { VprError } from '../../../src/core/VprError.js';
import { fitProjection } from '../../../src/onnx/hashing/fitProjection.js';
import { createMatrixProduct } from '../../../src/cli/createMatrixProduct.js';
import { nearestRotation } from '../../../src/onnx/hashing/matrices.js';
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
    const rotation = (await nearestRotation(square(8, uniform(64, 3)), multiply))!;
    const identity = await multiply('aT b', rotation, rotation);
    identity.values.forEach((value, i) => expect(value).to.be.closeTo(i % 9 === 0 ? 1 : 0, 1e-5));
    const factor = square(8, uniform(64, 4));
    const stretched = await multiply('a b', rotation, await multiply('aT b', factor, factor));
    const found = (await nearestRotation(stretched, multiply))!;
    found.values.forEach((value, i) => expect(value).to.be.closeTo(rotation.values[i]!, 1e-3));
    expect(await nearestRotation(square(3, new Float32Array(9)), multiply)).to.equal(undefined);
    expect(await nearestRotation(square(2, Float32Array.of(1, 0, 0, 0)), multiply)).to.equal(undefined);
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

  it('refuses too few descriptors', async () => {
    const outcome: unknown = await fitProjection(new Float32Array(DIMENSION * 10), DIMENSION, multiply).catch(
      (error: unknown) => error,
    );
    expect(outcome).to.be.instanceOf(VprError);
    expect(String(outcome)).to.match(/at least 4096 descriptors/);
  });
});
