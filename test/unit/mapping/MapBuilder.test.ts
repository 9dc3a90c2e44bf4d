import { expect } from 'chai';
import { MAX_THUMBNAIL_BYTES } from '../../../src/map/mapSchema.js';
import { PlaceMap } from '../../../src/map/PlaceMap.js';
import { MapBuilder, type DescribedImage, type MapBuilderOptions } from '../../../src/mapping/MapBuilder.js';
import { sampleMeta, sampleReference } from '../map/mapFixtures.js';

const OPTIONS: MapBuilderOptions = {
  keyframe: { distanceM: 1, angleRad: 0.5, intervalS: 1 },
  place: { distanceM: 2.5, angleRad: 0.8, images: 1 },
};

function image(i: number, x: number): DescribedImage {
  const { label: name, stampNs, code, descriptor } = sampleReference(i);
  return { name, stampNs, code, descriptor, camera: 'front', pose: { position: [x, 0, 0], orientation: [0, 0, 0, 1] } };
}

describe('MapBuilder', () => {
  it('stores key frames with their places and gives their ids back', () => {
    const map = PlaceMap.createTemporary(sampleMeta());
    const builder = new MapBuilder(map, { name: 'one', source: 'test' }, OPTIONS);
    const built = [0, 0.5, 1, 1.5, 2.2, 3.3].flatMap((x, i) =>
      builder.isKeyframe(image(i, x)) ? builder.add(image(i, x)) : [],
    );
    expect(built.map(({ referenceId, placeId }) => [referenceId, placeId])).to.deep.equal([
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 2],
    ]);
    expect(map.reference(4).label).to.equal(image(5, 0).name);
    expect(map.size).to.equal(4);
    map.close();
  });

  it('commits in batches and the rest with flush', () => {
    const map = PlaceMap.createTemporary(sampleMeta());
    const builder = new MapBuilder(map, { name: 'one', source: '' }, { ...OPTIONS, batch: 3 });
    const counts = [0, 1, 2, 3, 4].map((i) => builder.add(image(i, i * 10)).length);
    expect(counts).to.deep.equal([0, 0, 3, 0, 0]);
    expect(map.size).to.equal(3);
    expect(builder.flush().map(({ referenceId }) => referenceId)).to.deep.equal([4, 5]);
    expect(builder.flush()).to.deep.equal([]);
    map.close();
  });

  it('lets a second session join the places of the first', () => {
    const map = PlaceMap.createTemporary(sampleMeta());
    for (const name of ['summer', 'winter']) {
      const builder = new MapBuilder(map, { name, source: '' }, OPTIONS);
      [0, 10, 20].forEach((x, i) => builder.add(image(i, x + (name === 'winter' ? 0.4 : 0))));
    }
    expect(map.places().map(({ placeId, references }) => [placeId, references])).to.deep.equal([
      [1, 2],
      [2, 2],
      [3, 2],
    ]);
    expect(map.sessions().map(({ name }) => name)).to.deep.equal(['summer', 'winter']);
    map.close();
  });

  it('leaves out a picture that is too large for the format, not the reference', () => {
    const map = PlaceMap.createTemporary(sampleMeta());
    const builder = new MapBuilder(map, { name: 'one', source: '' }, OPTIONS);
    builder.add({ ...image(0, 0), thumbnail: new Uint8Array(MAX_THUMBNAIL_BYTES + 1) });
    builder.add({ ...image(1, 9), thumbnail: new Uint8Array(MAX_THUMBNAIL_BYTES) });
    expect([map.size, map.thumbnail(1), map.thumbnail(2)?.length]).to.deep.equal([2, undefined, MAX_THUMBNAIL_BYTES]);
    map.close();
  });

  it('goes on after a reference that the map has no room for', () => {
    const map = PlaceMap.createTemporary(sampleMeta());
    const builder = new MapBuilder(map, { name: 'one', source: '' }, OPTIONS);
    builder.add(image(0, 0));
    const unfit = { ...image(1, 10), name: 'x'.repeat(5000) };
    expect(() => builder.add(unfit)).to.throw(/Expected 4096 bytes at most for a label, got 5000/);
    expect(builder.isKeyframe(image(2, 10)), 'the place still has no reference').to.equal(true);
    expect(builder.add(image(2, 10)).map(({ referenceId, image: { name } }) => [referenceId, name])).to.deep.equal([
      [2, image(2, 10).name],
    ]);
    expect(map.size).to.equal(2);
    map.close();
  });

  it('goes by other rules from then on', () => {
    const map = PlaceMap.createTemporary(sampleMeta());
    const builder = new MapBuilder(map, { name: 'one', source: '' }, OPTIONS);
    builder.add(image(0, 0));
    expect(builder.isKeyframe(image(1, 3))).to.equal(true);
    builder.setRules({ keyframe: { ...OPTIONS.keyframe, distanceM: 5 }, place: { ...OPTIONS.place, distanceM: 8 } });
    expect(builder.isKeyframe(image(1, 3))).to.equal(false);
    expect(builder.isKeyframe(image(1, 6))).to.equal(true);
    expect(
      builder.add(image(1, 6))[0]?.placeId,
      'the place of the first reference is known by the new distance',
    ).to.equal(1);
    map.close();
  });

  it('takes a place that the caller names', () => {
    const map = PlaceMap.createTemporary(sampleMeta());
    const builder = new MapBuilder(map, { name: 'one', source: '' }, OPTIONS);
    expect(builder.add(image(0, 0), 41)[0]?.placeId).to.equal(41);
    expect(builder.add(image(1, 50))[0]?.placeId).to.equal(42);
    map.close();
  });
});
