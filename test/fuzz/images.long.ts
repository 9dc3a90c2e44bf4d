import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { CdrWriter, EncapsulationKind } from '@foxglove/cdr';
import { CdrCursor } from '../../src/core/CdrCursor.js';
import { COMPRESSED_IMAGE_TYPE, parseImageCdr, RAW_IMAGE_TYPE } from '../../src/core/parseImageCdr.js';
import { readFix, readPoseMessage, readTransforms } from '../../src/bag/readPose.js';
import { Ros1Cursor } from '../../src/bag/Ros1Cursor.js';
import { decodeImage } from '../../src/image/decodeImage.js';
import { expectSafe } from './expectSafe.js';

interface Golden {
  readonly kind: 'raw' | 'compressed';
  readonly encoding: string;
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly step: number;
  readonly message: readonly [number, number];
}

const { cases } = JSON.parse(readFileSync('test/data/image/encodings.json', 'utf8')) as { cases: Golden[] };
const blob = new Uint8Array(readFileSync('test/data/image/encodings.bin'));
const bytesOf = ({ message: [offset, length] }: Golden): Uint8Array => blob.slice(offset, offset + length);

function serialize(golden: Golden): Uint8Array {
  const writer = new CdrWriter({ kind: EncapsulationKind.CDR_LE });
  writer.int32(1).uint32(2).string('camera');
  if (golden.kind === 'compressed') writer.string(golden.format);
  else writer.uint32(golden.height).uint32(golden.width).string(golden.encoding).uint8(0).uint32(golden.step);
  writer.uint8Array(bytesOf(golden), true);
  return writer.data;
}

function poseMessage(): Uint8Array {
  const writer = new CdrWriter({ kind: EncapsulationKind.CDR_LE });
  writer.uint32(2);
  for (const frame of ['odom', 'base_link']) {
    writer.int32(1).uint32(2).string(frame).string('child');
    for (let i = 0; i < 7; i++) writer.float64(i);
  }
  return writer.data;
}

describe('fuzzing images and messages', function () {
  this.timeout(1_800_000);

  it('decodes or refuses 20,000 mutated image files', async () => {
    const samples = cases.filter(({ kind }) => kind === 'compressed').map(bytesOf);
    const refused = await expectSafe(samples, 20_000, (data) => decodeImage({ kind: 'compressed', format: '', data }));
    expect(refused).to.be.greaterThan(1000);
  });

  it('parses and decodes or refuses 30,000 mutated image messages', async () => {
    const samples = cases.map(serialize);
    const refused = await expectSafe(samples, 30_000, (bytes, sample) => {
      const type = cases[sample]!.kind === 'raw' ? RAW_IMAGE_TYPE : COMPRESSED_IMAGE_TYPE;
      const { image } = parseImageCdr(type, bytes, '/cam, 1 s');
      return image.kind === 'raw' ? decodeImage(image) : undefined;
    });
    expect(refused).to.be.greaterThan(1000);
  });

  it('reads or refuses 20,000 mutated pose messages', async () => {
    const readers = [
      (bytes: Uint8Array) => readTransforms(new CdrCursor(bytes, 'tf')),
      (bytes: Uint8Array) => readTransforms(new Ros1Cursor(bytes, 'tf')),
      (bytes: Uint8Array) => readPoseMessage('nav_msgs/msg/Odometry', new CdrCursor(bytes, 'odom')),
      (bytes: Uint8Array) => readFix(new CdrCursor(bytes, 'fix')),
    ];
    const sample = poseMessage();
    const refused = await expectSafe([sample, sample, sample, sample], 20_000, (bytes, i) => readers[i]!(bytes));
    expect(refused).to.be.greaterThan(1000);
  });
});
