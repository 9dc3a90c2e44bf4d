import { spawnSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { expect } from 'chai';
import { describeRos } from './describeRos.js';

describeRos('.ci/ros2-from-pip.sh', () => {
  it('finds what it made from a shell that sourced it, and builds nothing on top', () => {
    const before = readFileSync('.cache/ros.env', 'utf8');
    const rclnodejs = realpathSync('node_modules/rclnodejs');
    // It takes a second; where it takes its own ROS for another's, compiling begins, which fails without a compiler.
    const { status, stderr } = spawnSync(
      'bash',
      ['-c', '. .cache/ros.env && CXX=false CC=false .ci/ros2-from-pip.sh'],
      {
        encoding: 'utf8',
      },
    );
    expect([status, stderr]).to.deep.equal([0, '']);
    expect(readFileSync('.cache/ros.env', 'utf8')).to.equal(before);
    expect(realpathSync('node_modules/rclnodejs')).to.equal(rclnodejs);
  });
});
