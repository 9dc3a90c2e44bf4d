import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import sharp from 'sharp';
import type { ImageMessage, RawImageMessage } from '../../../src/core/image.js';
import { VprError } from '../../../src/core/VprError.js';
import { decodeImage } from '../../../src/image/decodeImage.js';

interface Golden {
  readonly kind: 'raw' | 'compressed';
  readonly encoding: string;
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly step: number;
  readonly isBigEndian: boolean;
  readonly message: readonly [number, number];
  readonly rgb: readonly [number, number];
  readonly tolerance: number;
}

const { cases } = JSON.parse(readFileSync('test/data/image/encodings.json', 'utf8')) as { cases: Golden[] };
const blob = new Uint8Array(readFileSync('test/data/image/encodings.bin'));
const bytes = ([offset, length]: readonly [number, number]): Uint8Array => blob.subarray(offset, offset + length);

function messageOf(golden: Golden): ImageMessage {
  const { encoding, format, width, height, step, isBigEndian } = golden;
  const data = bytes(golden.message);
  return golden.kind === 'compressed'
    ? { kind: 'compressed', format, data }
    : { kind: 'raw', encoding, width, height, step, isBigEndian, data };
}

async function failure(message: ImageMessage): Promise<VprError> {
  try {
    await decodeImage(message, '/cam, 1 s');
  } catch (error) {
    expect(error).to.be.instanceOf(VprError);
    return error as VprError;
  }
  throw new Error('Expected a VprError, got an image');
}

describe('decodeImage', () => {
  cases.forEach((golden, i) => {
    const { kind, width, height } = golden;
    const what =
      kind === 'raw'
        ? `${golden.encoding}, step ${golden.step}${golden.isBigEndian ? ', big-endian' : ''}`
        : `'${golden.format}'`;
    it(`sees what OpenCV, Pillow and NumPy see: ${kind} ${what}, ${width}x${height} (${i})`, async () => {
      const image = await decodeImage(messageOf(golden));
      expect([image.width, image.height]).to.deep.equal([width, height]);
      const expected = bytes(golden.rgb);
      expect(image.data).to.have.length(expected.length);
      let worst = 0;
      for (let k = 0; k < expected.length; k++) worst = Math.max(worst, Math.abs(image.data[k]! - expected[k]!));
      expect(worst).to.be.at.most(golden.tolerance);
    });
  });

  const image: RawImageMessage = {
    kind: 'raw',
    encoding: 'rgb8',
    width: 4,
    height: 3,
    step: 12,
    isBigEndian: false,
    data: new Uint8Array(36),
  };
  for (const [what, change, code, sentence] of [
    [
      'an encoding that every object has a member of',
      { encoding: 'constructor' },
      'IMAGE_ENCODING_UNSUPPORTED',
      /Expected one of rgb8, .* got 'constructor'/,
    ],
    [
      'an encoding nobody knows',
      { encoding: '32FC1' },
      'IMAGE_ENCODING_UNSUPPORTED',
      /Expected one of rgb8, .* got '32FC1'/,
    ],
    ['no pixels', { width: 0, height: 0 }, 'IMAGE_INVALID', /Expected at least 1x1 pixels .*, got 0x0/],
    [
      'a step below its width',
      { step: 11 },
      'IMAGE_INVALID',
      /Expected a step of at least 12 bytes for 4 pixels of rgb8, got 11/,
    ],
    ['too few bytes', { data: new Uint8Array(35) }, 'IMAGE_INVALID', /Expected 36 bytes for 3 rows of step 12, got 35/],
    [
      '65535 x 65535 pixels in 36 bytes',
      { width: 65535, height: 65535, step: 196605 },
      'IMAGE_TOO_LARGE',
      /got 65535x65535/,
    ],
    [
      'a size beyond 32 bits',
      { width: 4294967295, height: 4294967295, step: 4294967295 },
      'IMAGE_TOO_LARGE',
      /Expected at most/,
    ],
    [
      'a Bayer mosaic too small to interpolate',
      { encoding: 'bayer_rggb8', width: 2, height: 2, step: 2 },
      'IMAGE_INVALID',
      /at least 3x3/,
    ],
    [
      'a chroma plane that is missing',
      { encoding: 'nv21', width: 12 },
      'IMAGE_INVALID',
      /Expected 60 bytes for 5 rows/,
    ],
  ] as const)
    it(`refuses a raw image with ${what}`, async () => {
      const error = await failure({ ...image, ...change });
      expect(error.code).to.equal(code);
      expect(error.message)
        .to.match(sentence)
        .and.match(/ \[\/cam, 1 s\]$/);
    });

  it('takes a last row without its padding', async () => {
    const data = Uint8Array.from({ length: 2 * 16 + 12 }, (_, i) => i);
    const decoded = await decodeImage({ ...image, step: 16, data });
    expect(decoded.data.at(-1)).to.equal(43);
  });

  it('refuses compressed images that are cut off, empty or something else', async () => {
    const jpeg = bytes(cases.find(({ format }) => format === 'jpeg')!.message);
    const png = bytes(cases.find(({ format }) => format === 'png')!.message);
    const compressed = (data: Uint8Array): ImageMessage => ({ kind: 'compressed', format: 'jpeg', data });
    for (const cut of [jpeg.subarray(0, jpeg.length - 40), png.subarray(0, png.length - 40)]) {
      const error = await failure(compressed(cut));
      expect(error.code).to.equal('IMAGE_INVALID');
      expect(error.message).to.match(/Expected a whole (JPEG|PNG) image, got .*\[\/cam, 1 s\]$/);
    }
    expect((await failure(compressed(new Uint8Array()))).message).to.match(/got 0 bytes/);
    const other = await failure(compressed(new TextEncoder().encode('<svg/>')));
    expect(other.code).to.equal('IMAGE_ENCODING_UNSUPPORTED');
    expect(other.message).to.match(/of format 'jpeg', got bytes that start with 3c 73 76 67/);
  });

  it('refuses colours that it would get wrong: CMYK, and YCbCr in a TIFF that is not of JPEG', async () => {
    const compressed = (data: Uint8Array, format = 'tiff'): ImageMessage => ({ kind: 'compressed', format, data });
    const flat = sharp({ create: { width: 16, height: 8, channels: 3, background: { r: 200, g: 40, b: 90 } } });
    const cmyk = await failure(compressed(await flat.clone().toColourspace('cmyk').jpeg().toBuffer(), 'jpeg'));
    expect(cmyk.code).to.equal('IMAGE_ENCODING_UNSUPPORTED');
    expect(cmyk.message).to.equal('Expected grey or RGB for the pixels of the JPEG image, got CMYK [/cam, 1 s]');
    // The tag PhotometricInterpretation (262), one value of type SHORT: RGB (2) becomes YCbCr (6).
    const tiff = Buffer.from(bytes(cases.find(({ format }) => format === 'tiff')!.message));
    const at = tiff.indexOf(Buffer.from([6, 1, 3, 0, 1, 0, 0, 0, 2, 0]));
    expect(at).to.be.above(0);
    tiff[at + 8] = 6;
    const chroma = await failure(compressed(tiff));
    expect(chroma.code).to.equal('IMAGE_ENCODING_UNSUPPORTED');
    expect(chroma.message).to.equal('Expected grey or RGB for the pixels of the TIFF image, got YCbCr [/cam, 1 s]');
    const jpeg = await flat.clone().tiff({ compression: 'jpeg', quality: 80 }).toBuffer();
    expect(jpeg.includes(Buffer.from([6, 1, 3, 0, 1, 0, 0, 0, 6, 0])), 'a TIFF of YCbCr in JPEG').to.equal(true);
    const { data } = await decodeImage(compressed(jpeg));
    for (const [i, value] of [200, 40, 90].entries()) expect(data[i]).to.be.closeTo(value, 4);
    // Cut off in its directory, it is the decoder that says so.
    expect((await failure(compressed(tiff.subarray(0, 7)))).code).to.equal('IMAGE_INVALID');
  });

  it('refuses a PNG whose header says 65535 x 65535 before it allocates', async () => {
    const png = Uint8Array.from(bytes(cases.find(({ format }) => format === 'png')!.message));
    const view = new DataView(png.buffer);
    view.setUint32(16, 65535);
    view.setUint32(20, 65535);
    const before = process.memoryUsage().rss;
    const error = await failure({ kind: 'compressed', format: 'png', data: png });
    expect(error.code).to.be.oneOf(['IMAGE_TOO_LARGE', 'IMAGE_INVALID']);
    expect(process.memoryUsage().rss - before).to.be.lessThan(200e6);
  });
});
