/**
 * Raw images at 30 Hz through the live node, beside an rclpy subscriber that only receives. Needs ROS:
 *   set -a; . .cache/ros.env; set +a; node dist/bench/ros/throughput.js [--seconds 60] [--sizes 640x480,1920x1080]
 * CPU besides inference = CPU time of the whole process minus the sum of inference_ms (ONNX Runtime on one thread; with
 * more threads it is an upper bound), per received image.
 */
import os from 'node:os';
import { parseArgs } from 'node:util';
import { NodeProcess } from '../../test/ros/NodeProcess.js';
import { RosPeer, type Message } from '../../test/ros/RosPeer.js';

const TOPIC = '/camera/image_raw';
const IMAGE = 'sensor_msgs/msg/Image';
const WARM_UP_S = 3;

function valuesOf(diagnostics: Message): ReadonlyMap<string, number> {
  const statuses = diagnostics['status'] as { values: { key: string; value: string }[] }[];
  return new Map(statuses.flatMap((one) => one.values.map(({ key, value }) => [key, Number(value)] as const)));
}

async function measure(width: number, height: number, seconds: number): Promise<Message> {
  const camera = await RosPeer.start('camera');
  const receiver = await RosPeer.start('receiver');
  const observer = await RosPeer.start('observer');
  const bestEffort = { reliability: 'best_effort', depth: 1 } as const;
  await observer.subscribe('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray');
  await observer.subscribe('/vpr_node/state', 'vpr_node/msg/NodeState', { durability: 'transient_local' });
  await observer.subscribe('/vpr_node/place', 'vpr_node/msg/PlaceMatch');
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
    observer.forget('/vpr_node/place');
    const cpuBefore = node.resources().cpuMs;
    const { sent, late } = await stream(seconds);
    const cpuMs = node.resources().cpuMs - cpuBefore;
    const inferenceMs = observer
      .heard('/vpr_node/place')
      .reduce((sum, match) => sum + (match['inference_ms'] as number), 0);
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
      cpu_ms_an_image_besides_inference: round((cpuMs - inferenceMs) / received),
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
