import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import sharp from 'sharp';
import { openImageSource } from '../../../src/bag/openImageSource.js';
import { describeSource } from '../../../src/cli/describeSource.js';
import { VprError } from '../../../src/core/VprError.js';
import type { DescriptorExtractor, Extraction } from '../../../src/inference/DescriptorExtractor.js';
import { openModel } from '../../../src/inference/openModel.js';
import { defaultModelPath } from '../../../src/worker/defaultModel.js';

describe('describeSource', () => {
  let folder: string;
  let extractor: DescriptorExtractor;
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'vpr-describe-'));
    const grey = { create: { width: 40, height: 30, channels: 3, background: '#777' } } as const;
    for (const name of ['a.png', 'c.png']) await sharp(grey).png().toFile(path.join(folder, name));
    writeFileSync(path.join(folder, 'b.png'), 'no picture');
    ({ extractor } = await openModel(defaultModelPath()));
  });
  after(async () => {
    await extractor.close();
    rmSync(folder, { recursive: true });
  });

  /** Ends counted, so that no progress line stays open. */
  async function describe_(one: DescriptorExtractor) {
    let ends = 0;
    const progress = { update: () => undefined, end: () => void ends++ };
    const outcome = await describeSource(await openImageSource(folder), one, progress).catch((error: unknown) => error);
    return { outcome, ends };
  }

  it('leaves out a damaged picture and keeps the positions of the others', async () => {
    const { outcome, ends } = await describe_(extractor);
    expect(outcome).to.deep.include({ count: 3, skipped: 1, skippedByCode: { IMAGE_ENCODING_UNSUPPORTED: 1 } });
    expect((outcome as { images: { position: number }[] }).images.map(({ position }) => position)).to.deep.equal([
      0, 2,
    ]);
    expect(ends).to.equal(1);
  });

  it('ends where the model has no answer, and names the picture', async () => {
    const mute: DescriptorExtractor = {
      manifest: extractor.manifest,
      provider: 'cpu',
      extract: (): Promise<Extraction> => Promise.reject(new VprError('MODEL_OUTPUT_INVALID', 'Expected an answer')),
      close: () => Promise.resolve(),
    };
    const { outcome, ends } = await describe_(mute);
    expect(outcome).to.be.instanceOf(VprError).with.property('message', 'Expected an answer [a.png]');
    expect(ends).to.equal(1);
  });
});
