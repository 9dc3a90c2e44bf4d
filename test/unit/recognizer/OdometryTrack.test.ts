import { expect } from 'chai';
import type { Pose } from '../../../src/core/pose.js';
import { OdometryTrack } from '../../../src/recognizer/OdometryTrack.js';

const at = (x: number): Pose => ({ position: [x, 0, 0], orientation: [0, 0, 0, 1] });

describe('OdometryTrack', () => {
  it('gives the motion since the image before, and the way driven', () => {
    const track = new OdometryTrack();
    expect(track.advance(at(1))).to.equal(undefined);
    expect(track.advance(at(3))?.position).to.deep.equal([2, 0, 0]);
    expect(track.advance(at(2.5))?.position).to.deep.equal([-0.5, 0, 0]);
    expect(track.drivenM).to.equal(2.5);
  });

  it('knows no motion to an image without odometry, nor from one, but the way driven meanwhile', () => {
    const track = new OdometryTrack();
    track.advance(at(0));
    expect(track.advance(undefined)).to.equal(undefined);
    expect(track.advance(at(15))).to.equal(undefined);
    expect(track.advance(at(16))?.position).to.deep.equal([1, 0, 0]);
    expect(track.drivenM).to.equal(16);
  });
});
