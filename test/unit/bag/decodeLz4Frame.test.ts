import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { decodeLz4Frame } from '../../../src/bag/decodeLz4Frame.js';
import { xxHash32 } from '../../../src/bag/xxHash32.js';

const { content, frames } = JSON.parse(readFileSync('test/data/lz4/frames.json', 'utf8')) as {
  content: string;
  frames: { name: string; size: number; content: string | null; frame: string }[];
};

describe('decodeLz4Frame', () => {
  for (const { name, size, content: own, frame } of frames)
    it(`decodes what the C library wrote: ${name}`, () => {
      const expected = Buffer.from(own ?? content, 'base64');
      const decoded = decodeLz4Frame(Buffer.from(frame, 'base64'), size);
      expect(Buffer.compare(decoded, expected)).to.equal(0);
    });

  it('refuses frames that become more or less than they should, and writes no more', () => {
    for (const { name, size, frame } of frames) {
      const bytes = Buffer.from(frame, 'base64');
      expect(() => decodeLz4Frame(bytes, size + 1), name).to.throw(RangeError, `${size} bytes instead of ${size + 1}`);
      if (size > 0) expect(() => decodeLz4Frame(bytes, size - 1), name).to.throw(RangeError, `more than ${size - 1}`);
    }
  });

  it('notices every flipped bit of a frame with checksums', () => {
    const { size, frame } = frames.find(({ name }) => name.includes('with checksums'))!;
    const bytes = Buffer.from(frame, 'base64');
    for (let bit = 0; bit < bytes.length * 8; bit += bit < 200 ? 1 : 2_003) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeLz4Frame(damaged, size), `bit ${bit}`).to.throw(RangeError);
    }
  });

  it('refuses a frame that is cut off anywhere', () => {
    const { size, frame } = frames.find(({ name }) => name.startsWith('linked'))!;
    const bytes = Buffer.from(frame, 'base64');
    for (let length = 0; length < bytes.length; length += length < 100 ? 1 : 997)
      expect(() => decodeLz4Frame(bytes.subarray(0, length), size), `${length} bytes`).to.throw(RangeError);
  });

  it('says what is wrong', () => {
    const header = [0x04, 0x22, 0x4d, 0x18];
    for (const [bytes, sentence] of [
      [[1, 2, 3, 4], 'magic number 4030201'],
      [[...header, 0x80, 0x40, 0], 'format version 2'],
      [[...header, 0x61, 0x40, 0], 'a frame that needs a dictionary'],
      [[...header, 0x60, 0x40, 0], 'a frame header with a wrong checksum'],
      [[...header, 0x60, 0x40, 0x82, 9, 0, 0, 0], 'an end inside a frame'],
    ] as const)
      expect(() => decodeLz4Frame(Uint8Array.from(bytes), 10)).to.throw(RangeError, sentence);
  });
});

describe('xxHash32', () => {
  it('gives the values of the specification', () => {
    // github.com/Cyan4973/xxHash: XXH32 of the empty input, and of texts, seed 0.
    for (const [text, hash] of [
      ['', 0x02cc5d05],
      ['a', 0x550d7456],
      ['abc', 0x32d153ff],
      ['Nobody inspects the spammish repetition', 0xe2293b2f],
    ] as const)
      expect(xxHash32(Buffer.from(text)), text).to.equal(hash);
  });
});
