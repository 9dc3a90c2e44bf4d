import { expect } from 'chai';
import type { Pose } from '../../../src/core/pose.js';
import { TransformTree } from '../../../src/bag/TransformTree.js';

const FRAMES = { map: 'map', base: 'base_link' };

function poseAt(x: number): Pose {
  return { position: [x, 2 * x, 3 * x], orientation: [0, 0, Math.sin(x / 1e6), Math.cos(x / 1e6)] };
}

describe('TransformTree', () => {
  it('gives back each of many transforms as it was added', () => {
    const tree = new TransformTree();
    const add = (parent: string, child: string, x: number): void =>
      tree.add({ stampNs: BigInt(x) * 1_000_000n, frameId: parent, childFrameId: child, pose: poseAt(x) }, false);
    for (let i = 0; i < 1000; i++) {
      add('map', 'base_link', i);
      add('base_link', 'wheel', -i);
    }
    const { poses, frameId, childFrameId } = tree.track(FRAMES, '/tf');
    expect([frameId, childFrameId, poses.length]).to.deep.equal(['map', 'base_link', 1000]);
    for (const [i, { pose, stampNs }] of poses.entries()) {
      expect(stampNs).to.equal(BigInt(i) * 1_000_000n);
      expect(pose.position).to.deep.equal([i, 2 * i, 3 * i]);
      expect(pose.orientation[2]).to.be.closeTo(Math.sin(i / 1e6), 1e-12);
    }
  });

  it('keeps little memory for each transform, also of frames that nobody asked for', () => {
    const count = 1_000_000;
    const pose = poseAt(1);
    const tree = new TransformTree();
    const memory = (): number => {
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const before = memory();
    for (let i = 0; i < count; i++)
      tree.add({ stampNs: BigInt(i), frameId: 'base_link', childFrameId: 'wheel', pose: { ...pose } }, false);
    // Objects take 400 bytes; columns 64, up to twice that when they have just grown, and their halves until they are collected.
    expect((memory() - before) / count).to.be.lessThan(250);
    expect(tree.frames()).to.deep.equal(['base_link', 'wheel']);
  });

  it('counts the broken transforms of the chain, moving and static, and no others', () => {
    const tree = new TransformTree();
    for (let i = 0; i < 10; i++) {
      const stampNs = BigInt(i) * 100_000_000n;
      tree.add({ stampNs, frameId: 'odom', childFrameId: 'base_link', pose: i % 2 ? undefined : poseAt(i) }, false);
      tree.add({ stampNs, frameId: 'base_link', childFrameId: 'wheel', pose: undefined }, false);
    }
    tree.add({ stampNs: 0n, frameId: 'map', childFrameId: 'odom', pose: poseAt(7) }, true);
    tree.add({ stampNs: 0n, frameId: 'map', childFrameId: 'odom', pose: undefined }, true);
    const track = tree.track(FRAMES, '/tf');
    expect([track.poses.length, track.invalidCount]).to.deep.equal([5, 6]);
  });
});
