import { expect } from 'chai';
import type { RgbImage } from '../../../src/core/image.js';
import type { Reference } from '../../../src/core/reference.js';
import { encodeThumbnail } from '../../../src/image/encodeThumbnail.js';
import type { DescribedQuery } from '../../../src/recognizer/PlaceRecognizer.js';
import { ThumbnailComparer } from '../../../src/worker/ThumbnailComparer.js';
import { rectangles } from '../geometry/pictures.js';

function coloured(seed: number): RgbImage {
  const { width, height, data } = rectangles(seed, [320, 240], 400);
  return { width, height, data: Uint8Array.from({ length: data.length * 3 }, (_, i) => data[Math.floor(i / 3)]!) };
}

function queryOf(pixels: RgbImage): DescribedQuery {
  return { pixels, descriptor: new Float32Array(2), code: new Uint8Array(64), decodeMs: 0, inferenceMs: 0 };
}

function reference(referenceId: number, camera = 'front'): Reference {
  return { referenceId, placeId: 1, sessionId: 1, label: 'r', camera, stampNs: 0n };
}

describe('ThumbnailComparer', () => {
  let thumbnails: Map<number, Uint8Array>;
  let read: number[];
  const map = {
    thumbnail: (id: number) => {
      read.push(id);
      return thumbnails.get(id);
    },
  };
  before(async () => {
    thumbnails = new Map([
      [1, await encodeThumbnail(coloured(1), 160)],
      [2, await encodeThumbnail(coloured(2), 160)],
      [4, Uint8Array.of(1, 2, 3)],
      [5, await encodeThumbnail(coloured(1), 320)],
    ]);
  });
  beforeEach(() => (read = []));

  it('tells the picture of a reference from another one, and reads each thumbnail once', async () => {
    const comparer = new ThumbnailComparer(map, new Map());
    const query = queryOf(coloured(1));
    const same = await comparer.check(query, 'front', reference(1));
    const other = await comparer.check(query, 'front', reference(2));
    expect(same!.inliers).to.be.greaterThan(60);
    expect(other!.inliers).to.be.lessThan(15);
    expect(await comparer.check(query, 'front', reference(1))).to.deep.equal(same);
    expect(read).to.deep.equal([1, 2]);
    const larger = await comparer.check(query, 'front', reference(5));
    expect(larger!.inliers, 'a larger thumbnail').to.be.greaterThan(60);
  });

  it('says nothing without a thumbnail, or with one that is no picture', async () => {
    const comparer = new ThumbnailComparer(map, new Map());
    expect(await comparer.check(queryOf(coloured(1)), 'front', reference(3))).to.equal(undefined);
    expect(await comparer.check(queryOf(coloured(1)), 'front', reference(4))).to.equal(undefined);
  });

  it('measures the turn only where both focal lengths are known', async () => {
    const comparer = new ThumbnailComparer(
      map,
      new Map([
        ['front', 0.9],
        ['rear', 0],
      ]),
    );
    const query = queryOf(coloured(1));
    const { rotation } = (await comparer.check(query, 'front', reference(1)))!;
    expect(Math.abs(rotation![3]), 'the very same picture').to.be.closeTo(1, 1e-4);
    expect(await comparer.check(query, 'rear', reference(1))).not.to.have.property('rotation');
    expect(await comparer.check(query, 'front', reference(1, 'unknown'))).not.to.have.property('rotation');
    expect(await comparer.check(query, 'front', reference(2)), 'nothing agrees').not.to.have.property('rotation');
  });
});
