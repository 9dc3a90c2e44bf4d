import { expect } from 'chai';
import { StreamClock } from '../../../src/recognizer/StreamClock.js';

const ns = (seconds: number): bigint => BigInt(Math.round(seconds * 1000)) * 1_000_000n;

/** [seconds, jumped] of images: [camera, stamp in seconds]. */
function times(images: readonly (readonly [string, number])[]): [number, boolean][] {
  const clock = new StreamClock();
  return images.map(([camera, stamp]) => {
    const { timeNs, jumped } = clock.advance(camera, ns(stamp));
    expect(clock.nowNs).to.equal(timeNs);
    return [Number(timeNs) / 1e9, jumped];
  });
}

describe('StreamClock', () => {
  it('is the stamp where all clocks agree, whatever the gap', () => {
    const images = [
      ['front', 100],
      ['rear', 100.05],
      ['front', 101],
      ['front', 5000],
      ['rear', 5000.05],
    ] as const;
    expect(times(images)).to.deep.equal(images.map(([, stamp]) => [stamp, false]));
  });

  it('never runs back where cameras take turns out of order', () => {
    expect(
      times([
        ['front', 100],
        ['rear', 99.6],
        ['front', 100.5],
        ['rear', 98],
      ]),
    ).to.deep.equal([
      [100, false],
      [100, false],
      [100.5, false],
      [100.5, true],
    ]);
  });

  it('runs on where a camera’s clock jumps back', () => {
    expect(
      times([
        ['front', 100],
        ['front', 101],
        ['front', 50],
        ['front', 51],
        ['front', 52],
        ['front', 7],
        ['front', 8],
      ]),
    ).to.deep.equal([
      [100, false],
      [101, false],
      [101, true],
      [102, false],
      [103, false],
      [103, true],
      [104, false],
    ]);
  });

  it('jumps once where the clocks of several cameras jump together, whose images come in any order', () => {
    expect(
      times([
        ['front', 100],
        ['rear', 100.1],
        ['front', 101],
        ['front', 50],
        // The last image before the jump, which waited.
        ['rear', 101.1],
        ['rear', 50.1],
        ['front', 51],
        ['rear', 51.1],
      ]),
    ).to.deep.equal([
      [100, false],
      [100.1, false],
      [101, false],
      [101, true],
      [101.1, false],
      [101.1, false],
      [102, false],
      [102.1, false],
    ]);
  });

  it('does not leap by the difference of two clocks where one of them jumps back', () => {
    expect(
      times([
        ['a', 10],
        ['b', 1000],
        ['a', 11],
        ['b', 1001],
        ['a', 5],
        ['b', 995],
        ['a', 6],
      ]),
    ).to.deep.equal([
      [10, false],
      [10, false],
      [11, false],
      [11, false],
      [11, true],
      [11, false],
      [12, false],
    ]);
  });

  it('does not stand still for a clock that was ahead and is gone', () => {
    const seconds = Array.from({ length: 60 }, (_, i) => ['a', 10 + i] as const);
    const got = times([['a', 9], ['b', 9], ['b', 1.7e9], ...seconds]);
    // For as long as a camera may be late, no longer.
    expect(got.at(-1)![0] - 1.7e9).to.be.within(45, 50);
  });

  it('is one for cameras whose clocks differ', () => {
    expect(
      times([
        ['front', 100],
        ['rear', 90],
        ['front', 100.5],
        ['rear', 90.6],
        ['front', 101],
      ]),
    ).to.deep.equal([
      [100, false],
      [100, false],
      [100.5, false],
      [100.6, false],
      [101, false],
    ]);
  });
});
