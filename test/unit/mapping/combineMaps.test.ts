import { expect } from 'chai';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { dotProduct, l2Normalize, type Descriptor } from '../../../src/core/descriptor.js';
import type { NewReference } from '../../../src/core/reference.js';
import { PlaceMap } from '../../../src/map/PlaceMap.js';
import { verifyMap } from '../../../src/map/verifyMap.js';
import { associateByAppearance, type FindNearest } from '../../../src/mapping/associatePlaces.js';
import { combineMaps } from '../../../src/mapping/combineMaps.js';
import { diffMaps } from '../../../src/mapping/diffMaps.js';
import { selectDiverse } from '../../../src/mapping/selectDiverse.js';
import { uniformNumbers } from '../../../src/core/mulberry32.js';
import { sampleMeta, sampleReference, sampleReferences, withFolder } from '../map/mapFixtures.js';

const BY_POSE = { pose: { distanceM: 0.4, angleRad: 0.5 } };

function build(file: string, references: readonly NewReference[], meta = sampleMeta(), session = 'first'): string {
  const map = PlaceMap.create(file, meta);
  map.beginSession(session, 'a test');
  map.appendReferences(references);
  map.recordMatches([2], 9n);
  map.close();
  return file;
}

function withMaps(use: (a: string, b: string, out: string, folder: string) => void): void {
  withFolder((folder) => {
    const a = build(path.join(folder, 'a.vpr'), sampleReferences(10));
    const b = build(path.join(folder, 'b.vpr'), sampleReferences(14, 16, 2).slice(4), sampleMeta(), 'second');
    use(a, b, path.join(folder, 'out.vpr'), folder);
  });
}

function opened<T>(file: string, use: (map: PlaceMap) => T): T {
  const map = PlaceMap.open(file, 'read');
  try {
    return use(map);
  } finally {
    map.close();
  }
}

/** Nearest by a look at every reference. */
function exhaustive(map: PlaceMap): FindNearest {
  return ({ descriptor }) => {
    const row = new Float32Array(map.dimension);
    let best: { referenceId: number; similarity: number } | undefined;
    for (const referenceId of map.referenceIds) {
      map.readDescriptors(Uint32Array.of(referenceId), row);
      const similarity = dotProduct(row, descriptor);
      if (best === undefined || similarity > best.similarity) best = { referenceId, similarity };
    }
    return best;
  };
}

describe('combineMaps', () => {
  it('adds a second map after the first, its places joined by pose', () =>
    withMaps((a, b, out) => {
      const result = combineMaps([{ file: a }, { file: b }], out, { associate: BY_POSE, target: 'new' });
      expect(result).to.deep.include({ references: 20, taken: [10, 10], overLimit: 0 });
      expect(verifyMap(out).problems).to.deep.equal([]);
      opened(out, (map) => {
        expect(map.sessions().map(({ sessionId, name }) => [sessionId, name])).to.deep.equal([
          [1, 'first'],
          [2, 'second'],
        ]);
        // Image 4 of the second drive (its first) has no pose; 6 and 8 stand where the first drive's did, in places 4 and 5.
        expect(map.reference(11)).to.include({ sessionId: 2, label: sampleReference(4).label });
        expect(map.placeOf(13)).to.equal(4);
        expect(map.placeOf(15)).to.equal(5);
        expect(map.placeOf(20)).to.be.greaterThan(5);
        expect([...map.matchCounts().keys()]).to.deep.equal([2, 12]);
        const row = new Float32Array(16);
        map.readDescriptors(Uint32Array.of(13), row);
        expect([...row]).to.deep.equal([...sampleReference(6, 16, 2).descriptor]);
      });
    }));

  it('keeps every place of further maps apart without association', () =>
    withMaps((a, b, out) => {
      const { places, joinedPlaces } = combineMaps([{ file: a }, { file: b }], out, {
        associate: 'none',
        target: 'new',
      });
      expect([places, joinedPlaces]).to.deep.equal([10, 0]);
    }));

  it('removes references in place, keeps ids, does not give them out again and keeps the old map', () =>
    withMaps((a, _b, _out, folder) => {
      const before = readFileSync(a);
      combineMaps([{ file: a, keep: ({ referenceId }) => referenceId < 3 || referenceId === 7 }], a, {
        associate: 'none',
        target: 'replace',
      });
      expect(readdirSync(folder).sort()).to.deep.equal(['a.vpr', 'a.vpr.previous', 'b.vpr']);
      expect(readFileSync(`${a}.previous`).equals(before)).to.equal(true);
      const map = PlaceMap.open(a, 'append');
      expect([...map.referenceIds]).to.deep.equal([1, 2, 7]);
      expect(map.placeOf(7)).to.equal(4);
      expect(map.placeOf(3)).to.equal(0);
      expect(map.matchCounts().get(2)?.matches).to.equal(1);
      map.beginSession('later', '');
      expect(map.appendReferences([sampleReference(50)])).to.deep.equal([11]);
      expect(map.newPlaceId()).to.equal(27);
      map.close();
    }));

  it('changes the storage and the codes of all references', () =>
    withMaps((a, _b, out) => {
      const binarizer = { kind: 'projection', projection: new Float32Array(512 * 16).fill(1) } as const;
      combineMaps([{ file: a }], out, {
        associate: 'none',
        target: 'new',
        meta: { storage: 'f16', binarizer },
        encode: () => new Uint8Array(64).fill(0xf0),
      });
      opened(out, (map) => {
        expect(map.meta).to.deep.equal(sampleMeta({ storage: 'f16', binarizer }));
        expect([...map.codes()].every(({ codes }) => codes.every((byte) => byte === 0xf0))).to.equal(true);
      });
    }));

  it('leaves everything as it was when it fails on the way', () =>
    withMaps((a, b, _out, folder) => {
      const before = readFileSync(a);
      const fails = (): void => {
        combineMaps([{ file: a }, { file: b }], a, {
          associate: () => {
            throw new Error('stop');
          },
          target: 'replace',
        });
      };
      expect(fails).to.throw('stop');
      expect(readdirSync(folder).sort()).to.deep.equal(['a.vpr', 'b.vpr']);
      expect(readFileSync(a).equals(before)).to.equal(true);
    }));

  it('refuses maps that do not fit together', () =>
    withMaps((a, _b, out, folder) => {
      const refused = (name: string, meta: Parameters<typeof sampleMeta>[0], sentence: RegExp): void => {
        const other = build(path.join(folder, name), sampleReferences(2), sampleMeta(meta));
        for (const associate of [BY_POSE, 'none', (): Map<number, number> => new Map()] as const)
          expect(() => combineMaps([{ file: a }, { file: other }], out, { associate, target: 'new' })).to.throw(
            sentence,
          );
        expect(existsSync(out)).to.equal(false);
      };
      refused(
        'model.vpr',
        { modelName: 'other', modelSha256: 'cd'.repeat(32) },
        /'sample-model'.*got one built with 'other'/,
      );
      refused(
        'frame.vpr',
        { mapFrame: 'odom' },
        /mapFromBase in frame 'map' of 'base_link', got mapFromBase in frame 'odom'/,
      );
      refused('kind.vpr', { poseKind: 'mapFromCamera' }, /got mapFromCamera in frame 'map'/);
      refused('child.vpr', { childFrame: 'velodyne' }, /of 'base_link', got mapFromBase in frame 'map' of 'velodyne'/);
      refused('codes.vpr', { binarizer: { kind: 'projection', projection: new Float32Array(512 * 16) } }, /got others/);
    }));

  it('adds references without poses to any map, and poses of a frame that is not named', () =>
    withMaps((a, _b, out, folder) => {
      const blind = sampleReferences(3).map(({ pose: _, ...rest }) => rest);
      const other = build(path.join(folder, 'blind.vpr'), blind, sampleMeta({ mapFrame: 'odom', childFrame: '' }));
      const unnamed = build(path.join(folder, 'unnamed.vpr'), sampleReferences(3), sampleMeta({ childFrame: '' }));
      const sources = [a, other, unnamed].map((file) => ({ file }));
      expect(combineMaps(sources, out, { associate: 'none', target: 'new' }).references).to.equal(16);
    }));

  it('keeps the most diverse references of a full place', () =>
    withFolder((folder) => {
      const at = (angle: number): Descriptor => {
        const descriptor = new Float32Array(16);
        descriptor[0] = Math.cos(angle);
        descriptor[1] = Math.sin(angle);
        return descriptor;
      };
      const angles = [0, 0.01, 0.02, 1, 0.03, 2];
      const references = angles.map((angle, i) => ({ ...sampleReference(i), placeId: 1, descriptor: at(angle) }));
      const file = build(path.join(folder, 'a.vpr'), references);
      const out = path.join(folder, 'out.vpr');
      const { overLimit } = combineMaps([{ file }], out, { associate: 'none', target: 'new', maxPerPlace: 3 });
      expect(overLimit).to.equal(3);
      opened(out, (map) => expect([...map.referenceIds]).to.include.members([4, 6]));
    }));
});

describe('selectDiverse', () => {
  it('covers the others better than chance', () => {
    const random = uniformNumbers(8);
    // Five tight clusters of very different sizes: the five that are kept must be one of each.
    const centres = Array.from({ length: 5 }, () => Float32Array.from({ length: 32 }, () => random() - 0.5));
    const members = [40, 3, 1, 20, 2].flatMap((size, cluster) => Array<number>(size).fill(cluster));
    const descriptors = members.map((cluster) =>
      l2Normalize(centres[cluster]!.map((value) => value + (random() - 0.5) * 0.05)),
    );
    const kept = selectDiverse(descriptors, 5);
    expect(kept.map((i) => members[i])).to.have.members([0, 1, 2, 3, 4]);
    expect(kept).to.deep.equal([...kept].sort((a, b) => a - b));
    expect(selectDiverse(descriptors.slice(0, 2), 5)).to.deep.equal([0, 1]);
  });
});

describe('associateByAppearance', () => {
  it('joins places that look alike and leaves new ones alone', () =>
    withFolder((folder) => {
      const random = uniformNumbers(4);
      const noisy = (descriptor: Descriptor, amount: number): Descriptor =>
        l2Normalize(descriptor.map((value) => value + (random() - 0.5) * amount));
      const dimension = 64;
      const base = sampleReferences(40, dimension).map((reference, i) => ({ ...reference, placeId: i + 1 }));
      const meta = sampleMeta({ descriptorDimension: dimension });
      const a = build(path.join(folder, 'a.vpr'), base, meta);
      // The first 30 places again, in another order and under other ids, and 10 places that are nowhere in the first map.
      const again = base
        .slice(0, 30)
        .map((reference, i) => ({ ...reference, descriptor: noisy(reference.descriptor, 0.1), placeId: 100 - i }));
      const fresh = sampleReferences(10, dimension, 77).map((reference, i) => ({ ...reference, placeId: 200 + i }));
      const b = build(path.join(folder, 'b.vpr'), [...again, ...fresh], meta);
      const found = opened(a, (one) =>
        opened(b, (two) =>
          associateByAppearance(one, two, { findInBase: exhaustive(one), findInOther: exhaustive(two), deviations: 4 }),
        ),
      );
      const right = again.filter((reference, i) => found.get(reference.placeId) === i + 1).length;
      expect(right).to.equal(30);
      expect(fresh.filter(({ placeId }) => found.has(placeId))).to.deep.equal([]);
    }));
});

describe('diffMaps', () => {
  it('finds nothing between a map and its copy, and each kind of difference', () =>
    withFolder((folder) => {
      const references = sampleReferences(10);
      const a = build(path.join(folder, 'a.vpr'), references);
      const same = build(path.join(folder, 'same.vpr'), references);
      const changed = references.slice(1).map((reference, i) => ({
        ...reference,
        ...(i === 0 ? { label: 'renamed' } : {}),
        ...(i === 1 ? { pose: { ...reference.pose!, position: [1, 2, 3.5] as const } } : {}),
        ...(i === 8 ? { placeId: 1 } : {}),
      }));
      const b = build(path.join(folder, 'b.vpr'), [...changed, sampleReference(77)], sampleMeta({ storage: 'f16' }));
      opened(a, (one) => {
        opened(same, (two) => {
          const { common, ...rest } = diffMaps(one, two);
          expect(common).to.equal(10);
          expect(Object.values(rest).flat()).to.deep.equal([]);
        });
        opened(b, (two) => {
          const diff = diffMaps(one, two);
          expect(diff.meta).to.deep.equal([{ field: 'storage', first: 'f32', second: 'f16' }]);
          expect([diff.onlyFirst, diff.onlySecond]).to.deep.equal([[1], [10]]);
          expect(diff.relabelled).to.deep.equal([{ first: 2, second: 1 }]);
          expect(diff.moved.map(({ first, second }) => [first, second])).to.deep.equal([[3, 2]]);
          expect(diff.regrouped.map(({ first }) => first)).to.deep.equal([10]);
        });
      });
    }));
});
