import { expect } from 'chai';
import { BATCH_ROWS, type RowStorage } from '../../../src/search/RowSlots.js';
import { createRowSlots } from '../../../src/search/createRowSlots.js';
import { floatToHalf, halfToFloat } from '../../../src/hamming/scalarSimilarity.js';
import { uniformNumbers } from '../../../src/core/mulberry32.js';
import { randomDescriptors } from './randomRows.js';

const SLOTS = Uint32Array.of(5, 0, 3, 17, 4);

function similarities(storage: RowStorage, d: number, rows: Float32Array, query: Float32Array, scalar: boolean) {
  const slots = createRowSlots(d, storage, BATCH_ROWS, { scalar });
  slots.staging().set(rows);
  slots.write(SLOTS);
  const out = new Float32Array(SLOTS.length);
  slots.similarities(query, SLOTS, out);
  return out;
}

describe('RowSlots', () => {
  for (const [storage, tolerance] of [
    ['f32', 1e-6],
    ['f16', 5e-4],
    ['int8', 8e-3],
  ] as const) {
    it(`${storage}: SIMD and scalar agree bit for bit, within ${tolerance} of f64, at any dimension`, () => {
      const random = uniformNumbers(storage.length);
      for (const d of [1, 7, 15, 16, 17, 31, 64, 100, 512, 1000, 2048, 4096]) {
        const rows = randomDescriptors(SLOTS.length, d, random);
        // The last row is the query's own neighbour, so that a similarity near 1 is among them.
        const query = rows.slice(4 * d, 5 * d).map((value) => value * 0.999);
        const simd = similarities(storage, d, rows, query, false);
        expect(simd, `D = ${d}`).to.deep.equal(similarities(storage, d, rows, query, true));
        simd.forEach((similarity, row) => {
          let exact = 0;
          for (let i = 0; i < d; i++) exact += query[i]! * rows[row * d + i]!;
          expect(similarity, `D = ${d}, row ${row}`).to.be.closeTo(exact, tolerance);
        });
      }
    });
  }

  it('holds rows of zeros, of tiny and of signed values', () => {
    const d = 32;
    const rows = new Float32Array(SLOTS.length * d);
    rows.fill(1e-7, d, 2 * d);
    rows.fill(-1e-6, 2 * d, 3 * d);
    for (let i = 0; i < d; i++) rows[3 * d + i] = i % 2 === 0 ? -0.25 : 0.125;
    const query = new Float32Array(d).fill(1);
    for (const storage of ['f32', 'f16', 'int8'] as const) {
      const simd = similarities(storage, d, rows, query, false);
      expect(simd, storage).to.deep.equal(similarities(storage, d, rows, query, true));
      expect(simd[0]).to.equal(0);
      expect(simd[1]).to.be.closeTo(32e-7, 1e-6);
      expect(simd[3]).to.be.closeTo(-2, 0.02);
    }
  });

  it('int8 sums of the longest rows do not overflow', () => {
    const d = 16384;
    const slots = createRowSlots(d, 'int8', BATCH_ROWS, { scalar: false });
    slots.staging().fill(1, 0, d);
    slots.write(Uint32Array.of(0));
    const out = new Float32Array(1);
    slots.similarities(new Float32Array(d).fill(1), Uint32Array.of(0), out);
    expect(out[0]).to.be.closeTo(d, 1);
    expect(() => createRowSlots(d + 1, 'int8', BATCH_ROWS, { scalar: false })).to.throw(RangeError, '16384 values');
  });

  it('rounds half floats to nearest, ties to even, and reads back every half float', () => {
    for (let bits = 0; bits < 0x7c00; bits++) {
      const negative = bits | 0x8000;
      if (floatToHalf(halfToFloat(bits)) !== bits || floatToHalf(halfToFloat(negative)) !== negative)
        throw new Error(`half float ${bits} is not read back`);
    }
    expect(halfToFloat(0x3c00)).to.equal(1);
    expect(halfToFloat(0x0001)).to.equal(2 ** -24);
    // Halfway between 1 and the next half float, 1 + 2^-10: the even one is 1; above the next, it is the one after.
    expect(floatToHalf(1 + 2 ** -11)).to.equal(0x3c00);
    expect(floatToHalf(1 + 3 * 2 ** -11)).to.equal(0x3c02);
    expect(floatToHalf(1 + 2 ** -11 + 2 ** -20)).to.equal(0x3c01);
  });
});
