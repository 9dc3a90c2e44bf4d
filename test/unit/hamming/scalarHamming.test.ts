import { expect } from 'chai';
import { popcount32, scalarHammingDistances, wordsOf } from '../../../src/hamming/scalarHamming.js';

describe('scalarHamming', () => {
  it('counts bits as a count of the digits of the binary number does', () => {
    for (let word = 1, i = 0; i < 5000; i++, word = (Math.imul(word, 1664525) + 1013904223) >>> 0)
      expect(popcount32(word)).to.equal(word.toString(2).replaceAll('0', '').length);
    expect([popcount32(0), popcount32(0xffffffff)]).to.deep.equal([0, 32]);
  });

  it('gives 0 for equal codes, 512 for complements, and the number of bits flipped', () => {
    const code = Uint8Array.from({ length: 64 }, (_, i) => i * 7);
    const three = code.slice();
    three[0]! ^= 0x80;
    three[31]! ^= 0x01;
    three[63]! ^= 0x10;
    const references = new Uint8Array([...code, ...code.map((byte) => ~byte), ...three]);
    const out = new Uint16Array(3);
    scalarHammingDistances(wordsOf(code), wordsOf(references), 3, out);
    expect([...out]).to.deep.equal([0, 512, 3]);
  });

  it('takes bytes at any address', () => {
    const shifted = new Uint8Array(65).fill(3).subarray(1);
    expect([...wordsOf(shifted)]).to.deep.equal(new Array<number>(16).fill(0x03030303));
    expect(() => wordsOf(new Uint8Array(5))).to.throw(RangeError, 'multiple of 4 bytes, got 5');
  });
});
