import { expect } from 'chai';
import { dotProduct } from '../../../src/core/descriptor.js';
import type { BuildOptions } from '../../../src/onnx/architectures/Architecture.js';
import { buildModel, cropBytes, cropInput, imagesOf, maxDifference } from './goldens.js';

const CHECKPOINT = 'cosplace-resnet18';
const SIDE = 128;

/** The answer of one form of a small network to the same pixels. */
async function answer(options: Partial<BuildOptions>, index: number): Promise<Float32Array> {
  const model = await buildModel('cosplace', { ...options, checkpoint: CHECKPOINT, height: SIDE, width: SIDE });
  try {
    const file = imagesOf(CHECKPOINT)[index]!;
    const read = options.preprocessInside === true ? cropBytes : cropInput;
    return (await model.run(await read(file, SIDE, SIDE)))['descriptor']!;
  } finally {
    await model.close();
  }
}

describe('forms of a network', function () {
  this.timeout(60_000);
  let plain: readonly Float32Array[];
  before(async () => (plain = [await answer({}, 0), await answer({}, 2)]));

  it('answer other images otherwise, or the rest would prove nothing', () => {
    expect(maxDifference(plain[0]!, plain[1]!)).to.be.above(1e-2);
  });

  it('with preprocessing inside answer bytes as the other answers normalised pixels', async () => {
    expect(maxDifference(await answer({ preprocessInside: true }, 0), plain[0]!)).to.be.below(1e-6);
  });

  it('in half precision answer as in single precision, to what 11 bits of mantissa leave', async () => {
    const half = await answer({ precision: 'fp16' }, 0);
    expect(dotProduct(half, plain[0]!)).to.be.above(0.99999);
    expect(maxDifference(half, plain[0]!), 'it is another arithmetic').to.be.above(1e-7);
  });
});
