import { expect } from 'chai';
import { mulberry32 } from '../../../src/core/mulberry32.js';
import { VprError } from '../../../src/core/VprError.js';
import { fitProjection } from '../../../src/onnx/hashing/fitProjection.js';
import { nearestRotation, product, transpose } from '../../../src/onnx/hashing/matrices.js';

const BITS = 16;
const DIMENSION = 24;

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

function codes(data: Float32Array, projection: Float32Array, mean: Float32Array): Float32Array {
  const centred = data.map((value, i) => value - mean[i % DIMENSION]!);
  const n = data.length / DIMENSION;
  return product(centred, transpose(projection, BITS, DIMENSION), n, DIMENSION, BITS).map((value) =>
    value >= 0 ? 1 : 0,
  );
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
  it('finds the orthogonal matrix nearest to a given one', () => {
    const rotation = nearestRotation(uniform(64, 3), 8)!;
    const identity = product(rotation, transpose(rotation, 8, 8), 8, 8, 8);
    identity.forEach((value, i) => expect(value).to.be.closeTo(i % 9 === 0 ? 1 : 0, 1e-5));
    expect(nearestRotation(new Float32Array(9), 3)).to.equal(undefined);
  });

  it('makes codes that tell places apart better than random directions do', () => {
    const places = 60;
    const data = samples(places, 4);
    const fitted = fitProjection(data, DIMENSION, { bits: BITS, minDescriptors: 100 });
    const random = uniform(BITS * DIMENSION, 9);
    const own = accuracy(codes(data, fitted.projection, fitted.mean), places);
    expect(own).to.be.above(accuracy(codes(data, random, fitted.mean), places) + 0.02);
    expect(fitted.quantizationError[1]).to.be.below(fitted.quantizationError[0]);
  });

  it('gives the same projection for the same seed', () => {
    const data = samples(50, 3);
    const fit = (seed: number): Float32Array =>
      fitProjection(data, DIMENSION, { bits: BITS, minDescriptors: 1, seed }).projection;
    expect(fit(1)).to.deep.equal(fit(1));
    expect(fit(1)).not.to.deep.equal(fit(2));
  });

  it('refuses too few descriptors', () => {
    expect(() => fitProjection(new Float32Array(DIMENSION * 10), DIMENSION)).to.throw(
      VprError,
      /at least 4096 descriptors/,
    );
  });
});
