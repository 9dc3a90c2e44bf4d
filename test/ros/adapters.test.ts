import { expect } from 'chai';
import { describeRos } from './describeRos.js';
import { NodeSession, stampOf } from './NodeSession.js';
import { until, type Message } from './RosPeer.js';
import { sampleDrives, type DriveMessage } from './sampleDrives.js';

const POSE = 'geometry_msgs/msg/PoseWithCovarianceStamped';
const ODOMETRY = { topic: '/odom', type: 'nav_msgs/msg/Odometry' };
/** Every image is accepted at once, and one rejected image is a loss. */
const EAGER = { acceptance_probability: 0.02, confirm_images: 1, lost_after_images: 1, temporal_filter: 'none' };

describeRos('adapters of the node', function () {
  this.timeout(120_000);
  let session: NodeSession;
  let images: readonly DriveMessage[];
  let mapPath: string;

  before(async () => {
    const drives = await sampleDrives();
    mapPath = drives.mapPath;
    images = drives.messages.compressed.filter(({ camera }) => camera === 'front');
    session = await NodeSession.begin();
    for (const topic of ['/initialpose', '/global_pose']) await session.peer.subscribe(topic, POSE);
  });
  beforeEach(() => {
    for (const topic of ['/initialpose', '/global_pose']) session.peer.forget(topic);
  });
  afterEach(() => session.stop());
  after(() => session?.end());

  const setParameter = async (name: string, value: Message): Promise<void> => {
    const answer = await session.call('set_parameters', 'rcl_interfaces/srv/SetParameters', {
      parameters: [{ name, value }],
    });
    expect((answer['results'] as { successful: boolean }[])[0]!.successful, name).to.equal(true);
  };
  const stampMessage = (ns: bigint): Message => ({
    sec: Number(ns / 1_000_000_000n),
    nanosec: Number(ns % 1_000_000_000n),
  });

  it('sends initialpose once each time that it comes out of UNKNOWN or LOST, and never meanwhile', async () => {
    await session.start({ map: mapPath, publish_initialpose_when_lost: true, ...EAGER });
    await session.publishing(images, async () => {
      const [first] = await session.play(images.slice(0, 6));
      expect(first!['accepted']).to.equal(true);
      await setParameter('min_margin', { type: 3, double_value: 2 });
      const lost = await session.play(images.slice(6, 9));
      expect(lost[0]!['state']).to.equal(3);
      await setParameter('min_margin', { type: 3, double_value: 0 });
      const found = await session.play(images.slice(9, 14));
      expect(found[0]!['accepted']).to.equal(true);
      await until('two poses', () => session.peer.heard('/initialpose').length >= 2);
      const sent = session.peer.heard('/initialpose');
      expect(sent.map(stampOf)).to.deep.equal([images[0]!.stampNs, images[9]!.stampNs]);
      const poses = session.peer.heard('/vpr_node/pose');
      for (const pose of sent) {
        expect((pose['header'] as Message)['frame_id']).to.equal('map');
        expect(pose).to.deep.equal(poses.find((one) => stampOf(one) === stampOf(pose)));
      }
    });
  });

  it('sends initialpose once after load_map, ~/localize, a restart of the worker and activate', async () => {
    await session.start(
      { map: mapPath, cameras: ['front'], publish_initialpose_when_lost: true, acceptance_probability: 0.02 },
      { env: { NODE_OPTIONS: `--import ${new URL('crashWorkerOnce.js', import.meta.url).href}` } },
    );
    let next = 0;
    const expected: bigint[] = [];
    /** Three images, of which the second is confirmed: its pose is the one that is to be sent. */
    const find = async (): Promise<void> => {
      const matches = await session.play(images.slice(next, next + 3));
      expect(matches.map(({ state }) => state)).to.deep.equal([1, 2, 2]);
      expected.push(images[next + 1]!.stampNs);
      next += 3;
    };
    await session.publishing(images, async () => {
      await find();
      expect(await session.call('load_map', 'vpr_node/srv/LoadMap', { path: mapPath })).to.include({ success: true });
      await find();
      // Nothing is published meanwhile: it forgets, and says after a while that it saw nothing.
      expect(await session.call('localize', 'std_srvs/srv/Trigger')).to.include({ success: false });
      await find();
      session.node.kill('SIGUSR2');
      await until('the restart in the log', () => session.node.log.includes('the recognition worker runs again'));
      await find();
      for (const transition of [4, 3]) expect(await session.change(transition)).to.equal(true);
      await session.peer.untilMatched(images[0]!.topic);
      await find();
      await until('all poses', () => session.peer.heard('/initialpose').length >= expected.length);
      expect(session.peer.heard('/initialpose').map(stampOf)).to.deep.equal(expected);
    });
  });

  it('sends nothing that was not asked for', async () => {
    await session.start({ map: mapPath, ...EAGER });
    await session.publishing(images, async () => {
      const matches = await session.play(images.slice(0, 4));
      expect(matches.every((match) => match['accepted'])).to.equal(true);
      await until('all poses', () => session.peer.heard('/vpr_node/pose').length >= 4);
    });
    expect(session.peer.heard('/initialpose')).to.have.length(0);
    expect(session.peer.heard('/global_pose')).to.have.length(0);
    const names = await session.peer.do<string[]>('topic_names');
    expect(names).to.not.include('/rtabmap/info');
  });

  it("sends rtabmap every accepted pose, and closures as links between rtabmap's own nodes", async () => {
    const { peer } = session;
    await peer.do('serve', { type: 'rtabmap_msgs/srv/AddLink', name: '/rtabmap/add_link' });
    await peer.advertise('/rtabmap/info', 'rtabmap_msgs/msg/Info');
    await session.start({
      map: mapPath,
      publish_rtabmap_global_pose: true,
      publish_rtabmap_links: true,
      base_frame: 'base_footprint',
      ...EAGER,
      'loop_closure.debounce_s': 0,
    });
    await peer.untilMatched('/rtabmap/info');
    // rtabmap has a node 0.2 s after each image of the first drive (from 1000 s) and of the second (from 2000 s).
    for (const [start, id] of [
      [1000, 100],
      [2000, 500],
    ] as const)
      for (let i = 0; i < 24; i++)
        await peer.publish('/rtabmap/info', {
          header: { stamp: { sec: start + i, nanosec: 200_000_000 }, frame_id: '' },
          ref_id: id + i,
        });
    await session.publishing(images, async () => {
      const matches = await session.play(images.slice(0, 5));
      expect(matches.every((match) => match['accepted'])).to.equal(true);
    });
    await until('global poses', () => peer.heard('/global_pose').length >= 5);
    expect(peer.heard('/global_pose').map(stampOf)).to.deep.equal(images.slice(0, 5).map(({ stampNs }) => stampNs));
    // rtabmap multiplies by the transform from this frame to its base.
    for (const pose of peer.heard('/global_pose')) expect(pose['header']).to.include({ frame_id: 'base_footprint' });
    await until('closures', () => peer.heard('/vpr_node/loop_closure').length > 0);
    const closures = peer.heard('/vpr_node/loop_closure');
    await until('links', () => peer.heard('/rtabmap/add_link').length >= closures.length);
    peer.heard('/rtabmap/add_link').forEach((request, i) => {
      const link = request['link'] as { from_id: number; to_id: number; type: number; information: number[] };
      const { reference_stamp: reference } = closures[i] as { reference_stamp: { sec: number } };
      expect(link.from_id).to.equal(100 + reference.sec - 1000);
      expect(link.to_id).to.equal(500 + Number(stampOf(closures[i]!) / 1_000_000_000n) - 2000);
      expect(link.type).to.equal(4);
      const { covariance } = closures[i]!['relative_pose'] as { covariance: number[] };
      for (const axis of [0, 7, 35]) expect(link.information[axis]! * covariance[axis]!).to.be.closeTo(1, 1e-6);
    });
    await peer.do('unadvertise', { topic: '/rtabmap/info' });
  });

  it("answers Autoware's align request with the last accepted pose, reliable only while it is fresh", async () => {
    await session.start({ map: mapPath, serve_align_pose: true, ...EAGER });
    const type = 'autoware_internal_localization_msgs/srv/PoseWithCovarianceStamped';
    const align = (): Promise<Message> => session.call('align_pose', type);
    expect(await align()).to.include({ success: false, reliable: false });
    await session.publishing(images, async () => {
      await session.play(images.slice(0, 2));
    });
    const stale = await align();
    // The images are from the second of 2000; the clock is not.
    expect(stale).to.include({ success: true, reliable: false });
    const pose = await session.peer.take('/vpr_node/pose', (one) => stampOf(one) === images[1]!.stampNs);
    expect(stale['pose_with_covariance']).to.deep.equal(pose);
    expect(await session.call('load_map', 'vpr_node/srv/LoadMap', { path: mapPath })).to.include({ success: true });
    expect(await align(), 'a pose of the map before').to.include({ success: false, reliable: false });
  });

  it('calls no pose reliable whose stamp is far from the clock, before or after it', async () => {
    const { peer } = session;
    await session.start({ map: mapPath, serve_align_pose: true, use_sim_time: true, ...EAGER });
    await peer.advertise('/clock', 'rosgraph_msgs/msg/Clock');
    await peer.untilMatched('/clock');
    const setClock = async (ns: bigint): Promise<void> => {
      await peer.publish('/clock', { clock: stampMessage(ns) });
      await peer.take('/diagnostics', (message) => stampOf(message) === ns);
    };
    const { stampNs } = images[1]!;
    await setClock(stampNs);
    await session.publishing(images, async () => {
      await session.play(images.slice(0, 2));
    });
    for (const [offsetS, reliable] of [
      [2n, true],
      [10n, false],
      [-2n, true],
      [-10n, false],
    ] as const) {
      await setClock(stampNs + offsetS * 1_000_000_000n);
      const type = 'autoware_internal_localization_msgs/srv/PoseWithCovarianceStamped';
      expect(await session.call('align_pose', type), `${offsetS} s`).to.include({ success: true, reliable });
    }
    await peer.do('unadvertise', { topic: '/clock' });
  });

  it('says what is missing where an adapter has no interfaces, and works on', async () => {
    const fixtures = /:?[^:]*\/fixtures-[^:]*/g;
    await session.start(
      { map: mapPath, serve_align_pose: true, publish_rtabmap_links: true },
      { env: { AMENT_PREFIX_PATH: process.env['AMENT_PREFIX_PATH']!.replace(fixtures, '') } },
    );
    for (const [interfaces, parameter] of [
      ['autoware_internal_localization_msgs', 'serve_align_pose'],
      ['rtabmap_msgs', 'publish_rtabmap_links'],
    ] as const)
      await until(`${interfaces} in the log`, () =>
        session.node.log.includes(`Expected ${interfaces} for ${parameter}, got none: install it`),
      );
    await session.publishing(images, async () => {
      const [match] = await session.play([images[0]!]);
      expect((match!['candidates'] as unknown[]).length).to.be.above(0);
    });
  });

  it('rejects what the odometry contradicts', async () => {
    const accepted = async (metresAnImage: number): Promise<Message[]> => {
      await session.start({
        map: mapPath,
        odometry_topic: ODOMETRY.topic,
        odometry_gate: 4,
        ...EAGER,
        lost_after_images: 100,
      });
      const matches: Message[] = [];
      await session.peer.advertise(ODOMETRY.topic, ODOMETRY.type, { reliability: 'best_effort' });
      await session.peer.untilMatched(ODOMETRY.topic);
      await session.publishing(images, async () => {
        for (const [i, image] of images.slice(0, 8).entries()) {
          await session.peer.publish(ODOMETRY.topic, {
            header: { stamp: stampMessage(image.stampNs), frame_id: 'odom' },
            child_frame_id: 'base_link',
            pose: { pose: { position: { x: i * metresAnImage, y: 0, z: 0 }, orientation: { w: 1 } } },
          });
          await new Promise((resolve) => setTimeout(resolve, 100));
          matches.push(...(await session.play([image])));
        }
      });
      await session.peer.do('unadvertise', { topic: ODOMETRY.topic });
      await session.stop();
      return matches;
    };
    const REJECT_ODOMETRY = 5;
    const honest = await accepted(2);
    const absurd = await accepted(500);
    const gated = (matches: Message[]): number =>
      matches.filter((match) => match['reject_reason'] === REJECT_ODOMETRY).length;
    expect(gated(absurd)).to.be.above(gated(honest));
    expect(gated(absurd)).to.be.above(3);
  });
});
