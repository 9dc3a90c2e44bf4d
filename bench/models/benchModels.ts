/**
 * One network as two graphs, run in turn: ours (vpr model import) and the peer (torch.onnx.export of the official module,
 * export_official.py), both in onnxruntime-node, one process each. Wall time on a shared machine is noise: the ratio of the
 * pair is what counts, and processor time beside it.
 *
 *   node dist/bench/models/benchModels.js --ours MODEL.onnx --peer PEER.onnx [--side 322] [--threads 1] [--runs 7] [--label TEXT]
 *
 * Prints one Markdown row: label, threads, ours ms, peer ms, wall ratio (median of pairs, min...max), CPU ratio, peak RSS of both.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { mulberry32 } from '../../src/core/mulberry32.js';

interface Sample {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakRssMiB: number;
}

async function child(file: string, side: number, threads: number): Promise<void> {
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const session = await InferenceSession.create(file, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const next = mulberry32(1);
  const input = Float32Array.from({ length: 3 * side * side }, () => next() / 2 ** 30 - 2);
  const tensor = new Tensor('float32', input, [1, 3, side, side]);
  process.on('message', () => {
    void (async () => {
      const before = process.cpuUsage();
      const startedMs = performance.now();
      await session.run({ image: tensor });
      const wallMs = performance.now() - startedMs;
      const { user, system } = process.cpuUsage(before);
      const sample: Sample = {
        wallMs,
        cpuMs: (user + system) / 1000,
        peakRssMiB: process.resourceUsage().maxRSS / 1024,
      };
      process.send!(sample);
    })();
  });
  process.send!('ready');
}

async function open(file: string, side: number, threads: number): Promise<ChildProcess> {
  const process_ = fork(fileURLToPath(import.meta.url), ['--child', file, String(side), String(threads)]);
  await once(process_, 'message');
  return process_;
}

async function sample(process_: ChildProcess): Promise<Sample> {
  process_.send('run');
  const [message] = (await once(process_, 'message')) as [Sample];
  return message;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ours: { type: 'string' },
      peer: { type: 'string' },
      side: { type: 'string', default: '322' },
      threads: { type: 'string', default: '1' },
      runs: { type: 'string', default: '7' },
      label: { type: 'string', default: '' },
    },
  });
  const side = Number(values.side);
  const threads = Number(values.threads);
  const ours = await open(values.ours!, side, threads);
  const peer = await open(values.peer!, side, threads);
  await sample(ours);
  await sample(peer);
  const pairs: (readonly [Sample, Sample])[] = [];
  for (let i = 0; i < Number(values.runs); i++) {
    // Each goes first every other time: what the other left in the caches is then no advantage of one.
    if (i % 2 === 0) pairs.push([await sample(ours), await sample(peer)]);
    else {
      const second = await sample(peer);
      pairs.push([await sample(ours), second]);
    }
  }
  ours.kill();
  peer.kill();
  const ratios = pairs.map(([a, b]) => b.wallMs / a.wallMs);
  const cells = [
    values.label,
    String(threads),
    median(pairs.map(([a]) => a.wallMs)).toFixed(0),
    median(pairs.map(([, b]) => b.wallMs)).toFixed(0),
    `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}...${Math.max(...ratios).toFixed(2)})`,
    median(pairs.map(([a, b]) => b.cpuMs / a.cpuMs)).toFixed(2),
    `${pairs.at(-1)![0].peakRssMiB.toFixed(0)} / ${pairs.at(-1)![1].peakRssMiB.toFixed(0)}`,
  ];
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}

if (process.argv[2] === '--child') await child(process.argv[3]!, Number(process.argv[4]), Number(process.argv[5]));
else await main();
