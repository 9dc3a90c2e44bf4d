/**
 * Raw images at 30 Hz through the live node, beside an rclpy subscriber that only receives. Needs ROS:
 *   set -a; . .cache/ros.env; set +a; node dist/bench/ros/throughput.js [--seconds 60] [--sizes 640x480,1920x1080]
 * CPU besides inference = CPU time of the whole process minus the processed images times the CPU time of one inference,
 * which is measured by itself (one thread, as the node's) before and after; per received image.
 */
import os from 'node:os';
import { parseArgs } from 'node:util';
import { openModel } from '../../src/inference/openModel.js';
import { defaultModelPath } from '../../src/worker/defaultModel.js';
import { NodeProcess } from '../../test/ros/NodeProcess.js';
import { RosPeer, type Message } from '../../test/ros/RosPeer.js';

const TOPIC = '/camera/image_raw';
const IMAGE = 'sensor_msgs/msg/Image';
const WARM_UP_S = 3;

function valuesOf(diagnostics: Message): ReadonlyMap<string, number> {
  const statuses = diagnostics['status'] as { values: { key: string; value: string }[] }[];
  return new Map(statuses.flatMap((one) => one.values.map(({ key, value }) => [key, Number(value)] as const)));
}

/** CPU time of one inference, alone in this process. */
async function inferenceCpuMs(): Promise<number> {
  const { extractor, manifest } = await openModel(defaultModelPath(), { providers: ['cpu'], deviceId: 0, threads: 1 });
  const { height, width } = manifest.input;
  const tensor = new Float32Array(3 * height * width).fill(0.5);
  for (let i = 0; i < 5; i++) await extractor.extract(tensor);
  const rounds = 60;
  const before = process.cpuUsage();
  for (let i = 0; i < rounds; i++) await extractor.extract(tensor);
  const { user, system } = process.cpuUsage(before);
  await extractor.close();
  return (user + system) / 1000 / rounds;
}

async function measure(width: number, height: number, seconds: number): Promise<Message> {
  const camera = await RosPeer.start('camera');
  const receiver = await RosPeer.start('receiver');
  const observer = await RosPeer.start('observer');
  const bestEffort = { reliability: 'best_effort', depth: 1 } as const;
  await observer.subscribe('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray');
  await observer.subscribe('/vpr_node/state', 'vpr_node/msg/NodeState', { durability: 'transient_local' });
  // Somebody listens to the results, as on a robot.
  await observer.subscribe('/vpr_node/place', 'vpr_node/msg/PlaceMatch', {}, true);
  const node = new NodeProcess({ mode: 'slam', 'keyframe.interval_s': 5 });
  try {
    await observer.take('/vpr_node/state', (message) => message['lifecycle'] === 'active', 60_000);
    await receiver.subscribe(TOPIC, IMAGE, bestEffort, true);
    await camera.advertise(TOPIC, IMAGE, bestEffort);
    await camera.untilMatched(TOPIC, 2);
    const stream = (forSeconds: number): Promise<{ sent: number; late: number; seconds: number }> =>
      camera.do('stream', { topic: TOPIC, width, height, hz: 30, seconds: forSeconds });
    await stream(WARM_UP_S);
    const read = async (): Promise<ReadonlyMap<string, number>> => {
      observer.forget('/diagnostics');
      await observer.take('/diagnostics');
      return valuesOf(await observer.take('/diagnostics'));
    };
    const before = await read();
    const receivedByPeer = await receiver.do<number>('count', { topic: TOPIC });
    const inferenceBefore = await inferenceCpuMs();
    const cpuBefore = node.resources().cpuMs;
    const { sent, late } = await stream(seconds);
    const cpuMs = node.resources().cpuMs - cpuBefore;
    const inferenceMs = (inferenceBefore + (await inferenceCpuMs())) / 2;
    const after = await read();
    const difference = (key: string): number => (after.get(key) ?? 0) - (before.get(key) ?? 0);
    const received = difference('received');
    return {
      size: `${width}x${height}`,
      seconds,
      sent,
      sent_late: late,
      received,
      received_percent: round((100 * received) / sent),
      rclpy_received_percent: round(
        (100 * ((await receiver.do<number>('count', { topic: TOPIC })) - receivedByPeer)) / sent,
      ),
      processed: difference('processed'),
      dropped: difference('dropped'),
      cpu_ms_an_image: round(cpuMs / received),
      cpu_ms_an_inference: round(inferenceMs),
      cpu_ms_an_image_besides_inference: round((cpuMs - inferenceMs * difference('processed')) / received),
      event_loop_p50_ms: round(after.get('event_loop_delay_total_p50_ms')!),
      event_loop_p99_ms: round(after.get('event_loop_delay_total_p99_ms')!),
      rss_mb: round(after.get('rss_mb')!),
      load_average: round(os.loadavg()[0]!),
    };
  } finally {
    await node.stop();
    for (const peer of [camera, receiver, observer]) await peer.stop();
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, sizes: { type: 'string', default: '640x480,1920x1080' } },
});
process.env['FASTRTPS_DEFAULT_PROFILES_FILE'] ??= 'config/fastdds_shared_memory.xml';
for (const size of values.sizes.split(',')) {
  const [width, height] = size.split('x').map(Number) as [number, number];
  process.stdout.write(`${JSON.stringify(await measure(width, height, Number(values.seconds)))}\n`);
}
process.exit(0);
