import { expect } from 'chai';
import { BackgroundSample } from '../../../src/recognizer/BackgroundSample.js';

/** A map whose reference i has a similarity of similarities[i] to the query (1, 0). */
function mapOf(similarities: readonly number[]) {
  return {
    referenceIds: Uint32Array.from(similarities, (_, i) => i + 1),
    dimension: 2,
    readDescriptors(ids: Uint32Array, out: Float32Array) {
      ids.forEach((id, i) => {
        const s = similarities[id - 1]!;
        out.set([s, Math.sqrt(1 - s * s)], i * 2);
      });
    },
  };
}
const QUERY = Float32Array.of(1, 0);

describe('BackgroundSample', () => {
  it('measures the middle and the lower half-width', () => {
    const background = new BackgroundSample().measure(QUERY, mapOf(Array.from({ length: 50 }, (_, i) => i / 100)))!;
    expect(background.median).to.be.closeTo(0.25, 0.011);
    expect(background.spread).to.be.closeTo(0.17, 0.011);
  });

  it('says nothing with fewer than four references to go by', () => {
    expect(new BackgroundSample().measure(QUERY, mapOf([0.1, 0.2, 0.3]))).to.equal(undefined);
    expect(new BackgroundSample().measure(QUERY, mapOf([0.1, 0.2, 0.3, 0.4, 0.5]), [[2, 5]])).to.equal(undefined);
  });

  it('leaves out what is not searched: recent images, which look like the query', () => {
    const similarities = [...Array.from({ length: 20 }, () => 0.2), ...Array.from({ length: 20 }, () => 0.9)];
    expect(new BackgroundSample().measure(QUERY, mapOf(similarities))!.median).to.be.closeTo(0.9, 1e-6);
    expect(new BackgroundSample().measure(QUERY, mapOf(similarities), [[21, 40]])!.median).to.be.closeTo(0.2, 1e-6);
  });
});
