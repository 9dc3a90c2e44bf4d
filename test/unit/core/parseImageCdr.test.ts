import { expect } from 'chai';
import { CdrWriter, EncapsulationKind } from '@foxglove/cdr';
import { COMPRESSED_IMAGE_TYPE, parseImageCdr, RAW_IMAGE_TYPE } from '../../../src/core/parseImageCdr.js';
import { VprError } from '../../../src/core/VprError.js';

function rawImage(kind: EncapsulationKind, frameId: string, encoding: string): Uint8Array {
  const writer = new CdrWriter({ kind });
  writer.int32(-3).uint32(250_000_000).string(frameId).uint32(2).uint32(1).string(encoding).uint8(1).uint32(4);
  writer.uint8Array(new Uint8Array([1, 2, 3, 0, 4, 5, 6, 0]), true);
  return writer.data;
}

describe('parseImageCdr', () => {
  for (const [name, kind] of [
    ['little-endian CDR', EncapsulationKind.CDR_LE],
    ['big-endian CDR', EncapsulationKind.CDR_BE],
    ['little-endian CDR 2', EncapsulationKind.RTPS_CDR2_LE],
    ['big-endian CDR 2', EncapsulationKind.RTPS_CDR2_BE],
  ] as const)
    for (const frameId of ['', 'cam', 'camera', 'camera_optical_frame'])
      it(`reads a raw image of ${name} with frame id '${frameId}'`, () => {
        const parsed = parseImageCdr(RAW_IMAGE_TYPE, rawImage(kind, frameId, 'rgb8'));
        expect(parsed.stampNs).to.equal(-2_750_000_000n);
        expect(parsed.frameId).to.equal(frameId);
        expect(parsed.image).to.deep.equal({
          kind: 'raw',
          encoding: 'rgb8',
          width: 1,
          height: 2,
          step: 4,
          isBigEndian: true,
          data: new Uint8Array([1, 2, 3, 0, 4, 5, 6, 0]),
        });
      });

  it('does not copy the pixels', () => {
    const bytes = rawImage(EncapsulationKind.CDR_LE, 'camera', 'rgb8');
    const { image } = parseImageCdr(RAW_IMAGE_TYPE, bytes);
    bytes[bytes.length - 1] = 77;
    expect(image.data.at(-1)).to.equal(77);
  });

  it('reads a message that does not start at the beginning of its buffer', () => {
    const message = rawImage(EncapsulationKind.CDR_LE, 'camera', 'bgr8');
    const shifted = new Uint8Array(message.length + 5);
    shifted.set(message, 5);
    expect(parseImageCdr(RAW_IMAGE_TYPE, shifted.subarray(5)).image.data[1]).to.equal(2);
  });

  it('reads a compressed image', () => {
    const writer = new CdrWriter({ kind: EncapsulationKind.CDR_LE });
    writer.int32(7).uint32(8).string('front').string('rgb8; jpeg compressed bgr8');
    writer.uint8Array(new Uint8Array([0xff, 0xd8]), true);
    const parsed = parseImageCdr(COMPRESSED_IMAGE_TYPE, writer.data);
    expect(parsed.stampNs).to.equal(7_000_000_008n);
    expect(parsed.image).to.deep.equal({
      kind: 'compressed',
      format: 'rgb8; jpeg compressed bgr8',
      data: new Uint8Array([0xff, 0xd8]),
    });
  });

  it('throws MESSAGE_INVALID for every truncation', () => {
    const message = rawImage(EncapsulationKind.CDR_LE, 'camera', 'rgb8');
    for (let length = 0; length < message.length; length++)
      expect(() => parseImageCdr(RAW_IMAGE_TYPE, message.subarray(0, length), '/cam, 1'), `${length} bytes`)
        .to.throw(VprError, /^Expected .* got .*\[\/cam, 1\]$/)
        .with.property('code', 'MESSAGE_INVALID');
  });

  it('refuses an encapsulation that is not plain CDR', () => {
    const message = rawImage(EncapsulationKind.CDR_LE, 'camera', 'rgb8');
    message[1] = 3;
    expect(() => parseImageCdr(RAW_IMAGE_TYPE, message)).to.throw(VprError, /encapsulation, got 0x0003/);
  });

  it('refuses a string that says it is longer than the message', () => {
    const message = rawImage(EncapsulationKind.CDR_LE, 'camera', 'rgb8');
    new DataView(message.buffer, message.byteOffset).setUint32(12, 0xfffffff0, true);
    expect(() => parseImageCdr(RAW_IMAGE_TYPE, message)).to.throw(VprError, /Expected at most 65536 bytes/);
  });
});
