import { expect } from 'chai';
import { releaseBuffer } from '../../../src/worker/releaseBuffer.js';

describe('releaseBuffer', () => {
  it('frees the memory of many large buffers without waiting for the garbage collector', () => {
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 50; i++) {
      const bytes = new Uint8Array(4_000_000);
      const view = bytes.subarray(100);
      releaseBuffer(view);
      expect(bytes.length).to.equal(0);
    }
    expect(process.memoryUsage().arrayBuffers - before).to.be.below(8_000_000);
  });

  it("leaves the memory that Node's small Buffers share alone", () => {
    const neighbour = Buffer.from('neighbour');
    releaseBuffer(Buffer.from('small'));
    expect(neighbour.toString()).to.equal('neighbour');
  });
});
