import { expect } from 'chai';
import { copyFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describeRos } from './describeRos.js';
import { NodeProcess, type ParameterValues } from './NodeProcess.js';
import { RosPeer, until, type Message } from './RosPeer.js';
import { sampleDrives, stampedImage, type DriveMessage } from './sampleDrives.js';

const PLACE = '/vpr_node/place';
const IMAGE = 'sensor_msgs/msg/Image';

interface Status {
  readonly name: string;
  readonly level: number;
  readonly message: string;
  readonly values: readonly { readonly key: string; readonly value: string }[];
}

describeRos('the node in a hostile world', function () {
  this.timeout(120_000);
  let peer: RosPeer;
  let node: NodeProcess | undefined;
  let images: readonly DriveMessage[];
  let folder: string;
  let mapPath: string;

  before(async () => {
    const drives = await sampleDrives();
    ({ folder, mapPath } = drives);
    images = drives.messages.raw.filter(({ camera }) => camera === 'front');
    peer = await RosPeer.start();
    await peer.subscribe(PLACE, 'vpr_node/msg/PlaceMatch');
    await peer.subscribe('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray');
    await peer.subscribe('/vpr_node/state', 'vpr_node/msg/NodeState', { durability: 'transient_local' });
  });
  afterEach(async () => {
    await node?.stop();
    node = undefined;
    await peer.do('forget_clients');
  });
  after(() => peer?.stop());

  async function start(parameters: ParameterValues = {}): Promise<NodeProcess> {
    peer.forget('/vpr_node/state');
    node = new NodeProcess({
      cameras: ['front'],
      'cameras.front.topic': '/hostile/image_raw',
      map: mapPath,
      watchdog_s: 1,
      ...parameters,
    });
    try {
      await peer.take('/vpr_node/state', (message) => message['lifecycle'] === 'active', 40_000);
    } catch (error) {
      throw new Error(`the node did not become active: ${node.log}`, { cause: error });
    }
    peer.forget(PLACE);
    peer.forget('/diagnostics');
    return node;
  }

  async function withPublisher(type: string, qos: object, work: () => Promise<void>): Promise<void> {
    await peer.do('advertise', { topic: '/hostile/image_raw', type, qos });
    try {
      await work();
    } finally {
      await peer.do('unadvertise', { topic: '/hostile/image_raw' });
    }
  }

  const send = (image: DriveMessage): Promise<void> => peer.publishCdr('/hostile/image_raw', image.cdr);
  const status = async (name: string, fits: (status: Status) => boolean): Promise<Status> => {
    let found: Status | undefined;
    await peer.take('/diagnostics', (message) => {
      found = (message['status'] as Status[]).find((one) => one.name === `vpr_node: ${name}` && fits(one));
      return found !== undefined;
    });
    return found!;
  };
  const valueOf = (one: Status, key: string): string | undefined =>
    one.values.find((entry) => entry.key === key)?.value;

  it('warns of a reliable subscription to a best-effort camera, and names its QoS', async () => {
    await start({ 'cameras.front.qos_reliability': 'reliable', 'cameras.front.image_transport': 'raw' });
    await withPublisher(IMAGE, { reliability: 'best_effort' }, async () => {
      const camera = await status('camera front', ({ message }) => message.includes('incompatible QoS'));
      expect(camera.level).to.equal(2);
      expect(camera.message).to.include('best_effort');
    });
  });

  it('names the type of a publisher that sends something else', async () => {
    await start({ 'cameras.front.image_transport': 'raw' });
    await withPublisher('std_msgs/msg/String', {}, async () => {
      const camera = await status('camera front', ({ message }) => message.includes('std_msgs/msg/String'));
      expect(camera.message).to.include(`expected ${IMAGE}`);
    });
  });

  it('counts garbage, empty and impossible images and answers the next good one', async () => {
    await start();
    const [first, second] = [images[0]!, images[1]!];
    await withPublisher(IMAGE, { reliability: 'reliable' }, async () => {
      await peer.untilMatched('/hostile/image_raw');
      await send(first);
      await peer.take(PLACE);
      const image = stampedImage(first).image;
      if (image.kind !== 'raw') throw new Error('Expected a raw image');
      const { width, height, step, encoding } = image;
      const message = (change: Message): Message => ({
        header: { frame_id: 'x', stamp: { sec: 5, nanosec: 0 } },
        width,
        height,
        step,
        encoding,
        data: { base64: Buffer.alloc(step * height).toString('base64') },
        ...change,
      });
      const bad = [
        message({ data: { base64: '' } }),
        message({ width: 7680, height: 4320, step: 23040 }),
        message({ encoding: 'rgb9000' }),
        message({ step: 1 }),
        message({ width: 4_294_967_295, height: 4_294_967_295, step: 4_294_967_295 }),
      ];
      for (const one of bad) {
        await peer.publish('/hostile/image_raw', one);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      await send(second);
      const match = await peer.take(PLACE);
      expect((match['header'] as { stamp: { sec: number } }).stamp.sec).to.equal(
        Number(second.stampNs / 1_000_000_000n),
      );
      const camera = await status('camera front', (one) => valueOf(one, 'processed') === '2');
      expect(Number(valueOf(camera, 'invalid')) + Number(valueOf(camera, 'failed'))).to.equal(bad.length);
      expect(valueOf(camera, 'invalid')).to.equal('1');
    });
  });

  it('follows a camera that dies and returns, with the other transport and in the past', async () => {
    const compressed = (await sampleDrives()).messages.compressed.filter(({ camera }) => camera === 'front');
    await start();
    await withPublisher(IMAGE, { reliability: 'best_effort' }, async () => {
      await peer.untilMatched('/hostile/image_raw');
      await send(images[5]!);
      await peer.take(PLACE);
    });
    await status('camera front', ({ message }) => message.includes('silent') && message.includes('nobody publishes'));
    const topic = '/hostile/image_raw/compressed';
    await peer.advertise(topic, 'sensor_msgs/msg/CompressedImage');
    await peer.untilMatched(topic);
    await peer.publishCdr(topic, compressed[0]!.cdr);
    const match = await peer.take(PLACE);
    expect((match['header'] as { stamp: { sec: number } }).stamp.sec).to.equal(
      Number(compressed[0]!.stampNs / 1_000_000_000n),
    );
    await peer.do('unadvertise', { topic });
  });

  it('keeps answering when the map file is replaced on disk, and refuses maps that are none', async () => {
    const own = path.join(folder, 'replaced.vpr');
    copyFileSync(mapPath, own);
    await start({ map: own });
    await withPublisher(IMAGE, { reliability: 'best_effort' }, async () => {
      await peer.untilMatched('/hostile/image_raw');
      await send(images[0]!);
      const before = await peer.take(PLACE);
      const other = path.join(folder, 'other');
      writeFileSync(other, 'no map at all');
      renameSync(other, own);
      await send(images[1]!);
      expect((await peer.take(PLACE))['candidates']).to.have.length((before['candidates'] as unknown[]).length);
      const refused = await peer.call('vpr_node/srv/LoadMap', '/vpr_node/load_map', { path: own });
      expect(refused['success']).to.equal(false);
      expect(refused['code']).to.match(/^MAP_|^FILE_/);
      await send(images[2]!);
      await peer.take(PLACE);
    });
  });

  it('says why a map cannot be saved, and leaves the target alone', async () => {
    await start({ mode: 'mapping', map: '' });
    const target = '/proc/nowhere/town.vpr';
    const answer = await peer.call('vpr_node/srv/SaveMap', '/vpr_node/save_map', { path: target });
    expect(answer).to.include({ success: false });
    expect(answer['code'], String(answer['message'])).to.match(/^[A-Z_]+$/);
  });

  it('refuses a second writer of one map file', async () => {
    const own = path.join(folder, 'shared.vpr');
    copyFileSync(mapPath, own);
    await start({ mode: 'mapping', map: own });
    const second = new NodeProcess({ mode: 'mapping', map: own }, { args: ['-r', '__node:=second'] });
    try {
      await until('the second to be refused', () => second.log.includes('MAP_LOCKED'), 40_000);
    } finally {
      await second.stop();
    }
  });

  it('loses nothing that was committed when it is killed while it maps', async () => {
    const own = path.join(folder, 'killed.vpr');
    copyFileSync(mapPath, own);
    await start({ mode: 'mapping', map: own, 'keyframe.interval_s': 0, 'keyframe.distance_m': 0 });
    let added = 0;
    await withPublisher(IMAGE, { reliability: 'best_effort' }, async () => {
      await peer.untilMatched('/hostile/image_raw');
      for (const image of images.slice(0, 6)) {
        await send(image);
        added = (await peer.take(PLACE))['added_reference_id'] as number;
      }
    });
    expect(added).to.be.above(48);
    await node!.stop('SIGKILL');
    await peer.do('forget_clients');
    await start({ map: own });
    const info = await peer.call('vpr_node/srv/GetMapInfo', '/vpr_node/get_map_info');
    expect((info['map'] as { references: number }).references).to.be.within(added - 1, added);
  });
});
