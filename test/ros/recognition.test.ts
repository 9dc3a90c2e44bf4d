import { expect } from 'chai';
import type { Recognition } from '../../src/core/recognition.js';
import { RecognizerClient } from '../../src/worker/RecognizerClient.js';
import { defaultModelPath } from '../../src/worker/defaultModel.js';
import { describeRos } from './describeRos.js';
import { NodeProcess } from './NodeProcess.js';
import { RosPeer, until, type Message } from './RosPeer.js';
import { sampleDrives, stampedImage, type DriveMessage } from './sampleDrives.js';

const STATES = ['unknown', 'candidate', 'localized', 'lost'];
const REASONS = 'none empty_map low_confidence ambiguous temporal odometry geometry recent debounced muted'.split(' ');

/** A stamp in nanoseconds. */
function stampOf(message: Message): bigint {
  const { stamp } = message['header'] as { stamp: { sec: number; nanosec: number } };
  return BigInt(stamp.sec) * 1_000_000_000n + BigInt(stamp.nanosec);
}

/** What the recognizer says of the same bytes, without ROS. */
async function replayDirectly(mapPath: string, messages: readonly DriveMessage[]): Promise<Recognition[]> {
  const recognizer = await RecognizerClient.open({
    modelPath: defaultModelPath(),
    mapPath,
    mode: 'localization',
    executionProviders: ['cpu'],
    parameters: {},
  });
  const results: Recognition[] = [];
  for (const message of messages) results.push(await recognizer.recognize(stampedImage(message)));
  await recognizer.close();
  return results;
}

describeRos('recognition through the node', function () {
  this.timeout(180_000);
  let peer: RosPeer;
  let node: NodeProcess | undefined;

  before(async () => {
    await sampleDrives();
    peer = await RosPeer.start();
    await peer.subscribe('/vpr_node/place', 'vpr_node/msg/PlaceMatch');
    await peer.subscribe('/vpr_node/pose', 'geometry_msgs/msg/PoseWithCovarianceStamped');
    await peer.subscribe('/vpr_node/loop_closure', 'vpr_node/msg/LoopClosure');
    await peer.subscribe('/vpr_node/match_image/compressed', 'sensor_msgs/msg/CompressedImage');
    await peer.subscribe('/vpr_node/markers', 'visualization_msgs/msg/MarkerArray', { durability: 'transient_local' });
    const latched = { durability: 'transient_local' } as const;
    await peer.subscribe('/vpr_node/state', 'vpr_node/msg/NodeState', latched);
    await peer.subscribe('/vpr_node/map_info', 'vpr_node/msg/MapInfo', latched);
    await peer.subscribe('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray');
  });
  afterEach(async () => {
    await node?.stop();
    node = undefined;
    await peer.do('forget_clients');
  });
  after(() => peer?.stop());

  async function startNode(parameters: Record<string, string | number | boolean | string[]>): Promise<NodeProcess> {
    for (const topic of ['place', 'pose', 'loop_closure', 'state', 'map_info']) peer.forget(`/vpr_node/${topic}`);
    node = new NodeProcess({
      cameras: ['front', 'rear'],
      'cameras.front.topic': '/camera/front/image_raw',
      'cameras.rear.topic': '/camera/rear/image_raw',
      ...parameters,
    });
    try {
      await peer.take('/vpr_node/state', (message) => message['lifecycle'] === 'active', 40_000);
    } catch (error) {
      throw new Error(`the node did not become active: ${node.log}`, { cause: error });
    }
    return node;
  }

  async function advertise(messages: readonly DriveMessage[]): Promise<void> {
    for (const topic of new Set(messages.map((message) => message.topic))) {
      await peer.advertise(topic, messages.find((message) => message.topic === topic)!.type, {
        reliability: 'best_effort',
      });
      await peer.untilMatched(topic);
    }
  }

  /** Publishes in lockstep: the next image after the answer to the last. */
  async function play(messages: readonly DriveMessage[]): Promise<Message[]> {
    const matches: Message[] = [];
    for (const { topic, cdr, stampNs, camera } of messages) {
      const answers = (match: Message): boolean => stampOf(match) === stampNs && match['camera'] === camera;
      await peer.publishCdr(topic, cdr);
      // Best effort means that the middleware may lose an image: it is sent once more.
      const answer = await peer.take('/vpr_node/place', answers, 5000).catch(async () => {
        await peer.publishCdr(topic, cdr);
        return peer.take('/vpr_node/place', answers);
      });
      matches.push(answer);
    }
    return matches;
  }

  for (const transport of ['compressed', 'raw'] as const)
    it(`answers every ${transport} image of two cameras as the recognizer does without ROS`, async () => {
      const { mapPath, messages } = await sampleDrives();
      const images = messages[transport];
      const expected = await replayDirectly(mapPath, images);
      await startNode({ map: mapPath });
      const mapInfo = await peer.take('/vpr_node/map_info', (message) => message['path'] === mapPath);
      expect(mapInfo['references']).to.equal(48);
      await advertise(images);
      const matches = await play(images);
      expect(matches).to.have.length(images.length);
      matches.forEach((match, i) => {
        const { placeId, referenceId, state, accepted, rejectReason, confidence, margin, candidates } = expected[i]!;
        expect(match).to.include({ place_id: placeId, reference_id: referenceId, accepted, map: mapPath });
        expect(STATES[match['state'] as number]).to.equal(state);
        expect(REASONS[match['reject_reason'] as number]).to.equal(rejectReason);
        // The message holds float32.
        expect(match['confidence']).to.equal(Math.fround(confidence));
        expect(match['margin']).to.equal(Math.fround(margin));
        const published = (match['candidates'] as Message[]).map((one) => [one['reference_id'], one['hamming']]);
        expect(published).to.deep.equal(candidates.map((one) => [one.referenceId, one.hamming]));
      });
      const localized = expected.filter((one) => one.accepted && one.state === 'localized');
      expect(localized.length, 'localized images: the drive must show something').to.be.above(0);
      // The pose and the closure of the last image come right after its PlaceMatch.
      const closing = expected.filter((one) => one.loopClosure !== undefined);
      await until('all poses', () => peer.heard('/vpr_node/pose').length >= localized.length);
      await until('all closures', () => peer.heard('/vpr_node/loop_closure').length >= closing.length);
      const poses = peer.heard('/vpr_node/pose');
      expect(poses.map(stampOf)).to.deep.equal(localized.map((one) => one.stampNs));
      for (const pose of poses) {
        expect((pose['header'] as Message)['frame_id']).to.equal('map');
        const { covariance } = pose['pose'] as { covariance: number[] };
        expect(covariance[0]).to.be.above(0);
      }
      const closures = peer.heard('/vpr_node/loop_closure');
      expect(closures.map(stampOf)).to.deep.equal(
        expected.filter((one) => one.loopClosure !== undefined).map((one) => one.stampNs),
      );
      for (const topic of new Set(images.map((image) => image.topic))) await peer.do('unadvertise', { topic });
    });

  it('answers queries, swaps maps without a gap, rolls back, and says what map is open', async () => {
    const { mapPath, messages } = await sampleDrives();
    await startNode({ map: mapPath });
    const image = stampedImage(messages.compressed[6]!);
    const data = { base64: Buffer.from(image.image.data).toString('base64') };
    const query = (): Promise<Message> =>
      peer.call('vpr_node/srv/Query', '/vpr_node/query', { compressed_image: { format: 'jpeg', data }, k: 5 });
    const answer = await query();
    expect(answer).to.include({ success: true, code: '' });
    expect((answer['result'] as { candidates: unknown[] }).candidates).to.have.length(5);
    const empty = await peer.call('vpr_node/srv/Query', '/vpr_node/query', {});
    expect(empty).to.include({ success: false, code: 'ARGUMENT_INVALID' });

    const missing = await peer.call('vpr_node/srv/LoadMap', '/vpr_node/load_map', { path: '/nowhere.vpr' });
    expect(missing).to.include({ success: false, code: 'MAP_MISSING' });
    expect((missing['map'] as Message)['path']).to.equal(mapPath);
    const loaded = await peer.call('vpr_node/srv/LoadMap', '/vpr_node/load_map', { path: mapPath });
    expect(loaded).to.include({ success: true });
    const info = await peer.call('vpr_node/srv/GetMapInfo', '/vpr_node/get_map_info');
    expect((info['map'] as Message)['references']).to.equal(48);
    expect((await query())['success']).to.equal(true);
    const report = { reference_id: 1, query_stamp: { sec: 1, nanosec: 2 }, accepted: false };
    const reported = await peer.call('vpr_node/srv/ReportClosure', '/vpr_node/report_closure', report);
    expect(reported['success']).to.equal(true);
  });

  it('maps a drive, grows the map info, saves it, and localizes in what it saved', async () => {
    const { messages, folder } = await sampleDrives();
    const saved = `${folder}/grown.vpr`;
    const images = messages.compressed.filter(({ camera }) => camera === 'front');
    await startNode({ mode: 'mapping', cameras: ['front'], 'keyframe.interval_s': 0, 'keyframe.distance_m': 0 });
    await advertise(images);
    const matches = await play(images);
    expect(matches.filter((match) => match['added_reference_id'] !== 0)).to.have.length(images.length);
    await peer.take('/vpr_node/map_info', (message) => message['references'] === images.length);
    const one = await peer.call('vpr_node/srv/AddPlace', '/vpr_node/add_place', {
      compressed_image: {
        format: 'jpeg',
        data: { base64: Buffer.from(stampedImage(images[0]!).image.data).toString('base64') },
      },
      label: 'dock',
    });
    expect(one).to.include({ success: true, reference_id: images.length + 1 });
    expect(await peer.call('vpr_node/srv/SaveMap', '/vpr_node/save_map', { path: saved })).to.include({
      success: true,
    });
    await node!.stop();
    await peer.do('forget_clients');
    await startNode({ map: saved, cameras: ['front'] });
    const again = await play(images.slice(0, 8));
    // An image finds itself: Hamming distance 0.
    for (const match of again) expect((match['candidates'] as Message[])[0]!['hamming']).to.equal(0);
    const localize = peer.call('std_srvs/srv/Trigger', '/vpr_node/localize');
    await play(images.slice(8));
    expect((await localize)['success']).to.be.a('boolean');
    await peer.do('unadvertise', { topic: images[0]!.topic });
  });

  it('counts, names and explains in diagnostics', async () => {
    const { mapPath, messages } = await sampleDrives();
    const images = messages.compressed.filter(({ camera }) => camera === 'front').slice(0, 4);
    await startNode({ map: mapPath, watchdog_s: 0.5 });
    await advertise(images);
    await play(images);
    peer.forget('/diagnostics');
    const silent = await peer.take('/diagnostics', (message) =>
      (message['status'] as { message: string }[]).some((one) => one.message.includes("camera 'rear' is silent")),
    );
    const statuses = silent['status'] as { name: string; message: string; values: { key: string; value: string }[] }[];
    expect(statuses.map((one) => one.name)).to.deep.equal(
      ['state', 'camera front', 'camera rear', 'inference', 'map'].map((name) => `vpr_node: ${name}`),
    );
    const front = new Map(statuses[1]!.values.map(({ key, value }) => [key, value]));
    expect(front.get('processed')).to.equal('4');
    expect(front.get('source')).to.include('sensor_msgs/msg/CompressedImage');
    expect(statuses[2]!.message).to.include('nobody publishes there');
    await peer.do('unadvertise', { topic: images[0]!.topic });
  });
});
