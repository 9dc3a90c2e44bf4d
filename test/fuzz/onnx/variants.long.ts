import { expect } from 'chai';
import { dotProduct } from '../../../src/core/descriptor.js';
import type { BuildOptions } from '../../../src/onnx/architectures/Architecture.js';
import {
  buildModel,
  cropBytes,
  cropInput,
  DATA,
  imagesOf,
  maxDifference,
  readRows,
} from '../../conformance/onnx/goldens.js';

const NAME = 'selavprpp-base-gem';
const SIDE = 322;
/** Of 512, of any of the photographs. */
const MOST_BITS = { int8: 12, fp16: 4 } as const;
const LEAST_COSINE = { int8: 0.995, fp16: 0.9999 } as const;

describe('SelaVPR++ in other precisions', function () {
  this.timeout(300_000);
  const goldens = {
    descriptor: readRows(`${DATA}/${NAME}.descriptor.npy`),
    hash: readRows(`${DATA}/${NAME}.hash.npy`),
  };
  const build = (options: Partial<BuildOptions>) => buildModel(NAME, { ...options, height: SIDE, width: SIDE });

  for (const precision of ['int8', 'fp16'] as const)
    it(`flips at most ${MOST_BITS[precision]} bits in ${precision}`, async () => {
      const model = await build({ precision });
      try {
        for (const [i, file] of imagesOf(NAME).entries()) {
          const outputs = await model.run(await cropInput(file, SIDE, SIDE));
          const hash = goldens.hash[i]!;
          const flipped = outputs['hash']!.filter((value, bit) => value >= 0 !== hash[bit]! >= 0).length;
          expect(flipped, `bits of ${file}`).to.be.at.most(MOST_BITS[precision]);
          expect(dotProduct(outputs['descriptor']!, goldens.descriptor[i]!)).to.be.above(LEAST_COSINE[precision]);
        }
      } finally {
        await model.close();
      }
    });

  it('answers bytes as normalised pixels with preprocessing inside', async () => {
    const model = await build({ preprocessInside: true });
    try {
      const outputs = await model.run(await cropBytes(imagesOf(NAME)[0]!, SIDE, SIDE));
      expect(maxDifference(outputs['descriptor']!, goldens.descriptor[0]!)).to.be.at.most(2e-6);
    } finally {
      await model.close();
    }
  });
});
