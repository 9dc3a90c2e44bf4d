import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { ZstdFrameGuard } from '../../../src/bag/ZstdFrameGuard.js';
import { fileWith, GOOD, read, useFolder } from './bagFixtures.js';

/** A frame of one raw byte. */
const SMALL = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x01, 0x09, 0x00, 0x00, 0x41);
/** A frame whose header asks for a window of 1 GiB, for a run of eight bytes. */
const GREEDY = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 0x43, 0x00, 0x00, 0x41);
/** A frame that decompressors skip, three bytes of it. */
const SKIPPABLE = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);

describe('ZstdFrameGuard', () => {
  useFolder();
  const whole = readFileSync(`${GOOD}/db3_file_zstd/db3_file_zstd.db3.zstd`);

  for (const step of [1, 7, 1 << 20])
    it(`finds every frame of a stream that comes ${step} bytes at a time`, () => {
      const guard = new ZstdFrameGuard();
      const push = (bytes: Uint8Array): void => {
        for (let at = 0; at < bytes.length; at += step) guard.push(bytes.subarray(at, at + step));
      };
      for (const bytes of [whole, SMALL, SKIPPABLE, whole, SMALL]) push(bytes);
      expect(() => push(GREEDY)).to.throw(RangeError, 'a window of 1073741824 bytes (at most 134217728 are read)');
    });

  it('refuses a file whose second frame asks for a gigabyte, without the memory', async () => {
    for (const bytes of [Buffer.concat([SMALL, GREEDY]), Buffer.concat([whole, SKIPPABLE, GREEDY])]) {
      const before = process.memoryUsage().arrayBuffers;
      const { code, sentences } = await read(fileWith(bytes, 'bag.db3.zstd'));
      expect(process.memoryUsage().arrayBuffers - before).to.be.lessThan(200e6);
      expect([code, sentences[0]]).to.satisfy(
        ([one, words]: string[]) =>
          one === 'BAG_INVALID' && /^Expected a whole zstd file, got a window of 1073741824/.test(words!),
        sentences[0],
      );
    }
  });

  it('refuses a block of no known kind', () => {
    const bytes = Uint8Array.from(SMALL).fill(0x0f, 6, 7);
    expect(() => new ZstdFrameGuard().push(bytes)).to.throw(RangeError, 'a block of no known kind');
  });
});
