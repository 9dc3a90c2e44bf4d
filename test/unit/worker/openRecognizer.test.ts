import { mkdtempSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import type { StampedImage } from '../../../src/core/StampedImage.js';
import type { VprError } from '../../../src/core/VprError.js';
import { PlaceMap } from '../../../src/map/PlaceMap.js';
import { defaultModelPath } from '../../../src/worker/defaultModel.js';
import { openRecognizer, type LocalRecognizer } from '../../../src/worker/openRecognizer.js';

/** Stripes whose width tells images apart. */
function imageAt(second: number, x: number, camera = 'front'): StampedImage {
  const [width, height] = [64, 48];
  const data = Uint8Array.from({ length: width * height }, (_, i) => ((i % width) % (second + 3) < 2 ? 220 : 30));
  return {
    image: { kind: 'raw', encoding: 'mono8', width, height, step: width, isBigEndian: false, data },
    camera,
    frameId: '',
    stampNs: BigInt(second) * 1_000_000_000n,
    name: `${second} s`,
    pose: { position: [x, 0, 0], orientation: [0, 0, 0, 1] },
  };
}

async function failure(work: Promise<unknown>): Promise<VprError> {
  return work.then(
    () => {
      throw new Error('Expected a failure, got a result');
    },
    (error: unknown) => error as VprError,
  );
}

describe('openRecognizer', () => {
  let recognizer: LocalRecognizer;
  const refused: VprError[] = [];
  beforeEach(async () => {
    refused.length = 0;
    recognizer = await openRecognizer(
      { modelPath: defaultModelPath(), mode: 'mapping', executionProviders: ['cpu'], parameters: {} },
      { onMapError: (error) => refused.push(error) },
    );
  });
  afterEach(() => recognizer.close());

  it('makes references by the rules of the moment', async () => {
    const added = async (image: StampedImage) => (await recognizer.recognize(image)).addedReferenceId;
    expect([await added(imageAt(0, 0)), await added(imageAt(1, 1.2))]).to.deep.equal([1, 2]);
    await recognizer.setParameters({ 'keyframe.distance_m': 5, 'keyframe.angle_deg': 0 });
    expect([await added(imageAt(2, 3)), await added(imageAt(3, 7))]).to.deep.equal([undefined, 3]);
  });

  it('answers an image that the map has no room for, says why, and takes in the next', async () => {
    await recognizer.recognize(imageAt(0, 0));
    const answer = await recognizer.recognize(imageAt(1, 9, 'c'.repeat(5000)));
    expect(answer.addedReferenceId).to.equal(undefined);
    expect(refused.map(({ code }) => code)).to.deep.equal(['ARGUMENT_INVALID']);
    expect((await recognizer.recognize(imageAt(2, 20))).addedReferenceId).to.equal(2);
  });

  it('answers from the rest of a map of which references are damaged, and tells of each once', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'vpr-recognizer-'));
    const file = path.join(folder, 'damaged.vpr');
    try {
      for (let i = 0; i < 6; i++) await recognizer.recognize(imageAt(i, 9 * i));
      await recognizer.saveMap(file);
      const database = new Database(file);
      database.exec('UPDATE descriptor SET data = zeroblob(length(data)) WHERE reference_id = 2');
      database.exec("UPDATE reference SET camera = 'other' WHERE reference_id = 5");
      database.close();
      const reader = await openRecognizer(
        {
          modelPath: defaultModelPath(),
          mode: 'localization',
          mapPath: file,
          executionProviders: ['cpu'],
          parameters: {},
        },
        { onMapError: (error) => refused.push(error) },
      );
      for (const second of [1, 3]) {
        const { candidates } = await reader.query(imageAt(second, 0), 10);
        expect(candidates.map(({ referenceId }) => referenceId).sort()).to.deep.equal([1, 3, 4, 6]);
      }
      await reader.close();
      expect(refused.map(({ code, message }) => [code, /of reference (\d)/.exec(message)?.[1]])).to.have.deep.members([
        ['MAP_CORRUPT', '2'],
        ['MAP_CORRUPT', '5'],
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('keeps the map in memory where another cannot be opened, and when it is saved', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'vpr-recognizer-'));
    try {
      await recognizer.recognize(imageAt(0, 0));
      const missing = path.join(folder, 'typo.vpr');
      expect((await failure(recognizer.loadMap(missing))).code).to.equal('MAP_MISSING');
      expect(existsSync(missing)).to.equal(false);
      const saved = await recognizer.saveMap(path.join(folder, 'saved.vpr'));
      expect(saved).to.include({ path: ':memory:', references: 1 });
      expect(existsSync(path.join(folder, 'saved.vpr'))).to.equal(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('has another map open though the old one can no longer be written, says so, and lets go of it', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'vpr-recognizer-'));
    const [first, second] = ['first.vpr', 'second.vpr'].map((name) => path.join(folder, name)) as [string, string];
    try {
      await recognizer.saveMap(second);
      const eager = { acceptance_probability: 0.01, confirm_images: 1, temporal_filter: 'none', exclude_recent_s: 0 };
      const growing = await openRecognizer(
        {
          modelPath: defaultModelPath(),
          mode: 'slam',
          mapPath: first,
          executionProviders: ['cpu'],
          parameters: eager,
        },
        { onMapError: (error) => refused.push(error) },
      );
      for (let i = 0; i < 5; i++) await growing.recognize(imageAt(i, 9 * i));
      const { accepted } = await growing.recognize({ ...imageAt(2, 18), stampNs: 9_000_000_000n });
      expect(accepted, 'a match to be counted').to.equal(true);
      const other = new Database(first);
      other.exec('BEGIN IMMEDIATE');
      expect((await growing.loadMap(second)).path).to.equal(second);
      expect(growing.info.map.path).to.equal(second);
      expect(refused.map(({ code }) => code)).to.deep.equal(['MAP_LOCKED']);
      other.close();
      PlaceMap.open(first, 'append').close();
      await growing.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('adds to places of the map alone', async () => {
    const { placeId } = await recognizer.addPlace(imageAt(0, 0), 'dock', 0);
    expect((await recognizer.addPlace(imageAt(1, 50), '', placeId)).placeId).to.equal(placeId);
    const error = await failure(recognizer.addPlace(imageAt(2, 60), '', 4294967295));
    expect([error.code, error.message]).to.deep.equal([
      'ARGUMENT_INVALID',
      'Expected a place of the map or 0 for a new one, got 4294967295 [:memory:]',
    ]);
  });
});
