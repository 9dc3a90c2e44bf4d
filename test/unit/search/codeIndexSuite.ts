import { expect } from 'chai';
import { CODE_BYTES } from '../../../src/core/binaryCode.js';
import type { CodeIndex, PositionRange } from '../../../src/search/CodeIndex.js';
import { clusteredCodes, differenceFromOracle } from './codeMaps.js';
import { uniformNumbers } from '../../../src/core/mulberry32.js';
import { randomBytes } from './randomRows.js';

const everything = (n: number): PositionRange[] => (n > 0 ? [[0, n]] : []);

/** What every way to scan codes must do; `create` makes an empty index. */
export function codeIndexSuite(name: string, create: () => CodeIndex, maps = 1000): void {
  describe(`codes scanned by ${name}`, () => {
    const open: CodeIndex[] = [];
    const make = (codes: Uint8Array): CodeIndex => {
      const index = create();
      open.push(index);
      index.append(codes, codes.length / CODE_BYTES);
      return index;
    };
    afterEach(async () => {
      await Promise.all(open.splice(0).map((index) => index.close()));
    });

    for (const [kind, codesOf] of [
      ['random', (n: number, random: () => number) => randomBytes(n * CODE_BYTES, random)],
      ['clustered', clusteredCodes],
    ] as const) {
      it(`equals the scalar oracle on ${maps} ${kind} maps of ragged sizes`, async () => {
        const random = uniformNumbers(kind.length);
        for (let map = 0; map < maps; map++) {
          const n = Math.floor(random() ** 2 * 700);
          const codes = codesOf(n, random);
          const index = create();
          // In ragged portions, so that blocks are filled both at once and code by code.
          for (let done = 0; done < n;) {
            const take = Math.min(n - done, 1 + Math.floor(random() * 400));
            index.append(codes.subarray(done * CODE_BYTES, (done + take) * CODE_BYTES), take);
            done += take;
          }
          const removed = new Set<number>();
          for (let i = 0; i < n / 10; i++) {
            const position = Math.floor(random() * n);
            index.remove(position);
            removed.add(position);
          }
          const cuts = Array.from({ length: 4 }, () => Math.floor(random() * (n + 1))).sort((a, b) => a - b);
          const ranges = (map % 3 === 0
            ? everything(n)
            : [
                [cuts[0]!, cuts[1]!],
                [cuts[2]!, cuts[3]!],
              ]
          ).filter(([from, to]) => to! > from!) as unknown as PositionRange[];
          const query = n > 0 && map % 2 === 0 ? codes.slice(0, CODE_BYTES) : randomBytes(CODE_BYTES, random);
          const k = 1 + Math.floor(random() ** 2 * 300);
          const difference = differenceFromOracle(index, codes, query, k, ranges, removed);
          await index.close();
          expect(difference, `map ${map}`).to.equal(undefined);
        }
      });
    }

    it('is exact for k up to 1000 and beyond, with more codes than its candidate list holds', () => {
      const random = uniformNumbers(5);
      const codes = randomBytes(9001 * CODE_BYTES, random);
      const index = make(codes);
      for (const k of [1, 100, 999, 1000, 1024, 1025, 5000, 9001, 20000])
        expect(differenceFromOracle(index, codes, randomBytes(CODE_BYTES, random), k, everything(9001))).to.equal(
          undefined,
        );
    });

    it('is exact when codes come nearer and nearer: every one of them enters the selection', () => {
      const n = 6000;
      const codes = new Uint8Array(n * CODE_BYTES);
      // Code i differs from the query (zero) in 512 - floor(i / 12) bits.
      for (let row = 0; row < n; row++)
        for (let bit = 0; bit < 512 - Math.floor(row / 12); bit++)
          codes[row * CODE_BYTES + (bit >>> 3)]! |= 128 >>> (bit & 7);
      const index = make(codes);
      for (const k of [1, 100, 1000])
        expect(differenceFromOracle(index, codes, new Uint8Array(CODE_BYTES), k, everything(n))).to.equal(undefined);
    });

    it('gives every distance 0...512 of one bit pattern after the other', () => {
      const codes = new Uint8Array(513 * CODE_BYTES);
      for (let row = 0; row <= 512; row++)
        for (let bit = 0; bit < row; bit++) codes[row * CODE_BYTES + (bit >>> 3)]! |= 128 >>> (bit & 7);
      const index = make(codes);
      const result = index.nearest(new Uint8Array(CODE_BYTES), 1, 600, everything(513))[0]!;
      expect([...result.distances]).to.deep.equal(Array.from({ length: 513 }, (_, i) => i));
      expect([...result.positions]).to.deep.equal(Array.from({ length: 513 }, (_, i) => i));
    });

    it('takes the lowest positions among equal codes, at even, odd, zero and full distance', () => {
      for (const bits of [0, 1, 2, 101, 256, 511, 512]) {
        const code = new Uint8Array(CODE_BYTES);
        for (let bit = 0; bit < bits; bit++) code[bit >>> 3]! |= 128 >>> (bit & 7);
        const n = 5000;
        const codes = new Uint8Array(n * CODE_BYTES);
        for (let row = 0; row < n; row++) codes.set(code, row * CODE_BYTES);
        const result = make(codes).nearest(new Uint8Array(CODE_BYTES), 1, 100, everything(n))[0]!;
        expect([...result.positions], `${bits} bits`).to.deep.equal(Array.from({ length: 100 }, (_, i) => i));
        expect([...new Set(result.distances)]).to.deep.equal([bits]);
      }
    });

    it('answers 1...17 queries at once as it answers each alone', () => {
      const random = uniformNumbers(9);
      const codes = clusteredCodes(5000, random);
      const index = make(codes);
      for (const n of [1, 2, 7, 8, 9, 17]) {
        const queries = randomBytes(n * CODE_BYTES, random);
        expect(differenceFromOracle(index, codes, queries, 50, everything(5000))).to.equal(undefined);
      }
    });

    it('answers an empty index and an empty range with nothing', () => {
      const index = make(new Uint8Array(0));
      expect(index.nearest(new Uint8Array(CODE_BYTES), 1, 10, [])[0]!.positions.length).to.equal(0);
      index.append(new Uint8Array(CODE_BYTES), 1);
      expect(index.nearest(new Uint8Array(CODE_BYTES), 1, 10, [])[0]!.positions.length).to.equal(0);
      expect([...index.nearest(new Uint8Array(CODE_BYTES), 1, 10, [[0, 1]])[0]!.positions]).to.deep.equal([0]);
    });

    it('finds each appended code at once', () => {
      const random = uniformNumbers(11);
      const index = make(new Uint8Array(0));
      for (let position = 0; position < 300; position++) {
        const code = randomBytes(CODE_BYTES, random);
        index.append(code, 1);
        const { positions, distances } = index.nearest(code, 1, 1, everything(position + 1))[0]!;
        expect([positions[0], distances[0]]).to.deep.equal([position, 0]);
      }
    });

    it('refuses wrong sizes and positions', () => {
      const index = make(new Uint8Array(CODE_BYTES));
      expect(() => index.append(new Uint8Array(65), 1)).to.throw(RangeError, '64 bytes for 1 codes, got 65');
      expect(() => index.remove(1)).to.throw(RangeError, 'below 1, got 1');
    });
  });
}
