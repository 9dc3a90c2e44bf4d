import { expect } from 'chai';
import sharp from 'sharp';
import { describeRos } from './describeRos.js';
import { NodeSession, numberOf, stampOf } from './NodeSession.js';
import { until, type Message } from './RosPeer.js';
import { sampleDrives, stampedImage, type DriveMessage } from './sampleDrives.js';

const PLACE = '/vpr_node/place';
const IMAGE = 'sensor_msgs/msg/Image';
const TOPIC = '/camera/front/image_raw';
const RAW = { topic: TOPIC, type: IMAGE } as const;

describeRos('images of a hostile world', function () {
  this.timeout(120_000);
  let session: NodeSession;
  let images: readonly DriveMessage[];
  let compressed: readonly DriveMessage[];
  let mapPath: string;

  before(async () => {
    const drives = await sampleDrives();
    mapPath = drives.mapPath;
    images = drives.messages.raw.filter(({ camera }) => camera === 'front');
    compressed = drives.messages.compressed.filter(({ camera }) => camera === 'front');
    session = await NodeSession.begin();
  });
  afterEach(() => session.stop());
  after(() => session?.end());

  const start = (parameters = {}) => session.start({ map: mapPath, cameras: ['front'], watchdog_s: 1, ...parameters });

  it('warns of a reliable subscription to a best-effort camera, and names its QoS', async () => {
    await start({ 'cameras.front.qos_reliability': 'reliable', 'cameras.front.image_transport': 'raw' });
    await session.peer.advertise(TOPIC, IMAGE, { reliability: 'best_effort' });
    const camera = await session.status('camera front', ({ message }) => message.includes('incompatible QoS'));
    expect(camera.level).to.equal(2);
    expect(camera.message).to.include('best_effort');
    await until('the warning in the log', () => session.node.log.includes(`incompatible QoS on ${TOPIC}`));
    await session.peer.do('unadvertise', { topic: TOPIC });
  });

  it('names the type of a publisher that sends something else', async () => {
    await start({ 'cameras.front.image_transport': 'raw' });
    await session.peer.advertise(TOPIC, 'std_msgs/msg/String', {});
    const camera = await session.status('camera front', ({ message }) => message.includes('std_msgs/msg/String'));
    expect(camera.message).to.include(`expected ${IMAGE}`);
    await session.peer.do('unadvertise', { topic: TOPIC });
  });

  it('counts garbage, truncated, empty and impossible messages and answers the next good one', async () => {
    await start({ 'cameras.front.qos_reliability': 'reliable' });
    const [first, second] = [images[0]!, images[1]!];
    await session.publishing(
      [RAW],
      async () => {
        await session.play([first]);
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
        const garbage = [
          Uint8Array.from([0, 1, 0, 0]),
          Uint8Array.from({ length: 500 }, (_, i) => (i * 7919) & 255),
          first.cdr.slice(0, 1000),
        ];
        /** Messages that are no images, and images that cannot be looked at. */
        const hostile = {
          invalid: [
            () => session.peer.publish(TOPIC, message({ data: { base64: '' } })),
            ...garbage.map((bytes) => () => session.peer.publishCdr(TOPIC, bytes)),
          ],
          failed: [
            { width: 7680, height: 4320, step: 23040 },
            { encoding: 'rgb9000' },
            { step: 1 },
            { width: 4_294_967_295, height: 4_294_967_295, step: 4_294_967_295 },
          ].map((change) => () => session.peer.publish(TOPIC, message(change))),
        };
        for (const [counter, messages] of Object.entries(hostile))
          for (const [i, publish] of messages.entries()) {
            await publish();
            // The next when this one was looked at: a newer image takes the place of one that waits.
            await session.status('camera front', (one) => numberOf(one, counter) === i + 1);
          }
        const [match] = await session.play([second]);
        expect(stampOf(match!)).to.equal(second.stampNs);
        const camera = await session.status('camera front', (one) => numberOf(one, 'processed') >= 2);
        expect(numberOf(camera, 'invalid')).to.equal(hostile.invalid.length);
        expect(numberOf(camera, 'failed')).to.equal(hostile.failed.length);
      },
      { reliability: 'reliable' },
    );
  });

  it('takes an 8K image and a change of resolution', async () => {
    const topic = `${TOPIC}/compressed`;
    await start({ 'cameras.front.qos_reliability': 'reliable' });
    const look = async (): Promise<void> => {
      await session.play([compressed[0]!]);
      for (const [width, height, sec] of [
        [7680, 4320, 3000],
        [320, 240, 3001],
      ] as const) {
        const create = { width, height, channels: 3, background: { r: 90, g: 120, b: 60 } } as const;
        const jpeg = await sharp({ create }).jpeg().toBuffer();
        await session.peer.publish(topic, {
          header: { frame_id: 'x', stamp: { sec, nanosec: 0 } },
          format: 'jpeg',
          data: { base64: jpeg.toString('base64') },
        });
        await session.peer.take(PLACE, (match) => stampOf(match) === BigInt(sec) * 1_000_000_000n);
      }
      await session.play([compressed[1]!]);
      const camera = await session.status('camera front', (one) => numberOf(one, 'processed') >= 4);
      expect(numberOf(camera, 'failed')).to.equal(0);
    };
    await session.publishing(compressed, look, { reliability: 'reliable' });
  });

  it('follows a camera that dies and returns, with the other transport and in the past', async () => {
    await start();
    await session.publishing([RAW], async () => {
      await session.play([images[5]!]);
    });
    await session.status(
      'camera front',
      ({ message }) => message.includes('silent') && message.includes('nobody publishes'),
    );
    await session.publishing(compressed, async () => {
      const [match] = await session.play([compressed[0]!]);
      expect(stampOf(match!)).to.equal(compressed[0]!.stampNs);
    });
  });

  it('answers a looped bag from the start again, with a fresh belief', async () => {
    await start();
    await session.publishing(compressed, async () => {
      const once = await session.play(compressed.slice(0, 8));
      const again = await session.play(compressed.slice(0, 8));
      const what = ({ state, place_id, reference_id, confidence }: Message): Message => ({
        state,
        place_id,
        reference_id,
        confidence,
      });
      expect(again.map(what)).to.deep.equal(once.map(what));
    });
  });

  it('works by simulated time, before there is a clock and after', async () => {
    await start({ use_sim_time: true });
    await session.publishing(compressed, async () => {
      const [before] = await session.play([compressed[0]!]);
      expect(stampOf(before!)).to.equal(compressed[0]!.stampNs);
      const first = await session.peer.take('/diagnostics');
      expect(stampOf(first)).to.equal(0n);
      await session.peer.advertise('/clock', 'rosgraph_msgs/msg/Clock');
      await session.peer.untilMatched('/clock');
      await session.peer.publish('/clock', { clock: { sec: 2005, nanosec: 0 } });
      await session.peer.take('/diagnostics', (message) => stampOf(message) === 2_005_000_000_000n);
      await session.play(compressed.slice(1, 3));
      await session.peer.do('unadvertise', { topic: '/clock' });
    });
  });

  it('starts the worker again when it crashes, and says so', async () => {
    await session.start(
      { map: mapPath, cameras: ['front'] },
      { env: { NODE_OPTIONS: `--import ${new URL('crashWorkerOnce.js', import.meta.url).href}` } },
    );
    await session.publishing(compressed, async () => {
      await session.play(compressed.slice(0, 1));
      session.node.kill('SIGUSR2');
      await until('the crash in the log', () => session.node.log.includes('crashed on purpose'));
      await until('the restart in the log', () => session.node.log.includes('the recognition worker runs again'));
      const [match] = await session.play([compressed[1]!]);
      expect((match!['candidates'] as unknown[]).length).to.be.above(0);
      const inference = await session.status('inference', ({ message }) => message.includes('restarted 1 times'));
      expect(inference.level).to.equal(1);
      expect(numberOf(inference, 'worker_restarts')).to.equal(1);
    });
  });

  it('ends with an error, so that it is started again, when the ROS executor is gone', async () => {
    await session.start(
      { map: mapPath, cameras: ['front'] },
      { env: { NODE_OPTIONS: `--import ${new URL('stopExecutor.js', import.meta.url).href}` } },
    );
    await session.publishing(compressed, async () => {
      await session.play(compressed.slice(0, 1));
      session.node.kill('SIGUSR2');
      expect(await session.node.exited).to.deep.equal({ code: 1, signal: null });
      expect(session.node.log).to.include('Expected an answer of the ROS executor within 10 s, got none');
    });
  });
});
