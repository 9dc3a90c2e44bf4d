import Database from 'better-sqlite3';
import { expect } from 'chai';
import { copyFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { VprError } from '../../src/core/VprError.js';
import { MAP_INDEXES, MAP_TABLES } from '../../src/map/mapSchema.js';
import { PlaceMap } from '../../src/map/PlaceMap.js';
import { verifyMap } from '../../src/map/verifyMap.js';
import { fuzzMaps } from '../unit/map/mutatedMaps.js';
import { withFolder } from '../unit/map/mapFixtures.js';

const DATA = 'test/data/map';

interface Golden {
  readonly meta: Record<string, string>;
  readonly projection: readonly number[];
  readonly mean: readonly number[];
  readonly sessions: readonly unknown[];
  readonly references: readonly {
    readonly referenceId: number;
    readonly placeId: number;
    readonly sessionId: number;
    readonly camera: string;
    readonly label: string;
    readonly stampNs: string;
    readonly pose: readonly number[] | null;
    readonly descriptor: readonly number[];
    readonly code: string;
    readonly thumbnail: string | null;
  }[];
}

const GOLDENS = JSON.parse(readFileSync(path.join(DATA, 'golden-v1.json'), 'utf8')) as Record<string, Golden>;

describe('the map format', () => {
  for (const [storage, golden] of Object.entries(GOLDENS))
    it(`reads what another program wrote by FORMAT.md, version 1, ${storage}`, () => {
      const file = path.join(DATA, `golden-v1-${storage}.vprmap`);
      expect(verifyMap(file)).to.deep.include({ references: 9, whole: 9, problems: [] });
      const map = PlaceMap.open(file, 'read');
      const { binarizer, ...meta } = map.meta;
      for (const [key, value] of Object.entries(meta)) expect(String(value), key).to.equal(golden.meta[key]);
      if (binarizer.kind !== 'projection') throw new Error('Expected a projection');
      expect([...binarizer.projection.subarray(0, 20)]).to.deep.equal(golden.projection);
      expect([...binarizer.mean!]).to.deep.equal(golden.mean);
      expect(map.sessions()).to.deep.equal(golden.sessions);
      expect(map.nextIds).to.deep.equal({ referenceId: 40, placeId: 12 });
      expect([...map.matchCounts()]).to.deep.equal([[5, { matches: 3, lastStampNs: -7n }]]);
      const codes = new Map(
        [...map.codes()].flatMap(({ referenceIds, codes: rows }) =>
          [...referenceIds].map(
            (id, i) => [id, Buffer.from(rows.subarray(64 * i, 64 * i + 64)).toString('hex')] as const,
          ),
        ),
      );
      expect([...codes.keys()]).to.deep.equal(golden.references.map(({ referenceId }) => referenceId));
      for (const expected of golden.references) {
        const { referenceId, descriptor, code, thumbnail, pose, stampNs, ...fields } = expected;
        const reference = map.reference(referenceId);
        expect(reference).to.deep.include({ referenceId, ...fields, stampNs: BigInt(stampNs) });
        expect(
          reference.pose === undefined
            ? null
            : [...reference.pose.position, ...reference.pose.orientation].map((v) => v + 0),
        ).to.deep.equal(pose?.map((v) => v + 0) ?? null);
        const row = new Float32Array(6);
        map.readDescriptors(Uint32Array.of(referenceId), row);
        expect([...row]).to.deep.equal(descriptor);
        expect(codes.get(referenceId)).to.equal(code);
        // Bits 0 and 511 were made from 0 and -0.
        expect([parseInt(code.slice(0, 2), 16) & 0x80, parseInt(code.slice(-2), 16) & 1]).to.deep.equal([0x80, 1]);
        expect(Buffer.from(map.thumbnail(referenceId) ?? []).toString('hex')).to.equal(thumbnail ?? '');
      }
      map.close();
    });

  it('is what FORMAT.md says, statement by statement', () => {
    const page = readFileSync('src/map/FORMAT.md', 'utf8');
    for (const sql of [...Object.values(MAP_TABLES), ...Object.values(MAP_INDEXES)])
      expect(page).to.include(`${sql};\n`);
  });

  it('grows a map that another program wrote', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'map.vpr');
      copyFileSync(path.join(DATA, 'golden-v1-f32.vprmap'), file);
      const map = PlaceMap.open(file, 'append');
      expect(map.beginSession('third', '')).to.equal(3);
      const ids = map.appendReferences([
        {
          placeId: map.newPlaceId(),
          label: 'new',
          camera: 'front',
          stampNs: 1n,
          code: new Uint8Array(64),
          descriptor: Float32Array.of(1, 0, 0, 0, 0, 0),
        },
      ]);
      expect([ids, map.placeOf(40)]).to.deep.equal([[40], 12]);
      map.close();
      expect(verifyMap(file).problems).to.deep.equal([]);
    }));
});

/** Changes that no crash makes but an enemy might, with the sentence that answers each. */
const HOSTILE: readonly (readonly [string, string, RegExp])[] = [
  [
    'a dimension beyond all memory',
    "UPDATE meta SET value = '4000000000', crc = 3480113012 WHERE key = 'descriptorDimension'",
    /descriptorDimension'/,
  ],
  ['a missing key', "DELETE FROM meta WHERE key = 'storage'", /Expected 'storage', got nothing/],
  [
    'a huge meta value',
    "UPDATE meta SET value = hex(zeroblob(5000000)) WHERE key = 'modelName'",
    /unchanged 'modelName'/,
  ],
  [
    'a block of a hundred megabytes',
    'UPDATE code_block SET codes = zeroblob(100000000) WHERE first_reference_id = 3',
    /1\.\.\.4096 codes in the block at 3, got 12 bytes of ids, 12 of places, 100000000 of codes/,
  ],
  [
    'a descriptor of a hundred megabytes',
    'UPDATE descriptor SET data = zeroblob(100000000) WHERE reference_id = 3',
    /a descriptor of 24 bytes for reference 3, got another size/,
  ],
  [
    'a binarizer of a hundred megabytes',
    "UPDATE binarizer SET data = zeroblob(100000000) WHERE name = 'projection'",
    /12288 bytes for the binarizer's projection, got 100000000/,
  ],
  ['no binarizer', 'DELETE FROM binarizer', /binarizer's projection, got nothing/],
  [
    'codes without ids',
    "UPDATE code_block SET reference_ids = x'', place_ids = x'', codes = x''",
    /1\.\.\.4096 codes in the block at 3, got 0 bytes/,
  ],
  [
    'an id below zero',
    'UPDATE code_tail SET reference_id = -4 WHERE reference_id = 15',
    /unchanged code of reference -4/,
  ],
  [
    'an id of 33 bits',
    'UPDATE code_tail SET reference_id = 4294967300 WHERE reference_id = 15',
    /unchanged code of reference 4294967300/,
  ],
  ['records without codes', 'DELETE FROM reference WHERE reference_id > 5', /9 references, one for each code, got 2/],
  [
    'a table of another shape',
    'ALTER TABLE session ADD COLUMN more TEXT',
    /'session' of the format, got another definition/,
  ],
  ['a trigger', 'CREATE TRIGGER t AFTER INSERT ON session BEGIN DELETE FROM reference; END', /the trigger 't'/],
];

describe('a hostile map', () => {
  for (const [name, sql, sentence] of HOSTILE)
    it(`with ${name} is refused`, () =>
      withFolder((folder) => {
        const file = path.join(folder, 'map.vpr');
        copyFileSync(path.join(DATA, 'golden-v1-f32.vprmap'), file);
        const database = new Database(file);
        database.exec(sql);
        database.close();
        const before = process.memoryUsage().rss;
        const read = (): void => {
          const map = PlaceMap.open(file, 'read');
          try {
            for (const { referenceIds } of map.codes())
              map.readDescriptors(referenceIds, new Float32Array(referenceIds.length * 6));
          } finally {
            map.close();
          }
        };
        expect(read).to.throw(VprError, sentence);
        expect(process.memoryUsage().rss - before).to.be.below(80e6);
      })).timeout(60_000);

  it('of 150 seeded mutations neither crashes nor hangs nor loses its error type', () => {
    const { read, refused, found } = fuzzMaps(readFileSync(path.join(DATA, 'golden-v1-f16.vprmap')), 150, 1);
    expect(read).to.be.greaterThan(0);
    expect(refused).to.be.greaterThan(50);
    expect(found).to.be.greaterThan(50);
  }).timeout(120_000);
});
