import { expect } from 'chai';
import { readNpy, writeNpy, type NpyData } from '../../../src/core/npy.js';
import { VprError } from '../../../src/core/VprError.js';

/** numpy.save of numpy.array([[1, 2, 3], [4, 5, 6]], dtype='<i4'), NumPy 2. */
const GOLDEN =
  '934e554d5059010076007b276465736372273a20273c6934272c2027666f727472616e5f6f72646572273a2046616c73652c20277368617065273a2028322c2033292c207d' +
  '20'.repeat(58) +
  '0a010000000200000003000000040000000500000006000000';

describe('npy', () => {
  it('reads and writes the bytes that NumPy writes', () => {
    const golden = new Uint8Array(Buffer.from(GOLDEN, 'hex'));
    const { data, shape, type } = readNpy(golden, 'golden');
    expect([shape, type, [...(data as Int32Array)]]).to.deep.equal([[2, 3], '<i4', [1, 2, 3, 4, 5, 6]]);
    expect(Buffer.from(writeNpy(Int32Array.of(1, 2, 3, 4, 5, 6), [2, 3])).toString('hex')).to.equal(GOLDEN);
  });

  it('reads back every type and shape, at any address', () => {
    const arrays: [NpyData, number[]][] = [
      [Uint8Array.of(1, 2, 3), [3]],
      [Float32Array.of(0.5, -1, 3, 7), [2, 2]],
      [BigInt64Array.of(-5n), [1, 1, 1]],
      [new Float64Array(0), [0, 512]],
      [Uint16Array.of(9), []],
    ];
    for (const [data, shape] of arrays) {
      const file = writeNpy(data, shape);
      expect(file.length % 64).to.equal(data.byteLength % 64);
      const shifted = new Uint8Array(file.length + 3);
      shifted.set(file, 3);
      for (const bytes of [file, shifted.subarray(3)]) {
        const read = readNpy(bytes, 'array');
        expect(read.shape).to.deep.equal(shape);
        expect(read.data).to.deep.equal(data);
      }
    }
  });

  it('refuses other files, naming them', () => {
    const good = writeNpy(Float32Array.of(1, 2), [2]);
    const edited = (from: string, to: string): Uint8Array =>
      new Uint8Array(Buffer.from(Buffer.from(good).toString('latin1').replace(from, to), 'latin1'));
    for (const [file, part] of [
      [new Uint8Array(4), 'a NumPy array'],
      [good.subarray(0, good.length - 1), '2 values of 4 bytes, got 7 bytes'],
      [good.subarray(0, 40), 'header of 128 bytes'],
      [edited('<f4', '>f4'), "got '>f4'"],
      [edited('<f4', '|O '), "got '|O '"],
      [edited("'shape'", "'shame'"), "'shape' in the .npy header"],
      [edited('(2,)', '(99)'), '99 values'],
    ] as const)
      expect(() => readNpy(file, 'x.npy'))
        .to.throw(VprError, part)
        .with.property('message')
        .that.includes('[x.npy]');
    expect(() => writeNpy(Float32Array.of(1), [2])).to.throw(RangeError);
  });
});
