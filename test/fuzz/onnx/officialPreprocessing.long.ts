import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { dotProduct } from '../../../src/core/descriptor.js';
import { decodeImage } from '../../../src/image/decodeImage.js';
import { toTensor } from '../../../src/image/toTensor.js';
import { IMAGENET_MEAN, IMAGENET_STD } from '../../../src/onnx/architectures/imagenet.js';
import { buildModel, DATA, imagesOf, readRows, type BuiltModel } from '../../conformance/onnx/goldens.js';

/** Of our decode, resize and network against the official transform and network. */
const LEAST_COSINE = 0.9999;

describe('from a PNG through our own decode and resize', function () {
  this.timeout(300_000);
  const NAME = 'selavprpp-base-gem';
  let model: BuiltModel;
  before(async () => (model = await buildModel(NAME)));
  after(() => model.close());

  for (const antialias of ['on', 'off'] as const)
    it(`answers as the official code, antialias ${antialias}`, async () => {
      const input = {
        layout: 'nchw-f32',
        height: 322,
        width: 322,
        resize: antialias === 'on' ? 'bilinear-aa' : 'bilinear',
        normalize: 'before-resize',
        mean: IMAGENET_MEAN,
        std: IMAGENET_STD,
      } as const;
      for (const output of ['descriptor', 'hash']) {
        const goldens = readRows(`${DATA}/${NAME}.antialias-${antialias}.${output}.npy`);
        for (const [i, file] of imagesOf(NAME).entries()) {
          const image = await decodeImage({ kind: 'compressed', format: 'png', data: readFileSync(file) });
          const outputs = await model.run(toTensor(image, input) as Float32Array);
          expect(dotProduct(outputs[output]!, goldens[i]!), `${output} ${i}`).to.be.above(LEAST_COSINE);
        }
      }
    });
});
