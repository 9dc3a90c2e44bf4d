import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { describeRos } from './describeRos.js';
import { NodeProcess } from './NodeProcess.js';
import { RosPeer, until, type Message } from './RosPeer.js';
import { sampleDrives } from './sampleDrives.js';

const TRANSITION = { configure: 1, cleanup: 2, activate: 3, deactivate: 4, shutdown: 6 } as const;

describeRos('lifecycle of the node', function () {
  this.timeout(120_000);
  let peer: RosPeer;
  let node: NodeProcess | undefined;

  before(async () => {
    peer = await RosPeer.start();
    await peer.subscribe('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray');
  });
  afterEach(async () => {
    await node?.stop();
    node = undefined;
    await peer.do('forget_clients');
  });
  after(() => peer?.stop());

  const change = async (id: number): Promise<boolean> =>
    (await peer.call('lifecycle_msgs/srv/ChangeState', '/vpr_node/change_state', { transition: { id } }))[
      'success'
    ] as boolean;
  const state = async (): Promise<string> => {
    const answer = await peer.call('lifecycle_msgs/srv/GetState', '/vpr_node/get_state');
    return (answer['current_state'] as { label: string }).label;
  };
  const untilActive = async (): Promise<void> => {
    await until('active', () => /mode slam|mode localization/.test(node!.log), 40_000);
    await until('active', async () => (await state()) === 'active');
  };
  const set = async (name: string, value: Message): Promise<{ successful: boolean; reason: string }> => {
    const answer = await peer.call('rcl_interfaces/srv/SetParameters', '/vpr_node/set_parameters', {
      parameters: [{ name, value }],
    });
    return (answer['results'] as { successful: boolean; reason: string }[])[0]!;
  };

  it('goes through every state and survives invalid transitions', async () => {
    node = new NodeProcess({ autostart: false, cameras: ['front'] });
    expect(await state()).to.equal('unconfigured');
    expect(await change(TRANSITION.activate)).to.equal(false);
    expect(await change(99)).to.equal(false);
    expect(await change(TRANSITION.configure)).to.equal(true);
    expect(await state()).to.equal('inactive');
    expect(await change(TRANSITION.configure)).to.equal(false);
    expect(await change(TRANSITION.activate)).to.equal(true);
    expect(await state()).to.equal('active');
    expect(await change(TRANSITION.deactivate)).to.equal(true);
    expect(await change(TRANSITION.cleanup)).to.equal(true);
    expect(await state()).to.equal('unconfigured');
    expect(await change(TRANSITION.configure)).to.equal(true);
    expect(await change(TRANSITION.shutdown)).to.equal(true);
    expect(await state()).to.equal('finalized');
    expect(node.isRunning).to.equal(true);
  });

  it('answers get_state while configure loads, and tells the step in diagnostics', async () => {
    node = new NodeProcess({ autostart: false, execution_providers: ['cpu'] });
    expect(await state()).to.equal('unconfigured');
    const stateStatus = (message: Message): { message: string; values: { key: string }[] } =>
      (message['status'] as { name: string; message: string; values: { key: string }[] }[]).find(({ name }) =>
        name.endsWith(': state'),
      )!;
    const step = peer.take('/diagnostics', (message) => stateStatus(message).message === 'configuring: opening on cpu');
    const configured = change(TRANSITION.configure);
    const seen = new Set<string>();
    let done = false;
    void configured.then(() => (done = true));
    while (!done) seen.add(await state());
    expect(await configured).to.equal(true);
    expect([...seen]).to.include('configuring');
    expect(stateStatus(await step).values.map(({ key }) => key)).to.include.members(['step', 'step_s']);
    const after = await peer.take('/diagnostics', (message) => stateStatus(message).message === 'inactive');
    expect(stateStatus(after).values.map(({ key }) => key)).not.to.include('step');
  });

  it('fails configure for a missing map, says so in diagnostics, and can be put right', async () => {
    const { mapPath } = await sampleDrives();
    node = new NodeProcess({ map: '/nowhere/town.vpr' });
    const failed = await peer.take('/diagnostics', (message) =>
      (message['status'] as { message: string }[]).some((one) => one.message.includes('/nowhere/town.vpr')),
    );
    const status = (failed['status'] as { name: string; level: number }[]).find((one) => one.name.endsWith('state'))!;
    expect(status.level).to.equal(2);
    expect(await state()).to.equal('unconfigured');
    expect(node.log).to.include('MAP_MISSING');
    expect(await set('map', { type: 4, string_value: mapPath })).to.deep.equal({ successful: true, reason: '' });
    expect(await change(TRANSITION.configure)).to.equal(true);
  });

  it('goes by the cameras and the period that were set before it was configured', async () => {
    node = new NodeProcess({ autostart: false });
    expect(await set('cameras', { type: 9, string_array_value: ['front'] })).to.include({ successful: true });
    expect(await set('diagnostics_period_s', { type: 3, double_value: 0.1 })).to.include({ successful: true });
    expect(await change(TRANSITION.configure), node.log).to.equal(true);
    expect(await set('min_margin', { type: 3, double_value: 0.01 })).to.include({ successful: true });
    let last = -Infinity;
    let near = 0;
    await peer.take('/diagnostics', (message) => {
      const { sec, nanosec } = (message['header'] as { stamp: { sec: number; nanosec: number } }).stamp;
      const second = sec + nanosec / 1e9;
      near = second - last < 0.5 ? near + 1 : 0;
      last = second;
      return near >= 5;
    });
  });

  it('knows what a parameter file says of a camera that comes into the list later', async () => {
    node = new NodeProcess({
      autostart: false,
      cameras: ['front'],
      'cameras.rear.topic': '/back/image',
      'cameras.rear.qos_depth': 3,
      'cameras.roof.qos_depth': 'deep',
    });
    const setCameras = (names: readonly string[]) => set('cameras', { type: 9, string_array_value: names });
    expect(await setCameras(['front', 'rear', 'roof'])).to.include({ successful: true });
    const { values } = await peer.call('rcl_interfaces/srv/GetParameters', '/vpr_node/get_parameters', {
      names: ['cameras.rear.topic', 'cameras.rear.qos_depth', 'cameras.front.topic'],
    });
    const [topic, depth, front] = values as Message[];
    expect([topic!['string_value'], depth!['integer_value']]).to.deep.equal(['/back/image', 3]);
    expect(front!['string_value']).to.equal('front/image_raw');
    expect(await change(TRANSITION.configure)).to.equal(false);
    expect(node.log).to.include('for parameter \'cameras.roof.qos_depth\', got "deep"');
    expect(await setCameras(['front', 'rear'])).to.include({ successful: true });
    expect(await change(TRANSITION.configure), node.log).to.equal(true);
  });

  it('fails configure for a wrong value of a parameter file and for an unknown name', async () => {
    node = new NodeProcess({ mode: 'sideways' });
    await until('the reason in the log', () => node!.log.includes('for parameter \'mode\', got "sideways"'));
    expect(await state()).to.equal('unconfigured');
    await node.stop();
    await peer.do('forget_clients');
    node = new NodeProcess({ shortlits: 5 });
    await until('the nearest name in the log', () => node!.log.includes("nearest: 'shortlist'"));
  });

  it('declares ranges, takes dynamic parameters at once and refuses the rest with a reason', async () => {
    node = new NodeProcess({ cameras: ['front', 'rear'] });
    await untilActive();
    const described = await peer.call('rcl_interfaces/srv/DescribeParameters', '/vpr_node/describe_parameters', {
      names: ['shortlist', 'min_margin', 'cameras.rear.topic'],
    });
    const [shortlist, margin, topic] = described['descriptors'] as Message[];
    expect((shortlist!['integer_range'] as Message[])[0]).to.include({ from_value: 1, to_value: 1000 });
    expect((margin!['floating_point_range'] as Message[])[0]).to.include({ from_value: 0, to_value: 2 });
    expect(topic!['description']).to.match(/\S/);
    expect(await set('top_k', { type: 2, integer_value: 3 })).to.deep.equal({ successful: true, reason: '' });
    expect((await set('top_k', { type: 2, integer_value: 1000 })).reason).to.include('1...100');
    expect((await set('min_margin', { type: 3, double_value: 0.125 })).successful).to.equal(true);
    expect(await set('max_speed_mps', { type: 2, integer_value: 2 })).to.deep.equal({
      successful: false,
      reason: "Expected double for parameter 'max_speed_mps', got integer 2: write 2.0",
    });
    expect((await set('top_k', { type: 3, double_value: 3 })).reason).to.equal(
      "Expected integer for parameter 'top_k', got double 3",
    );
    expect((await set('top_k', { type: 0 })).reason).to.equal("Expected integer for parameter 'top_k', got not set");
    expect((await set('cameras', { type: 4, string_value: 'front' })).reason).to.equal(
      "Expected string array for parameter 'cameras', got string front",
    );
    expect((await set('map', { type: 4, string_value: '/x' })).reason).to.include('read at configure');
    expect((await set('nonsense', { type: 4, string_value: '/x' })).reason).to.include('nearest');
    const nothing = await peer.call('rcl_interfaces/srv/GetParameters', '/vpr_node/get_parameters', {
      names: ['nope'],
    });
    expect((nothing['values'] as Message[])[0]!['type']).to.equal(0);
  });

  it('says what to source where there is no ROS', async () => {
    node = new NodeProcess({}, { env: { AMENT_PREFIX_PATH: undefined } });
    expect((await node.exited).code).to.equal(1);
    expect(node.log).to.include('ROS_MISSING').and.include('source /opt/ros');
  });

  it('says why where the binary of rclnodejs does not load, and leaves it alone', async () => {
    const binary = 'node_modules/rclnodejs/build/Release/rclnodejs.node';
    const before = existsSync(binary);
    node = new NodeProcess({}, { env: { LD_LIBRARY_PATH: '', LD_PRELOAD: undefined } });
    expect((await node.exited).code).to.equal(1);
    expect(node.log).to.include('ROS_MISSING').and.include('cannot open shared object file');
    expect(existsSync(binary)).to.equal(before);
  });

  it('lives through 100 rounds of all transitions without growing', async () => {
    node = new NodeProcess({ autostart: false });
    const round = async (): Promise<void> => {
      for (const name of ['configure', 'activate', 'deactivate', 'cleanup'] as const)
        expect(await change(TRANSITION[name])).to.equal(true);
    };
    for (let i = 0; i < 50; i++) await round();
    const before = node.resources();
    for (let i = 0; i < 50; i++) await round();
    const after = node.resources();
    expect(after.descriptors).to.be.at.most(before.descriptors + 2);
    expect(after.threads).to.be.at.most(before.threads + 1);
    expect(after.rssBytes).to.be.below(before.rssBytes * 1.15);
  }).timeout(400_000);
});
