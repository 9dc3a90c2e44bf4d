import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import sharp from 'sharp';
import type { ImageMessage } from '../../src/core/image.js';
import { dotProduct, type Descriptor } from '../../src/core/descriptor.js';
import { decodeImage } from '../../src/image/decodeImage.js';
import { toTensor } from '../../src/image/toTensor.js';
import { openModel, type OpenModel } from '../../src/inference/openModel.js';

const FOLDER = path.join(process.env['VPR_DATA'] ?? '../shared/data', 'sets/rtabmap-indoor-loop/reference');
const WIDTH = 400;
const HEIGHT = 300;

describe('raw and compressed images of one view', function () {
  this.timeout(60_000);
  let model: OpenModel | undefined;
  before(async function () {
    if (!existsSync(FOLDER)) {
      console.warn(`SKIPPED: no real images at ${FOLDER} (VPR_DATA)`);
      this.skip();
    }
    model = await openModel('models/default');
  });
  after(() => model?.extractor.close());

  async function describeImage(message: ImageMessage): Promise<Descriptor> {
    const tensor = toTensor(await decodeImage(message), model!.extractor.manifest.input);
    return Float32Array.from((await model!.extractor.extract(tensor)).descriptor);
  }

  it('have descriptors of cosine 0.999 or more, as JPEG of quality 95 and as PNG; other views have not', async () => {
    const descriptors: Descriptor[] = [];
    for (const name of readdirSync(FOLDER)
      .sort()
      .slice(0, 12)
      .filter((_, i) => i % 4 === 0)) {
      const file = await decodeImage({
        kind: 'compressed',
        format: 'jpeg',
        data: readFileSync(path.join(FOLDER, name)),
      });
      // Another size than the file's: compressing a JPEG's own pixels again would change almost nothing.
      const pixels = toTensor(file, {
        ...model!.extractor.manifest.input,
        layout: 'nhwc-u8',
        resize: 'bilinear-aa',
        width: WIDTH,
        height: HEIGHT,
      }) as Uint8Array;
      const raw = await describeImage({
        kind: 'raw',
        encoding: 'rgb8',
        width: WIDTH,
        height: HEIGHT,
        step: WIDTH * 3,
        isBigEndian: false,
        data: pixels,
      });
      const encoder = sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });
      const files = {
        jpeg: await encoder.clone().jpeg({ quality: 95 }).toBuffer(),
        png: await encoder.clone().png().toBuffer(),
      };
      for (const [format, data] of Object.entries(files))
        expect(dotProduct(raw, await describeImage({ kind: 'compressed', format, data })), format).to.be.at.least(
          0.999,
        );
      for (const other of descriptors) expect(dotProduct(raw, other)).to.be.lessThan(0.999);
      descriptors.push(raw);
    }
    expect(descriptors).to.have.length(3);
  });
});
