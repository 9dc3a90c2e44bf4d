import { expect } from 'chai';
import { buildModel, cropInput, DATA, imagesOf, maxDifference, readRows } from './goldens.js';
import type { Architecture, BuildOptions } from '../../../src/onnx/architectures/Architecture.js';

/** Largest difference of an element of an L2-normalised output, all arithmetic in f32. */
const TOLERANCE = 2e-6;
/** Bits must agree where the logit is further from 0 than this. */
const LOGIT_FLOOR = 1e-5;

/** Declares the test that a network built here answers as the official code did (test/data/onnx/make_goldens.py). */
export function itAnswersAsOfficial(
  architecture: string | Pick<Architecture, 'name' | 'build'>,
  side: number,
  options: Partial<BuildOptions> & { readonly golden?: string; readonly images?: number } = {},
): void {
  const golden = options.golden ?? (typeof architecture === 'string' ? architecture : architecture.name);
  const variant = options.attention === 'plain' ? ' with standard operators only' : '';
  it(`builds ${golden} that answers as the official code${variant}`, async function () {
    this.timeout(300_000);
    const model = await buildModel(architecture, { ...options, checkpoint: golden, height: side, width: side });
    try {
      const descriptors = readRows(`${DATA}/${golden}.descriptor.npy`);
      // Goldens that all say the same would prove nothing.
      expect(maxDifference(descriptors[0]!, descriptors.at(-1)!)).to.be.above(10 * TOLERANCE);
      for (let i = 0; i < (options.images ?? descriptors.length); i++) {
        const outputs = await model.run(await cropInput(imagesOf(golden)[i]!, side, side));
        expect(maxDifference(outputs['descriptor']!, descriptors[i]!), `descriptor ${i}`).to.be.at.most(TOLERANCE);
        if (outputs['hash'] === undefined) continue;
        const hash = readRows(`${DATA}/${golden}.hash.npy`)[i]!;
        expect(maxDifference(outputs['hash'], hash), `hash ${i}`).to.be.at.most(TOLERANCE);
        const flipped = outputs['hash'].filter(
          (value, bit) => value >= 0 !== hash[bit]! >= 0 && Math.abs(hash[bit]!) > LOGIT_FLOOR,
        );
        expect(flipped.length, `bits of image ${i}`).to.equal(0);
      }
    } finally {
      await model.close();
    }
  });
}
