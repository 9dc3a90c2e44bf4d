import Database from 'better-sqlite3';
import { expect } from 'chai';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { MapExaminer } from '../../../src/map/MapExaminer.js';
import { PlaceMap } from '../../../src/map/PlaceMap.js';
import { salvageMap } from '../../../src/map/salvageMap.js';
import { verifyMap } from '../../../src/map/verifyMap.js';
import { combineMaps } from '../../../src/mapping/combineMaps.js';
import { uniformNumbers } from '../../../src/core/mulberry32.js';
import { sampleMeta, sampleReference, sampleReferences, withFolder } from './mapFixtures.js';

const REFERENCES = 4096 + 40;

/** A map with a sealed block, a tail, a binarizer, a calibration and match counts. */
function build(file: string): void {
  const meta = sampleMeta({
    binarizer: { kind: 'projection', projection: new Float32Array(512 * 16).fill(0.5), mean: new Float32Array(16) },
    calibration: '{"slope":3}',
  });
  const map = PlaceMap.create(file, meta);
  map.beginSession('first', 'a test');
  map.appendReferences(sampleReferences(REFERENCES));
  map.recordMatches([2, 3, 2], 77n);
  map.close();
}

/** Values that are not what they were: one bit of a blob or text, one more of a number. */
function changed(value: unknown): unknown {
  if (Buffer.isBuffer(value)) {
    const copy = Buffer.from(value);
    copy[copy.length >> 1]! ^= 0x04;
    return copy;
  }
  if (typeof value === 'bigint') return value ^ 1n;
  if (typeof value === 'number') return value + 1e-12;
  return typeof value === 'string' ? `${value.slice(0, -1)}~` : value;
}

describe('verifyMap', function () {
  let whole: Buffer;
  before(() =>
    withFolder((folder) => {
      build(path.join(folder, 'map.vpr'));
      whole = readFileSync(path.join(folder, 'map.vpr'));
    }),
  );

  const inCopy = (use: (file: string, folder: string) => void): void =>
    withFolder((folder) => {
      const file = path.join(folder, 'map.vpr');
      writeFileSync(file, whole);
      use(file, folder);
    });

  it('finds nothing in a whole map', () =>
    inCopy((file) => {
      expect(verifyMap(file)).to.deep.equal({ path: file, references: REFERENCES, whole: REFERENCES, problems: [] });
    }));

  it('finds a change in each column of each table and names the reference', () =>
    inCopy((file, folder) => {
      const tables = [
        'meta',
        'binarizer',
        'session',
        'reference',
        'descriptor',
        'thumbnail',
        'code_block',
        'code_tail',
        'match_count',
      ];
      let changes = 0;
      for (const table of tables) {
        const reading = new Database(file, { readonly: true });
        const columns = (reading.pragma(`table_info(${table})`) as { name: string; pk: number }[]).map(
          ({ name }) => name,
        );
        const key = columns[0]!;
        // The last row but one: in `reference` it has a pose and belongs to the tail.
        const row = reading
          .prepare(`SELECT * FROM ${table} ORDER BY 1 DESC LIMIT 1 OFFSET ${table === 'reference' ? 2 : 0}`)
          .safeIntegers()
          .get() as Record<string, unknown>;
        reading.close();
        for (const column of columns) {
          const copy = path.join(folder, 'copy.vpr');
          copyFileSync(file, copy);
          const writing = new Database(copy);
          // A changed key: another row may have it, so go far away.
          const value = column === key && typeof row[key] === 'bigint' ? row[key] + 100_000n : changed(row[column]);
          writing.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${key} = ?`).run(value, row[key]);
          writing.close();
          const { problems, whole: left } = verifyMap(copy);
          const where = `${table}.${column}`;
          expect(problems, where).to.not.have.length(0);
          const inReference = !['meta', 'binarizer', 'session'].includes(table);
          if (
            inReference &&
            (column === 'data' ||
              column === 'code' ||
              table === 'reference' ||
              (table === 'match_count' && column !== key))
          ) {
            const named = problems.flatMap(({ referenceId }) =>
              referenceId === undefined ? [] : [BigInt(referenceId)],
            );
            expect(named, where).to.include(row[key] as bigint);
            if (table !== 'match_count' && column !== key) expect(left, where).to.equal(REFERENCES - 1);
          }
          changes++;
        }
      }
      expect(changes).to.be.greaterThan(40);
    })).timeout(120_000);

  it('names the one reference whose code changed inside a block', () =>
    inCopy((file) => {
      const database = new Database(file);
      const codes = Buffer.from(database.prepare('SELECT codes FROM code_block').pluck().get() as Buffer);
      codes[64 * 1233 + 17]! ^= 0x80;
      database.prepare('UPDATE code_block SET codes = ?').run(codes);
      database.close();
      const { problems, whole: left } = verifyMap(file);
      expect(problems.map(({ referenceId }) => referenceId)).to.deep.equal([undefined, 1234]);
      expect(left).to.equal(REFERENCES - 1);
      expect(() => [...PlaceMap.open(file, 'read').codes()]).to.throw('unchanged codes of references 1...4096');
    }));

  for (const [part, bytesOf] of [
    ['descriptor', (i: number) => Buffer.from(sampleReference(i).descriptor.buffer)],
    ['thumbnail', (i: number) => Buffer.from(sampleReference(i).thumbnail!)],
    ['code', (i: number) => Buffer.from(sampleReference(i).code)],
  ] as const)
    it(`names the reference whose ${part} has a flipped byte in the file`, () =>
      inCopy((file) => {
        const random = uniformNumbers(11);
        let flips = 0;
        for (const i of part === 'code' ? [4096, 4100, 4110] : [1, 2001, REFERENCES - 5]) {
          const bytes = Buffer.from(whole);
          const at = bytes.indexOf(bytesOf(i));
          // A blob that lies across two pages is not found as one piece.
          if (at < 0) continue;
          bytes[at + Math.floor(random() * 40)]! ^= 1 << Math.floor(random() * 8);
          writeFileSync(file, bytes);
          const { problems, whole: left } = verifyMap(file);
          expect(problems.map(({ referenceId }) => referenceId)).to.include(i + 1);
          expect(left).to.equal(REFERENCES - 1);
          flips++;
        }
        expect(flips).to.be.greaterThan(1);
      }));

  it('never misses a flipped byte that changes what a reader gets', () =>
    inCopy((file) => {
      const random = uniformNumbers(3);
      const content = contentOf(file);
      let found = 0;
      for (let i = 0; i < 10; i++) {
        const bytes = Buffer.from(whole);
        bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
        writeFileSync(file, bytes);
        let problems: number;
        try {
          problems = verifyMap(file).problems.length;
        } catch (error) {
          expect((error as Error).name).to.equal('VprError');
          problems = 1;
        }
        if (problems === 0) expect(contentOf(file).equals(content)).to.equal(true);
        else found++;
      }
      expect(found).to.be.greaterThan(3);
    })).timeout(120_000);

  it('keeps what is whole of a map with destroyed pages', () =>
    inCopy((file, folder) => {
      const bytes = Buffer.from(whole);
      const size = 4096;
      for (const page of [30, 31, 200, 201, 202]) bytes.fill(0xa5, page * size, (page + 1) * size);
      writeFileSync(file, bytes);
      const { problems, whole: left, references } = verifyMap(file);
      expect(problems).to.not.have.length(0);
      expect(left).to.be.lessThan(references);
      expect(left).to.be.greaterThan(1000);
      const target = path.join(folder, 'salvaged.vpr');
      const examiner = new MapExaminer(file);
      const kept = salvageMap(examiner, target);
      examiner.close();
      expect(kept).to.be.at.least(left);
      expect(verifyMap(target)).to.deep.include({ references: kept, whole: kept, problems: [] });
      const map = PlaceMap.open(target, 'read');
      const out = new Float32Array(16);
      for (const { referenceId, label } of map.references()) {
        const expected = sampleReference(referenceId - 1);
        expect(label).to.equal(expected.label);
        map.readDescriptors(Uint32Array.of(referenceId), out);
        expect(Buffer.from(out.buffer).equals(Buffer.from(expected.descriptor.buffer))).to.equal(true);
      }
      map.close();
    })).timeout(60_000);

  it('keeps match counts of a damaged map, and ids that were given out', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'map.vpr');
      const salvaged = (change: string): PlaceMap => {
        const map = PlaceMap.create(file, sampleMeta());
        map.beginSession('first', '');
        map.appendReferences(sampleReferences(10));
        map.recordMatches([1, 2, 3], 5n);
        map.recordMatches([1], 6n);
        map.close();
        const target = path.join(folder, 'salvaged.vpr');
        combineMaps([{ file, keep: ({ referenceId }) => referenceId <= 6 }], file, {
          associate: 'none',
          target: 'overwrite',
        });
        const database = new Database(file);
        database.exec(`UPDATE descriptor SET data = zeroblob(64) WHERE reference_id = 6; ${change}`);
        database.close();
        const examiner = new MapExaminer(file);
        const { modelName, modelSha256 } = sampleMeta();
        expect(salvageMap(examiner, target, { model: { modelName, modelSha256 } })).to.equal(5);
        examiner.close();
        const result = PlaceMap.open(target, 'read');
        for (const name of [file, target]) rmSync(name);
        return result;
      };
      const map = salvaged('UPDATE match_count SET matches = 9 WHERE reference_id = 2');
      expect(map.nextIds).to.deep.equal({ referenceId: 11, placeId: 6 });
      expect([...map.matchCounts()]).to.deep.equal([
        [1, { matches: 2, lastStampNs: 6n }],
        [3, { matches: 1, lastStampNs: 5n }],
      ]);
      map.close();
      const without = salvaged("UPDATE meta SET value = 'x' WHERE key IN ('nextReferenceId', 'nextPlaceId')");
      expect(without.nextIds, 'what the damaged references tell').to.deep.equal({ referenceId: 7, placeId: 4 });
      without.close();
      const half = salvaged("UPDATE meta SET value = 'x' WHERE key IN ('mapFrame', 'nextPlaceId')");
      expect(half.nextIds).to.deep.equal({ referenceId: 11, placeId: 4 });
      half.close();
    }));

  it('names what is left of references that are not there, and counts only those that are', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'map.vpr');
      const map = PlaceMap.create(file, sampleMeta());
      map.beginSession('first', '');
      map.appendReferences(sampleReferences(4));
      map.close();
      const database = new Database(file);
      database.exec('INSERT INTO match_count VALUES (900, 1, 1, 1), (901, 1, 1, 1), (902, 1, 1, 1), (903, 1, 1, 1)');
      database.exec("INSERT INTO thumbnail VALUES (77, 1, x'00')");
      database.close();
      const { problems, ...counts } = verifyMap(file);
      expect(counts).to.deep.include({ references: 4, whole: 4 });
      expect(problems.map(({ table, referenceId }) => [table, referenceId])).to.deep.equal([
        ['match_count', 900],
        ['match_count', 901],
        ['match_count', 902],
        ['match_count', 903],
        ['thumbnail', 77],
      ]);
    }));

  for (const storage of ['f32', 'f16', 'int8'] as const)
    it(`keeps the references of a map whose meta is damaged, key by key and as a whole (${storage})`, () =>
      withFolder((folder) => {
        const file = path.join(folder, 'map.vpr');
        const meta = sampleMeta({ storage, mapFrame: 'map', childFrame: '' });
        const map = PlaceMap.create(file, meta);
        map.beginSession('first', 'a test');
        map.appendReferences(sampleReferences(30));
        const expected = [...map.references()];
        map.close();
        const database = new Database(file);
        const keys = database.prepare('SELECT key FROM meta').pluck().all() as string[];
        const given = { modelName: meta.modelName, modelSha256: meta.modelSha256 };
        for (const where of [
          ...keys.map((key) => `key = '${key}'`),
          "key IN ('storage', 'descriptorDimension')",
          'true',
        ]) {
          database.exec(`BEGIN; UPDATE meta SET value = 'x' || value WHERE ${where}; COMMIT`);
          const target = path.join(folder, 'salvaged.vpr');
          const examiner = new MapExaminer(file);
          expect(examiner.problems[0]?.sentence, where).to.match(
            /^Expected readable meta, got: Expected an unchanged '/,
          );
          expect(salvageMap(examiner, target, { model: given }), where).to.equal(30);
          examiner.close();
          expect(verifyMap(target).problems, where).to.deep.equal([]);
          const salvaged = PlaceMap.open(target, 'read');
          expect(salvaged.meta, where).to.deep.equal(meta);
          expect([...salvaged.references()], where).to.deep.equal(expected);
          salvaged.close();
          rmSync(target);
          database.exec(`UPDATE meta SET value = substr(value, 2) WHERE ${where}`);
        }
        database.close();
      }));

  it('does not write a map that would say a wrong model or code by a wrong binarizer', () =>
    inCopy((file, folder) => {
      const database = new Database(file);
      const target = path.join(folder, 'salvaged.vpr');
      const refusal = (): string => {
        const examiner = new MapExaminer(file);
        try {
          salvageMap(examiner, target);
          return '';
        } catch (error) {
          return (error as Error).message;
        } finally {
          examiner.close();
        }
      };
      database.exec("UPDATE meta SET value = 'x' WHERE key = 'modelSha256'");
      expect(refusal()).to.match(
        /^Expected the model of the map to be named for a new map, got a damaged meta without modelSha256 \[/,
      );
      database.exec('UPDATE binarizer SET crc = crc + 1');
      expect(refusal()).to.match(/^Expected a whole binarizer for a new map, got .* without modelSha256, binarizer \[/);
      database.close();
    }));
});

/** All that a reader gets from a map, as bytes. */
function contentOf(file: string): Buffer {
  const map = PlaceMap.open(file, 'read');
  try {
    const parts: Uint8Array[] = [Buffer.from(JSON.stringify([map.meta, map.sessions()]))];
    for (const block of map.codes()) {
      const descriptors = new Float32Array(block.referenceIds.length * map.dimension);
      map.readDescriptors(block.referenceIds, descriptors);
      parts.push(block.codes.slice(), new Uint8Array(descriptors.buffer));
    }
    for (const reference of map.references()) {
      parts.push(Buffer.from(JSON.stringify({ ...reference, stampNs: String(reference.stampNs) })));
      parts.push(map.thumbnail(reference.referenceId) ?? new Uint8Array());
    }
    return Buffer.concat(parts);
  } finally {
    map.close();
  }
}
