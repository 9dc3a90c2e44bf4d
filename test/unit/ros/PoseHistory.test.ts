import { expect } from 'chai';
import { PoseHistory } from '../../../src/ros/PoseHistory.js';

const STARTS_MS = 100_000;

function ns(ms: number): bigint {
  return BigInt(STARTS_MS + ms) * 1_000_000n;
}

/** A robot that drives 1 m/s along x, with a pose every 20 ms for a second. */
class Drive {
  readonly poses = new PoseHistory();

  constructor() {
    for (let ms = 0; ms <= 1000; ms += 20) this.see(ms, ms / 1000);
  }

  see(ms: number, x: number): void {
    this.poses.add(ns(ms), { position: [x, 0, 0], orientation: [0, 0, 0, 1] });
  }

  xAt(ms: number): number | undefined {
    return this.poses.at(ns(ms))?.position[0];
  }
}

describe('PoseHistory', () => {
  it('interpolates, takes the nearest within a quarter of a second, and has none beyond', () => {
    const drive = new Drive();
    expect(drive.xAt(510)).to.be.closeTo(0.51, 1e-12);
    expect(drive.xAt(1250)).to.equal(1);
    expect(drive.xAt(1251)).to.equal(undefined);
    expect(drive.xAt(-250)).to.equal(0);
    expect(drive.xAt(-251)).to.equal(undefined);
  });

  it('takes the later of two poses with one stamp, and keeps the others', () => {
    const drive = new Drive();
    drive.see(1000, 7);
    expect(drive.xAt(1000)).to.equal(7);
    expect(drive.xAt(510)).to.be.closeTo(0.51, 1e-12);
    drive.see(500, 3);
    expect(drive.xAt(500)).to.equal(3);
    expect(drive.xAt(480)).to.equal(0.48);
  });

  it('puts a pose that was overtaken where it belongs', () => {
    const drive = new Drive();
    drive.see(990, 9);
    expect(drive.xAt(990)).to.equal(9);
    expect([drive.xAt(980), drive.xAt(1000), drive.xAt(500)]).to.deep.equal([0.98, 1, 0.5]);
    drive.see(0, 5);
    expect([drive.xAt(0), drive.xAt(1000)]).to.deep.equal([5, 1]);
  });

  it('begins anew where time went back by more than a second', () => {
    const drive = new Drive();
    drive.see(-1, 5);
    expect([drive.xAt(-1), drive.xAt(500), drive.xAt(1000)]).to.deep.equal([5, undefined, undefined]);
  });

  it('keeps no more than the last 400 poses', () => {
    const drive = new Drive();
    for (let ms = 1001; ms <= 1400; ms++) drive.see(ms, ms / 1000);
    expect(drive.xAt(700)).to.equal(undefined);
    expect(drive.xAt(1001)).to.equal(1.001);
  });
});
