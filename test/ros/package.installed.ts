/** Tests of what colcon installed (VPR_INSTALLED: its prefix); run by .ci/colcon-build.sh. */
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describeRos, rosEnvironment } from './describeRos.js';
import { NodeSession } from './NodeSession.js';
import { sampleDrives } from './sampleDrives.js';

const PREFIX = process.env['VPR_INSTALLED'] ?? '';
const SHARE = path.join(PREFIX, 'share/vpr_node');
const executable = (name: string): string => path.join(PREFIX, 'lib/vpr_node', name);

/** Name, size and time of every file: what a program that wrote something would change. */
function inventory(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => `${file} ${statSync(file).size} ${statSync(file).mtimeMs}`)
    .sort();
}

describeRos('the installed package', function () {
  this.timeout(120_000);
  let session: NodeSession | undefined;

  afterEach(() => session?.end());

  it('has everything where ROS looks for it', () => {
    for (const file of [
      'launch/vpr_node.launch.py',
      'launch/replay.launch.py',
      'config/vpr_node.yaml',
      'config/fastdds_shared_memory.xml',
      'config/vpr_node.rviz',
      'models/default/model.json',
      'msg/PlaceMatch.msg',
      'srv/Query.srv',
      'package.xml',
      'node_modules/rclnodejs/generated/vpr_node/vpr_node__msg__PlaceMatch.js',
      'node_modules/rclnodejs/build/Release/rclnodejs.node',
    ])
      expect(existsSync(path.join(SHARE, file)), file).to.equal(true);
    expect(existsSync(path.join(PREFIX, 'share/ament_index/resource_index/packages/vpr_node'))).to.equal(true);
    expect(existsSync(path.join(SHARE, 'node_modules/rclnodejs/generated/std_msgs'))).to.equal(true);
  });

  it('has the commands vpr and play_bag', () => {
    const run = (name: string, ...args: string[]) =>
      spawnSync(executable(name), args, { encoding: 'utf8', env: rosEnvironment() });
    expect(run('vpr', '--help').stdout).to.include('replay');
    const usage = run('play_bag');
    expect(usage.status).to.equal(1);
    expect(usage.stderr).to.include('Usage: play_bag BAG');
  });

  it('runs, and writes nothing into its folder', async () => {
    const before = inventory(SHARE);
    const { mapPath, messages } = await sampleDrives();
    const images = messages.raw.slice(0, 6);
    session = await NodeSession.begin();
    const running = session;
    const node = await running.start({ map: mapPath }, { program: [executable('vpr_node')] });
    await running.publishing(images, async () => {
      expect(await running.play(images)).to.have.length(images.length);
    });
    // The shell script gives way to the node: a signal reaches it.
    expect(readFileSync(`/proc/${node.pid}/cmdline`, 'utf8')).to.include('share/vpr_node/dist/src/ros/main.js');
    await node.stop('SIGINT');
    expect(await node.exited).to.deep.equal({ code: 0, signal: null });
    expect(inventory(SHARE)).to.deep.equal(before);
  });
});
