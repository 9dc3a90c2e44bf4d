import { expect } from 'chai';
import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { PlaceMap } from '../../src/map/PlaceMap.js';
import { GENERIC_CONFIDENCE } from '../../src/recognizer/ConfidenceModel.js';
import { describeRos } from './describeRos.js';
import { NodeSession, numberOf } from './NodeSession.js';
import { until, type Message } from './RosPeer.js';
import { sampleDrives, stampedImage, type DriveMessage } from './sampleDrives.js';

/** An image as a service request carries it. */
function requestOf(message: DriveMessage): Message {
  const { image } = stampedImage(message);
  const data = { base64: Buffer.from(image.data).toString('base64') };
  if (image.kind === 'compressed') return { compressed_image: { format: 'jpeg', data } };
  const { encoding, width, height, step } = image;
  return { image: { encoding, width, height, step, data } };
}

describeRos('services of the node', function () {
  this.timeout(120_000);
  let session: NodeSession;
  let images: readonly DriveMessage[];
  let raw: readonly DriveMessage[];
  let mapPath: string;
  let folder: string;

  before(async () => {
    const drives = await sampleDrives();
    ({ mapPath, folder } = drives);
    images = drives.messages.compressed.filter(({ camera }) => camera === 'front');
    raw = drives.messages.raw.filter(({ camera }) => camera === 'front');
    session = await NodeSession.begin();
  });
  afterEach(() => session.stop());
  after(() => session?.end());

  it('query: answers raw and compressed images alike, with as many candidates as asked for', async () => {
    await session.start({ map: mapPath });
    const query = (request: Message): Promise<Message> => session.call('query', 'vpr_node/srv/Query', request);
    const ids = (answer: Message): unknown[] =>
      (answer['result'] as { candidates: Message[] }).candidates.map((one) => one['reference_id']);
    const answer = await query({ ...requestOf(images[6]!), k: 5 });
    expect(answer).to.include({ success: true, code: '' });
    expect(ids(answer)).to.have.length(5);
    expect(ids(await query(requestOf(images[6]!)))).to.have.length(10);
    expect(ids(await query({ ...requestOf(raw[6]!), k: 1 }))[0]).to.equal(ids(answer)[0]);
    expect(await query({})).to.include({ success: false, code: 'ARGUMENT_INVALID' });
    expect(await query({ ...requestOf(images[6]!), k: 5000 })).to.include({ code: 'ARGUMENT_INVALID' });
    const both = { ...requestOf(images[6]!), ...requestOf(raw[6]!) };
    expect(await query(both)).to.include({ success: false, code: 'ARGUMENT_INVALID' });
    const broken = { compressed_image: { format: 'jpeg', data: { base64: 'bm8gaW1hZ2U=' } } };
    expect((await query(broken))['code']).to.match(/^IMAGE_/);
  });

  it('load_map, get_map_info: swap, roll back, and say what map is open', async () => {
    await session.start({ map: mapPath });
    const load = (file: string): Promise<Message> => session.call('load_map', 'vpr_node/srv/LoadMap', { path: file });
    const missing = await load('/nowhere.vpr');
    expect(missing).to.include({ success: false, code: 'MAP_MISSING' });
    expect((missing['map'] as Message)['path']).to.equal(mapPath);
    expect(await load('')).to.include({ success: false, code: 'ARGUMENT_INVALID' });
    expect(await load(mapPath)).to.include({ success: true });
    const info = await session.call('get_map_info', 'vpr_node/srv/GetMapInfo');
    expect(info['map']).to.include({ references: 48, places: 24, map_frame: 'map', storage: 'f16', calibration: '' });

    const tuned = path.join(folder, 'tuned.vpr');
    copyFileSync(mapPath, tuned);
    const map = PlaceMap.open(tuned, 'append');
    map.setCalibration(JSON.stringify({ ...GENERIC_CONFIDENCE, fittedOn: 'second_drive' }));
    map.close();
    expect((await load(tuned))['map']).to.include({ path: tuned, calibration: 'second_drive' });
    const status = await session.status('map', (one) => one.values.some(({ value }) => value === tuned));
    expect(status.values).to.deep.include({ key: 'calibration', value: 'second_drive' });
  });

  it('add_place, save_map: a request with a pose, the next image of a camera, and the file that holds them', async () => {
    const saved = `${folder}/grown.vpr`;
    await session.start({
      mode: 'mapping',
      cameras: ['front'],
      'keyframe.interval_s': 0,
      'keyframe.distance_m': 0,
      // Two images at once must both arrive: at depth 1 the middleware keeps the second alone where the node is busy.
      'cameras.front.qos_reliability': 'reliable',
      'cameras.front.qos_depth': 10,
    });
    const add = (request: Message): Promise<Message> => session.call('add_place', 'vpr_node/srv/AddPlace', request);
    /** The node knows of those who wait: it has answered a request that came after theirs. */
    const untilAsked = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await session.call('get_map_info', 'vpr_node/srv/GetMapInfo');
    };
    const grow = async (): Promise<void> => {
      const matches = await session.play(images.slice(0, 8));
      expect(matches.map((match) => match['added_reference_id'])).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8]);
      await session.peer.take('/vpr_node/map_info', (message) => message['references'] === 8);
      for (const [service, type, file] of [
        ['load_map', 'LoadMap', `${folder}/typo.vpr`],
        ['save_map', 'SaveMap', '/proc/nowhere/x.vpr'],
      ] as const) {
        const failed = await session.call(service, `vpr_node/srv/${type}`, { path: file });
        expect(failed, service).to.include({ success: false });
        expect(failed['map'], service).to.include({ path: ':memory:', references: 8, bytes_on_disk: 0 });
      }
      const pose = { position: { x: 3, y: 4, z: 0 }, orientation: { w: 1 } };
      const added = await add({ ...requestOf(images[9]!), label: 'dock', has_pose: true, pose });
      expect(added).to.include({ success: true, reference_id: 9 });
      const waiting = add({ camera: 'front', label: 'gate', place_id: added['place_id'] });
      await untilAsked();
      await session.peer.publishCdr(images[11]!.topic, images[11]!.cdr);
      expect(await waiting).to.include({ success: true, reference_id: 10, place_id: added['place_id'] });
      // Each of two who wait gets an image of its own.
      const both = [add({ label: 'one' }), add({ label: 'two' })];
      await untilAsked();
      for (const image of images.slice(12, 14)) await session.peer.publishCdr(image.topic, image.cdr);
      expect((await Promise.all(both)).map((answer) => answer['reference_id']).sort()).to.deep.equal([11, 12]);
      expect(await add({ ...requestOf(images[9]!), place_id: 4000 })).to.include({ code: 'ARGUMENT_INVALID' });
      const nowhere = await session.call('load_map', 'vpr_node/srv/LoadMap', { path: `${folder}/typo.vpr` });
      expect(nowhere).to.include({ success: false, code: 'MAP_MISSING' });
      expect(nowhere['map']).to.include({ references: 12 });
      expect(await add({ camera: 'roof' })).to.include({ success: false, code: 'ARGUMENT_INVALID' });
      const bent = { ...pose, orientation: { x: 0, y: 0, z: 0, w: 0 } };
      expect(await add({ ...requestOf(images[9]!), has_pose: true, pose: bent })).to.include({ success: false });
    };
    await session.publishing(images, grow, { reliability: 'reliable' });
    const answer = await session.call('save_map', 'vpr_node/srv/SaveMap', { path: saved });
    expect(answer).to.include({ success: true });
    await session.stop();

    await session.start({ map: saved, cameras: ['front'] });
    expect(await add(requestOf(images[0]!))).to.include({ success: false });
    for (const [image, reference] of [
      [images[9]!, 9],
      [images[11]!, 10],
    ] as const) {
      const found = await session.call('query', 'vpr_node/srv/Query', { ...requestOf(image), k: 1 });
      const [candidate] = (found['result'] as { candidates: Message[] }).candidates;
      // An image finds itself: Hamming distance 0.
      expect(candidate).to.include({ reference_id: reference, hamming: 0 });
    }
    const dock = await session.call('query', 'vpr_node/srv/Query', { ...requestOf(images[9]!), k: 1 });
    const { label, candidates } = dock['result'] as { label: string; candidates: { pose: Message }[] };
    expect(label).to.equal('dock');
    expect(candidates[0]!.pose['position']).to.include({ x: 3, y: 4 });
  });

  it('localize: forgets, and answers with the next accepted place or with why there was none', async () => {
    await session.start({ map: mapPath, acceptance_probability: 0.02, confirm_images: 1, temporal_filter: 'none' });
    const localize = (): Promise<Message> => session.call('localize', 'std_srvs/srv/Trigger');
    expect(await localize()).to.include({ success: false });
    await session.publishing(images, async () => {
      const found = localize();
      await new Promise((resolve) => setTimeout(resolve, 500));
      await session.play(images.slice(0, 2));
      const answer = await found;
      expect(answer['success'], String(answer['message'])).to.equal(true);
      expect(answer['message']).to.match(/^place \d+ \(front\), confidence 0\.\d+$/);
    });
  });

  it('report_closure: places that the back end rejects are muted', async () => {
    await session.start({
      map: mapPath,
      cameras: ['front'],
      acceptance_probability: 0.02,
      confirm_images: 1,
      temporal_filter: 'none',
      'loop_closure.debounce_s': 0,
      'loop_closure.mute_after_rejections': 1,
    });
    await session.publishing(images, async () => {
      const [match] = await session.play([images[2]!]);
      expect(match!['accepted']).to.equal(true);
      const closure = await session.peer.take('/vpr_node/loop_closure');
      const { stamp } = closure['header'] as { stamp: Message };
      const unknown = await session.call('report_closure', 'vpr_node/srv/ReportClosure', { reference_id: 999_999 });
      expect(unknown).to.include({ success: false, code: 'ARGUMENT_INVALID' });
      expect(unknown['message']).to.equal(`Expected a reference of the map, got 999999 [${mapPath}]`);
      const report = { reference_id: closure['reference_id'], query_stamp: stamp, accepted: false };
      expect(await session.call('report_closure', 'vpr_node/srv/ReportClosure', report)).to.include({ success: true });
      const [again] = await session.play([images[2]!]);
      const REJECT_MUTED = 9;
      expect(again).to.include({ accepted: false, reject_reason: REJECT_MUTED });
    });
  });

  it('says that it is not configured', async () => {
    await session.start({ map: mapPath });
    for (const step of [4, 2]) expect(await session.change(step)).to.equal(true);
    for (const [name, type] of [
      ['query', 'Query'],
      ['load_map', 'LoadMap'],
      ['save_map', 'SaveMap'],
      ['add_place', 'AddPlace'],
      ['get_map_info', 'GetMapInfo'],
      ['report_closure', 'ReportClosure'],
    ] as const) {
      const answer = await session.call(name, `vpr_node/srv/${type}`);
      expect(answer['success'], name).to.equal(false);
      expect(answer['message'], name).to.include('unconfigured');
    }
  });

  it('says of a pose topic that nobody publishes it, or that it is of another type', async () => {
    const { peer } = session;
    await peer.advertise('/slam_pose', 'sensor_msgs/msg/NavSatFix');
    await session.start({ map: mapPath, pose_topic: '/slam_pose', odometry_topic: '/odmo', watchdog_s: 0.5 });
    const odometry = await session.status('odometry_topic', ({ message }) => message.includes('is silent'));
    const expected = 'Odometry, PoseStamped or PoseWithCovarianceStamped';
    expect(odometry.level).to.equal(1);
    expect(odometry.message).to.include(`expected ${expected} on /odmo, nobody publishes there`);
    const pose = await session.status('pose_topic', ({ message }) => message.includes('is silent'));
    expect(pose.message).to.include(`expected ${expected} on /slam_pose, publishers: /peer (sensor_msgs/msg/NavSatFix`);
    for (const text of ['odometry_topic is silent for', 'pose_topic is silent for'])
      await until(text, () => session.node.log.includes(text));
    await peer.do('unadvertise', { topic: '/slam_pose' });

    // Whoever has sent poses and is still there may rest.
    await peer.advertise('/odmo', 'nav_msgs/msg/Odometry');
    await peer.untilMatched('/odmo');
    const header = { stamp: { sec: 2000, nanosec: 500_000_000 }, frame_id: 'odom' };
    await peer.publish('/odmo', { header, pose: { pose: { orientation: { w: 1 } } } });
    const heard = await session.status('odometry_topic', (one) => numberOf(one, 'received') === 1);
    expect(heard).to.include({ level: 0, message: 'poses arrive' });
    expect(numberOf(heard, 'last_stamp')).to.equal(2000.5);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    peer.forget('/diagnostics');
    expect((await session.status('odometry_topic')).message).to.equal('poses arrive');
    await peer.do('unadvertise', { topic: '/odmo' });
    await session.status('odometry_topic', ({ message }) => message.includes('nobody publishes there'));
  });

  it('counts, names and explains in diagnostics', async () => {
    await session.start({ map: mapPath, watchdog_s: 0.5 });
    await session.publishing(images, async () => {
      await session.play(images.slice(0, 4));
    });
    const rear = await session.status('camera rear', ({ message }) => message.includes("camera 'rear' is silent"));
    expect(rear.message).to.include('nobody publishes there');
    const front = await session.status('camera front', (one) => numberOf(one, 'processed') >= 4);
    expect(front.values.find(({ key }) => key === 'source')!.value).to.include('sensor_msgs/msg/CompressedImage');
    const names = (await session.peer.take('/diagnostics'))['status'] as { name: string }[];
    expect(names.map((one) => one.name)).to.deep.equal(
      ['state', 'camera front', 'camera rear', 'inference', 'map'].map((name) => `vpr_node: ${name}`),
    );
  });
});
