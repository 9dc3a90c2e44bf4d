import { expect } from 'chai';
import Database from 'better-sqlite3';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { NewReference } from '../../../src/core/reference.js';
import { VprError, type VprErrorCode } from '../../../src/core/VprError.js';
import { checkMapModel } from '../../../src/map/MapMeta.js';
import { temporaryNameFor } from '../../../src/map/mapDatabase.js';
import { PlaceMap } from '../../../src/map/PlaceMap.js';
import { verifyMap } from '../../../src/map/verifyMap.js';
import { combineMaps } from '../../../src/mapping/combineMaps.js';
import { sampleMeta, sampleReferences, withFolder } from './mapFixtures.js';

function failure(work: () => unknown): VprError {
  try {
    work();
  } catch (error) {
    if (error instanceof VprError) return error;
    throw error;
  }
  throw new Error('Expected a VprError, got none');
}

function expectCode(code: VprErrorCode, sentence: RegExp, work: () => unknown): void {
  const error = failure(work);
  expect([error.code, error.message.match(sentence) !== null], error.message).to.deep.equal([code, true]);
}

function build(
  file: string,
  references: readonly NewReference[],
  batch = references.length,
  meta = sampleMeta(),
): void {
  const map = PlaceMap.create(file, meta);
  map.beginSession('first', 'a test');
  for (let i = 0; i < references.length; i += batch) map.appendReferences(references.slice(i, i + batch));
  map.close();
}

function expectContent(map: PlaceMap, references: readonly NewReference[], tolerance = 0): void {
  expect(map.size).to.equal(references.length);
  const descriptors = new Float32Array(references.length * map.dimension);
  map.readDescriptors(
    Uint32Array.from(references, (_, i) => i + 1),
    descriptors,
  );
  const codes: Uint8Array[] = [];
  const ids: number[] = [];
  for (const block of map.codes()) {
    block.referenceIds.forEach((id, i) => {
      ids.push(id);
      codes.push(block.codes.slice(i * 64, i * 64 + 64));
      expect(block.placeIds[i]).to.equal(references[id - 1]!.placeId);
    });
  }
  expect(ids).to.deep.equal(references.map((_, i) => i + 1));
  references.forEach((expected, i) => {
    const { code, descriptor, thumbnail, ...fields } = expected;
    expect(map.reference(i + 1)).to.deep.equal({ ...fields, referenceId: i + 1, sessionId: 1 });
    expect(map.placeOf(i + 1)).to.equal(expected.placeId);
    expect(Buffer.from(codes[i]!).equals(code)).to.equal(true);
    const stored = map.thumbnail(i + 1);
    expect(stored === undefined ? undefined : Buffer.from(stored).toString('hex')).to.equal(
      thumbnail === undefined ? undefined : Buffer.from(thumbnail).toString('hex'),
    );
    for (let d = 0; d < map.dimension; d++)
      expect(Math.abs(descriptors[i * map.dimension + d]! - descriptor[d]!)).to.be.at.most(tolerance);
  });
}

describe('PlaceMap', () => {
  for (const [storage, tolerance] of [
    ['f32', 0],
    ['f16', 2 ** -11],
    ['int8', 0.5 / 127],
  ] as const)
    it(`gives back what was appended, stored as ${storage}`, () =>
      withFolder((folder) => {
        const file = path.join(folder, 'map.vpr');
        const references = sampleReferences(30);
        build(file, references, 7, sampleMeta({ storage }));
        const map = PlaceMap.open(file, 'read');
        expectContent(map, references, tolerance);
        expect(map.meta).to.deep.equal(sampleMeta({ storage }));
        expect(map.sessions()).to.deep.equal([{ sessionId: 1, name: 'first', source: 'a test' }]);
        map.close();
      }));

  it('seals the tail into blocks and reads across them', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'map.vpr');
      const references = sampleReferences(2 * 4096 + 5, 4);
      build(file, references, 1000, sampleMeta({ descriptorDimension: 4 }));
      const raw = new Database(file, { readonly: true });
      expect(raw.prepare('SELECT count(*) FROM code_block').pluck().get()).to.equal(2);
      expect(raw.prepare('SELECT count(*) FROM code_tail').pluck().get()).to.equal(5);
      raw.close();
      const map = PlaceMap.open(file, 'read');
      expect([...map.codes()].map((block) => block.referenceIds.length)).to.deep.equal([4096, 4096, 5]);
      const read = [...map.codes()].map((block) => Buffer.from(block.codes));
      expect(Buffer.concat(read).equals(Buffer.concat(references.map(({ code }) => code)))).to.equal(true);
      expect(map.reference(4097).label).to.equal(references[4096]!.label);
      map.close();
    }));

  it('is one file when closed, and can be read where nothing can be written', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'map.vpr');
      build(file, sampleReferences(10));
      expect(readdirSync(folder)).to.deep.equal(['map.vpr']);
      PlaceMap.open(file, 'read').close();
      expect(readdirSync(folder)).to.deep.equal(['map.vpr']);
    }));

  it('appends a second session with ids that go on', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'map.vpr');
      const references = sampleReferences(12);
      build(file, references.slice(0, 5));
      const map = PlaceMap.open(file, 'append');
      expect(map.beginSession('second', '')).to.equal(2);
      expect(map.newPlaceId()).to.equal(4);
      expect(map.appendReferences(references.slice(5))).to.deep.equal([6, 7, 8, 9, 10, 11, 12]);
      expect(map.reference(6).sessionId).to.equal(2);
      expect(map.placeOf(12)).to.equal(references[11]!.placeId);
      expect(map.newPlaceId()).to.equal(7);
      expect(map.summary()).to.include({ references: 12, places: 6, sessions: 2 });
      map.close();
    }));

  it('appends all of a batch or nothing of it', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'map.vpr');
      build(file, sampleReferences(4095));
      const raw = new Database(file);
      // A row that is in the way makes the 10th reference of the batch fail, after the tail was sealed.
      raw.prepare('INSERT INTO thumbnail VALUES (4105, 0, ?)').run(Buffer.from('x'));
      raw.close();
      const map = PlaceMap.open(file, 'append');
      map.beginSession('second', '');
      expectCode('MAP_CORRUPT', /UNIQUE/, () => map.appendReferences(sampleReferences(12)));
      expect(map.size).to.equal(4095);
      map.appendReferences(sampleReferences(3));
      map.close();
      const again = PlaceMap.open(file, 'read');
      expect([...again.codes()].map((block) => block.referenceIds.length)).to.deep.equal([4096, 2]);
      again.close();
    }));

  it('refuses descriptors and poses that are not finite, by the name of their image, and takes nothing of their batch', () =>
    withFolder((folder) => {
      const map = PlaceMap.create(path.join(folder, 'map.vpr'), sampleMeta());
      map.beginSession('first', '');
      for (const bad of [NaN, Infinity]) {
        const references = sampleReferences(3);
        const [first, second] = references as [NewReference, NewReference];
        const descriptor = second.descriptor.slice();
        descriptor[7] = bad;
        expectCode(
          'MODEL_OUTPUT_INVALID',
          new RegExp(`^Expected finite descriptor values for '${second.label}', got NaN or infinity`),
          () => map.appendReferences([first, { ...second, descriptor }]),
        );
        const pose = { position: [1, bad, 0], orientation: [0, 0, 0, 1] } as const;
        expectCode('POSES_INVALID', new RegExp(`^Expected a finite pose for '${second.label}', got NaN`), () =>
          map.appendReferences([first, { ...second, pose }]),
        );
      }
      expect(map.size).to.equal(0);
      map.close();
    }));

  it('lets one process append and others read at the same time', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'map.vpr');
      build(file, sampleReferences(10));
      const writer = PlaceMap.open(file, 'append');
      writer.beginSession('second', '');
      expectCode('MAP_LOCKED', /open for writing elsewhere/, () => PlaceMap.open(file, 'append'));
      const reader = PlaceMap.open(file, 'read');
      writer.appendReferences(sampleReferences(3));
      expect(reader.size).to.equal(10);
      const later = PlaceMap.open(file, 'read');
      expect(later.size).to.equal(13);
      writer.close();
      reader.readDescriptors(Uint32Array.of(1, 10), new Float32Array(32));
      reader.close();
      later.close();
      PlaceMap.open(file, 'append').close();
      expect(readdirSync(folder)).to.deep.equal(['map.vpr']);
    }));

  it('stays the only writer, also after this process asked a second time or read the map', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'map.vpr');
      const writer = PlaceMap.create(file, sampleMeta());
      writer.beginSession('first', '');
      expectCode('MAP_LOCKED', /open for writing elsewhere/, () => PlaceMap.open(file, 'append'));
      PlaceMap.open(file, 'read').close();
      const { href } = new URL('../../../src/map/PlaceMap.js', import.meta.url);
      const other = spawnSync(
        process.execPath,
        [
          '--input-type=module',
          '-e',
          `const { PlaceMap } = await import(${JSON.stringify(href)});
           PlaceMap.open(${JSON.stringify(file)}, 'append');`,
        ],
        { encoding: 'utf8' },
      );
      expect(other.status).to.equal(1);
      expect(other.stderr).to.include('MAP_LOCKED');
      expect(writer.appendReferences(sampleReferences(3))).to.deep.equal([1, 2, 3]);
      writer.close();
    }));

  it('takes nothing of a killed run into a new map: neither the log of a map that was deleted nor a temporary file', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'map.vpr');
      const source = path.join(folder, 'source.vpr');
      build(source, sampleReferences(3));
      const makers: Record<string, () => void> = {
        create: () => {
          const map = PlaceMap.create(file, sampleMeta());
          map.beginSession('new', '');
          map.appendReferences(sampleReferences(3));
          map.close();
        },
        writeMap: () => combineMaps([{ file: source }], file, { associate: 'none', target: 'new' }),
        saveAs: () => {
          const map = PlaceMap.open(source, 'read');
          map.saveAs(file);
          map.close();
        },
      };
      for (const [name, make] of Object.entries(makers)) {
        const old = PlaceMap.create(file, sampleMeta());
        old.beginSession('old', '');
        old.appendReferences(sampleReferences(50));
        // As a killed writer leaves them.
        for (const suffix of ['-wal', '-shm']) copyFileSync(`${file}${suffix}`, `${file}${suffix}.left`);
        old.close();
        rmSync(file);
        for (const suffix of ['-wal', '-shm']) renameSync(`${file}${suffix}.left`, `${file}${suffix}`);
        const [, pid, count] = /-(\d+)-(\d+)$/.exec(temporaryNameFor(file))!;
        for (const next of [1, 2, 3]) writeFileSync(`${file}.new-${pid}-${Number(count) + next}`, 'half a map');
        make();
        const map = PlaceMap.open(file, 'read');
        expect(map.size, name).to.equal(3);
        map.close();
        expect(verifyMap(file).problems, name).to.deep.equal([]);
        for (const left of readdirSync(folder)) if (left !== 'source.vpr') rmSync(path.join(folder, left));
      }
    }));

  it('keeps a map without a file and writes it whole', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'saved.vpr');
      const references = sampleReferences(20);
      const map = PlaceMap.createTemporary(sampleMeta());
      map.beginSession('first', 'a test');
      map.appendReferences(references);
      expect(map.summary().path).to.equal(':memory:');
      map.saveAs(file);
      map.saveAs(file);
      map.close();
      expect(readdirSync(folder)).to.deep.equal(['saved.vpr']);
      const saved = PlaceMap.open(file, 'read');
      expectContent(saved, references);
      saved.close();
    }));

  it('does not replace what is no regular file by saveAs', () =>
    withFolder((folder) => {
      const pipe = path.join(folder, 'pipe');
      execFileSync('mkfifo', [pipe]);
      const map = PlaceMap.createTemporary(sampleMeta());
      expectCode('FILE_NOT_WRITABLE', /regular file/, () => map.saveAs(pipe));
      map.close();
      expect(statSync(pipe).isFIFO()).to.equal(true);
    }));

  it('does not touch the target of saveAs while another writes it', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'map.vpr');
      build(file, sampleReferences(3));
      const writer = PlaceMap.open(file, 'append');
      const map = PlaceMap.createTemporary(sampleMeta());
      expectCode('MAP_LOCKED', /open for writing/, () => map.saveAs(file));
      map.close();
      expect(writer.size).to.equal(3);
      writer.close();
    }));

  it('keeps a binarizer of its own and a calibration', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'map.vpr');
      const meta = sampleMeta({
        binarizer: {
          kind: 'projection',
          projection: Float32Array.from({ length: 512 * 16 }, (_, i) => Math.sin(i)),
          mean: new Float32Array(16).fill(0.25),
        },
        calibration: '{"slope":3}',
      });
      build(file, sampleReferences(1), 1, meta);
      const map = PlaceMap.open(file, 'append');
      expect(map.meta).to.deep.equal(meta);
      map.setCalibration('{"slope":4}');
      expect(map.meta.calibration).to.equal('{"slope":4}');
      map.setCalibration(undefined);
      expect(map.meta).to.not.have.property('calibration');
      map.close();
    }));

  it('refuses another model, with both names', () => {
    const model = { name: 'other-model', sha256: 'cd'.repeat(32), descriptorDimension: 16 };
    expectCode(
      'MAP_OTHER_MODEL',
      /'other-model' .*cdcdcdcdcdcd.* got one built with 'sample-model' .*abababababab/,
      () => checkMapModel(sampleMeta(), model, 'map.vpr'),
    );
    checkMapModel(sampleMeta(), { ...model, sha256: 'ab'.repeat(32) }, 'map.vpr');
  });

  it('says in its own sentence why a map does not open', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'map.vpr');
      const other = (name: string, content: string | Buffer): string => {
        writeFileSync(path.join(folder, name), content);
        return path.join(folder, name);
      };
      build(file, sampleReferences(10));
      expectCode('MAP_MISSING', /no such file/, () => PlaceMap.open(`${file}x`, 'read'));
      expectCode('MAP_MISSING', /no such file/, () => PlaceMap.open(`${file}x`, 'append'));
      expect(existsSync(`${file}x-lock`)).to.equal(false);
      expectCode('MAP_EXISTS', /got one that exists/, () => PlaceMap.create(file, sampleMeta()));
      expectCode('MAP_CORRUPT', /got a directory/, () => PlaceMap.open(folder, 'read'));
      expectCode('MAP_CORRUPT', /empty file/, () => PlaceMap.open(other('empty.vpr', ''), 'read'));
      expectCode('MAP_CORRUPT', /another kind of file/, () =>
        PlaceMap.open(other('text.vpr', 'hello, this is no map'), 'read'),
      );
      const alien = path.join(folder, 'alien.db');
      new Database(alien).exec('CREATE TABLE messages (id)').close();
      expectCode('MAP_CORRUPT', /SQLite database of another kind/, () => PlaceMap.open(alien, 'read'));
      const edit = new Database(file);
      edit.pragma('user_version = 9');
      expectCode('MAP_VERSION', /at most, got 9: a newer release/, () => PlaceMap.open(file, 'read'));
      edit.pragma('user_version = 1');
      edit.exec('CREATE TRIGGER evil AFTER INSERT ON reference BEGIN DELETE FROM descriptor; END');
      expectCode('MAP_CORRUPT', /trigger 'evil'/, () => PlaceMap.open(file, 'append'));
      edit.exec('DROP TRIGGER evil; DROP TABLE thumbnail; CREATE VIEW thumbnail AS SELECT 1');
      expectCode('MAP_CORRUPT', /'thumbnail' of the format, got another definition/, () => PlaceMap.open(file, 'read'));
      edit.close();
      expectCode('FILE_NOT_WRITABLE', /got none/, () =>
        PlaceMap.create(path.join(folder, 'no', 'map.vpr'), sampleMeta()),
      );
      mkdirSync(path.join(folder, 'sub'));
    }));

  it('names the reference whose descriptor, thumbnail or record changed', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'map.vpr');
      build(file, sampleReferences(10));
      const raw = new Database(file);
      raw.exec('UPDATE descriptor SET data = zeroblob(64) WHERE reference_id = 3');
      raw.exec('UPDATE descriptor SET data = zeroblob(63) WHERE reference_id = 5');
      raw.exec("UPDATE thumbnail SET data = x'00' WHERE reference_id = 4");
      raw.exec('UPDATE reference SET x = x + 1e-9 WHERE reference_id = 6');
      raw.close();
      const map = PlaceMap.open(file, 'read');
      const out = new Float32Array(32);
      map.readDescriptors(Uint32Array.of(1, 2), out);
      expectCode('MAP_CORRUPT', /unchanged descriptor of reference 3,/, () =>
        map.readDescriptors(Uint32Array.of(2, 3), out),
      );
      expectCode('MAP_CORRUPT', /descriptor of 64 bytes for reference 5, got another size/, () =>
        map.readDescriptors(Uint32Array.of(5), out),
      );
      expectCode('MAP_CORRUPT', /descriptor of 64 bytes for reference 77, got none/, () =>
        map.readDescriptors(Uint32Array.of(77), out),
      );
      expectCode('MAP_CORRUPT', /thumbnail of reference 4/, () => map.thumbnail(4));
      expectCode('MAP_CORRUPT', /record of reference 6/, () => map.reference(6));
      expect(() => map.reference(11)).to.throw(RangeError, 'no reference 11');
      map.close();
    }));

  it('refuses to append to a map opened for reading', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'map.vpr');
      build(file, sampleReferences(2));
      const map = PlaceMap.open(file, 'read');
      expectCode('MAP_READ_ONLY', /opened for reading/, () => map.beginSession('x', ''));
      map.close();
    }));
});
