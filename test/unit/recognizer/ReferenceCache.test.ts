import { expect } from 'chai';
import type { Reference } from '../../../src/core/reference.js';
import { ReferenceCache } from '../../../src/recognizer/ReferenceCache.js';

/** A map whose references stand `spacing` metres apart, one of each camera at each stop. */
function mapOf(
  stops: number,
  spacing: number,
  cameras: readonly string[],
  sessionOf: (stop: number) => number = () => 1,
) {
  const references: Reference[] = [];
  for (let stop = 0; stop < stops; stop++)
    for (const camera of cameras)
      references.push({
        referenceId: references.length + 1,
        placeId: stop + 1,
        sessionId: sessionOf(stop),
        label: '',
        camera,
        stampNs: BigInt(stop),
        pose: { position: [stop * spacing, 0, 0], orientation: [0, 0, 0, 1] },
      });
  return {
    referenceIds: Uint32Array.from(references, ({ referenceId }) => referenceId),
    reference: (id: number) => references[id - 1]!,
  };
}

describe('ReferenceCache', () => {
  for (const stops of [2, 50, 51, 500, 501])
    it(`measures the spacing along each camera: ${stops} stops`, () => {
      for (const cameras of [['front'], ['front', 'rear'], ['front', 'left', 'right']])
        expect(new ReferenceCache(mapOf(stops, 1.5, cameras)).spacingM(), cameras.join()).to.be.closeTo(1.5, 1e-9);
    });

  it('knows none across sessions and of a single reference', () => {
    expect(new ReferenceCache(mapOf(1, 2, ['front'])).spacingM()).to.equal(undefined);
    expect(new ReferenceCache(mapOf(4, 2, ['front'], (stop) => stop)).spacingM()).to.equal(undefined);
  });
});
