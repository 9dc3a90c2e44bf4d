import { expect } from 'chai';
import { playWorld } from '../../../src/cli/tuning/playWorld.js';
import type { TuningWorld } from '../../../src/cli/tuning/TuningWorld.js';
import { parseParameters } from '../../../src/config/parseParameters.js';
import { binarize } from '../../../src/core/binaryCode.js';
import type { Descriptor } from '../../../src/core/descriptor.js';
import { GENERIC_CONFIDENCE } from '../../../src/recognizer/ConfidenceModel.js';
import { recognizerSettings } from '../../../src/worker/recognizerSettings.js';
import { sampleReferences } from '../map/mapFixtures.js';

// More than the candidates of the temporal filter, however short the list.
const PLACES = 200;
const NOTHING = { width: 0, height: 0, data: new Uint8Array() };

describe('playWorld', () => {
  it('codes queries by the rule of the references, where these come from a map with codes of its own', async () => {
    // Of the model's codes, all the same here, nothing can be found by a list.
    const encode = (descriptor: Descriptor): Uint8Array =>
      binarize(
        Float32Array.from({ length: 512 }, (_, bit) => descriptor[bit % descriptor.length]! - 0.002 * (bit >> 4)),
      );
    const references = sampleReferences(PLACES).map((reference, i) => ({
      ...reference,
      placeId: i + 1,
      code: encode(reference.descriptor),
    }));
    const world: TuningWorld = {
      name: 'places asked again',
      dimension: 16,
      references,
      queries: references.map(({ camera, stampNs, label, descriptor }) => ({
        image: {
          image: { kind: 'compressed', format: '', data: new Uint8Array() },
          camera,
          frameId: camera,
          stampNs: stampNs + 1_000_000_000_000n,
          name: label,
        },
        described: { descriptor, code: new Uint8Array(64), pixels: NOTHING, decodeMs: 0, inferenceMs: 0 },
      })),
      verdict: (query, reference) => (query === reference ? 'right' : 'wrong'),
    };
    const settings = recognizerSettings(parseParameters({ shortlist: 1, top_k: 1 }));
    const rightOf = async (played: TuningWorld): Promise<number> =>
      (await playWorld(played, { settings, confidence: GENERIC_CONFIDENCE })).images.filter(
        ({ single }) => single?.verdict === 'right',
      ).length;
    expect(await rightOf({ ...world, encode })).to.equal(PLACES);
    expect(await rightOf(world)).to.be.below(PLACES / 2);
  });
});
