import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { RgbImage } from '../../../src/core/image.js';
import { VprError } from '../../../src/core/VprError.js';
import type { TensorInput } from '../../../src/core/tensorInput.js';
import { toTensor } from '../../../src/image/toTensor.js';

interface Golden {
  readonly rule: TensorInput['resize'];
  readonly normalize: TensorInput['normalize'];
  readonly size: readonly [number, number, number, number];
  readonly stride: number;
  readonly offset: number;
  readonly count: number;
}

const { mean, std, cases } = JSON.parse(readFileSync('test/data/image/resample.json', 'utf8')) as {
  mean: [number, number, number];
  std: [number, number, number];
  cases: Golden[];
};
const bytes = readFileSync('test/data/image/resample.bin');
const goldens = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));

/** The image of make_resample_goldens.py: each byte a hash of its index. */
function hashedImage(width: number, height: number): RgbImage {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    let v = Math.imul(i, 2654435761) >>> 0;
    v ^= v >>> 15;
    return (Math.imul(v, 2246822519) >>> 13) & 255;
  });
  return { width, height, data };
}

function inputOf(golden: Pick<Golden, 'rule' | 'normalize' | 'size'>): TensorInput {
  const [, , width, height] = golden.size;
  return { layout: 'nchw-f32', height, width, resize: golden.rule, normalize: golden.normalize, mean, std };
}

describe('toTensor', () => {
  for (const golden of cases) {
    const [inWidth, inHeight, outWidth, outHeight] = golden.size;
    it(`equals torchvision and Pillow: ${golden.rule}, ${golden.normalize}, ${inWidth}x${inHeight} -> ${outWidth}x${outHeight}`, () => {
      const tensor = toTensor(hashedImage(inWidth, inHeight), inputOf(golden));
      expect(tensor).to.have.length(3 * outHeight * outWidth);
      let worst = 0;
      for (let i = 0; i < golden.count; i++)
        worst = Math.max(worst, Math.abs(tensor[i * golden.stride]! - goldens[golden.offset + i]!));
      // Pillow's rules are integers: only the rounding of the normalisation may differ.
      expect(worst).to.be.at.most(golden.rule.startsWith('pil-') ? 1e-6 : 2e-4);
    });
  }

  it('tells one kernel from another (the goldens can fail)', () => {
    const size = [64, 48, 20, 20] as const;
    const golden = cases.find((c) => c.rule === 'bilinear-aa' && String(c.size) === String(size))!;
    const other = toTensor(hashedImage(64, 48), inputOf({ ...golden, rule: 'bicubic-aa' }));
    expect(Math.abs(other[0]! - goldens[golden.offset]!)).to.be.greaterThan(2e-4);
  });

  it('gives bytes for a graph that normalises itself', () => {
    const image = hashedImage(64, 48);
    const input: TensorInput = {
      ...inputOf({ rule: 'pil-bilinear', normalize: 'after-resize', size: [64, 48, 20, 10] }),
    };
    const floats = toTensor(image, input);
    const packed = toTensor(image, { ...input, layout: 'nhwc-u8' });
    expect(packed).to.be.instanceOf(Uint8Array).with.length(600);
    for (let i = 0; i < 200; i++)
      for (let c = 0; c < 3; c++)
        expect(floats[c * 200 + i]).to.be.closeTo((packed[i * 3 + c]! / 255 - mean[c]!) / std[c]!, 1e-5);
  });

  it('hands out its own bytes even when nothing is to be done', () => {
    const image = hashedImage(4, 4);
    const input: TensorInput = { ...inputOf({ rule: 'none', normalize: 'after-resize', size: [4, 4, 4, 4] }) };
    const packed = toTensor(image, { ...input, layout: 'nhwc-u8' });
    expect(packed).to.deep.equal(image.data);
    expect(packed.buffer).not.to.equal(image.data.buffer);
  });

  it('refuses another size when the model does not resize', () => {
    const input = inputOf({ rule: 'none', normalize: 'after-resize', size: [4, 4, 8, 4] });
    expect(() => toTensor(hashedImage(4, 4), input)).to.throw(VprError, 'Expected 8x4 pixels');
  });
});
