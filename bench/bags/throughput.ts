/**
 * Images a second and MB a second out of a bag, against the rosbags Python reader in the same run.
 * node dist/bench/bags/throughput.js BAG [PYTHON]; BAG: from make_big_bag.py; PYTHON: an interpreter with rosbags.
 * The two take turns, and the ratio of their best times is the result: absolute times are noise on a shared machine. The
 * ratio of processor times stands even where other work leaves no core for the threads.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { openImageSource } from '../../src/bag/openImageSource.js';

const [bag, python] = process.argv.slice(2);
if (bag === undefined) throw new RangeError('Expected BAG [PYTHON]');
const ROUNDS = python === undefined ? 1 : 3;

async function readOnce(
  file: string,
): Promise<{ seconds: number; cpuSeconds: number; images: number; bytes: number; peakRss: number }> {
  const source = await openImageSource(file);
  const startedMs = performance.now();
  const startedCpu = process.cpuUsage();
  let images = 0;
  let bytes = 0;
  let peakRss = 0;
  for await (const { image } of source) {
    images++;
    bytes += image.data.length;
    if (images % 100 === 0) peakRss = Math.max(peakRss, process.memoryUsage().rss);
  }
  await source.close();
  const { user, system } = process.cpuUsage(startedCpu);
  return {
    seconds: (performance.now() - startedMs) / 1000,
    cpuSeconds: (user + system) / 1e6,
    images,
    bytes,
    peakRss,
  };
}

let ours = Infinity;
let theirs = Infinity;
let [ourCpu, theirCpu] = [Infinity, Infinity];
for (let round = 0; round < ROUNDS; round++) {
  const result = await readOnce(bag);
  ours = Math.min(ours, result.seconds);
  ourCpu = Math.min(ourCpu, result.cpuSeconds);
  const { seconds, cpuSeconds, images, bytes, peakRss } = result;
  console.log(
    `vpr:     ${images} images, ${(bytes / 1e9).toFixed(2)} GB in ${seconds.toFixed(2)} s (${cpuSeconds.toFixed(2)} s of processor): ${(images / seconds).toFixed(0)} images/s, ${(bytes / 1e6 / seconds).toFixed(0)} MB/s, peak RSS ${(peakRss / 1e6).toFixed(0)} MB`,
  );
  if (python === undefined) continue;
  const script = path.resolve('bench/bags/read_with_rosbags.py');
  const peer = spawnSync(python, [script, bag], { encoding: 'utf8' });
  if (peer.status !== 0) throw new Error(`Expected rosbags to read the bag, got ${peer.stderr}`);
  const [peerSeconds, peerImages, peerBytes, peerCpu] = peer.stdout.trim().split(/\s+/).map(Number) as [
    number,
    number,
    number,
    number,
  ];
  theirs = Math.min(theirs, peerSeconds);
  theirCpu = Math.min(theirCpu, peerCpu);
  console.log(
    `rosbags: ${peerImages} images, ${(peerBytes / 1e9).toFixed(2)} GB in ${peerSeconds.toFixed(2)} s (${peerCpu.toFixed(2)} s of processor): ${(peerImages / peerSeconds).toFixed(0)} images/s, ${(peerBytes / 1e6 / peerSeconds).toFixed(0)} MB/s`,
  );
}
if (python !== undefined)
  console.log(
    `vpr reads ${(theirs / ours).toFixed(2)} times as fast as rosbags, with ${(ourCpu / theirCpu).toFixed(2)} of its processor time`,
  );
