/**
 * Each network as two graphs run in turn: ours, and torch.onnx.export of the official module (export_official.py), both in
 * onnxruntime-node on the same weights, one process each. Wall time on a shared machine is noise: the ratio of a pair is what
 * counts, and processor time beside it. The answers are compared too.
 *
 *   node dist/bench/models/compareGraphs.js --peers FOLDER [--precision fp32] [--threads 1,2] [--runs 7] [--write] NAME[=PEER] ...
 *
 * NAME: an architecture; PEER.onnx in FOLDER is its export (PEER.int8.onnx with --precision int8), NAME where it is not given.
 * Prints one JSON row for each network and number of threads; --write also puts them into comparison.json, in place of older rows.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { architectureNamed } from '../../src/onnx/architectures/architectures.js';
import { writeModel } from '../../src/onnx/graph/writeModel.js';
import { RandomWeights } from '../../src/onnx/layers/RandomWeights.js';
import type { Precision } from '../../src/onnx/layers/Network.js';
import { GraphProcess, type Sample } from './GraphProcess.js';

export interface ComparisonRow {
  readonly network: string;
  readonly precision: Precision;
  readonly threads: number;
  /** Side of the square input: the one that the export has. */
  readonly side: number;
  readonly runs: number;
  /** Medians, milliseconds. */
  readonly oursMs: number;
  readonly exportMs: number;
  /** Export over ours, of the runs next to each other: least, median, most. */
  readonly wallRatio: readonly [number, number, number];
  /** The same of processor time: least, median, most. */
  readonly cpuRatio: readonly [number, number, number];
  readonly oursPeakMiB: number;
  readonly exportPeakMiB: number;
  /** Largest difference of a descriptor element between the two. */
  readonly descriptorDifference: number;
  /** Bits of 512 that differ, where the network has a hash. */
  readonly bitsDifferent?: number;
}

const RESULTS = 'bench/models/comparison.json';
/** Of the crop on which the official modules are exported (side_of in test/data/onnx/official_networks.py). */
const SIDES: Readonly<Record<string, number>> = { 'boq-resnet50': 384, cricavpr: 224 };
const VIT = /^(selavprpp|salad|emvp|boq-dinov2)/;

function sideOf(name: string): number {
  return SIDES[name] ?? (VIT.test(name) ? 322 : 320);
}

/** The median, least and most. */
function spread(values: readonly number[]): readonly [number, number, number] {
  const sorted = [...values].sort((a, b) => a - b);
  return [sorted[0]!, sorted[sorted.length >> 1]!, sorted.at(-1)!];
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
}

function writeOurs(name: string, precision: Precision, folder: string, side: number): string {
  const architecture = architectureNamed(name);
  if (architecture === undefined) throw new RangeError(`Expected a network of 'vpr model list', got '${name}'`);
  const weights = new RandomWeights(architecture.variant);
  const graph = architecture.build(weights, { precision, attention: 'fused', height: side, width: side });
  writeModel(graph, folder);
  return path.join(folder, 'model.onnx');
}

interface Cell {
  readonly network: string;
  readonly precision: Precision;
  readonly threads: number;
  readonly side: number;
  readonly runs: number;
}

async function compare(ours: string, peer: string, cell: Cell): Promise<ComparisonRow> {
  const { side, threads, runs } = cell;
  const left = await GraphProcess.open(ours, side, threads);
  const right = await GraphProcess.open(peer, side, threads);
  try {
    const [answer, peerAnswer] = [await left.run(), await right.run()];
    const pairs: (readonly [Sample, Sample])[] = [];
    for (let i = 0; i < runs; i++) {
      // Each goes first every other time: what the other left in the caches is then no advantage of one.
      if (i % 2 === 0) pairs.push([await left.run(), await right.run()]);
      else {
        const second = await right.run();
        pairs.push([await left.run(), second]);
      }
    }
    const last = pairs.at(-1)!;
    const bits = answer.hash?.filter((value, i) => value >= 0 !== peerAnswer.hash![i]! >= 0).length;
    return {
      ...cell,
      oursMs: spread(pairs.map(([a]) => a.wallMs))[1],
      exportMs: spread(pairs.map(([, b]) => b.wallMs))[1],
      wallRatio: spread(pairs.map(([a, b]) => b.wallMs / a.wallMs)),
      cpuRatio: spread(pairs.map(([a, b]) => b.cpuMs / a.cpuMs)),
      oursPeakMiB: last[0].peakMiB,
      exportPeakMiB: last[1].peakMiB,
      descriptorDifference: largestDifference(answer.descriptor, peerAnswer.descriptor),
      ...(bits === undefined ? {} : { bitsDifferent: bits }),
    };
  } finally {
    left.close();
    right.close();
  }
}

function store(row: ComparisonRow): void {
  const known = existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as ComparisonRow[]) : [];
  const cellOf = ({ network, precision, threads }: ComparisonRow): string => `${network} ${precision} ${threads}`;
  const kept = known.filter((other) => cellOf(other) !== cellOf(row));
  const rows = [...kept, row].sort((a, b) => (cellOf(a) < cellOf(b) ? -1 : 1));
  writeFileSync(RESULTS, `${JSON.stringify(rows, null, 2)}\n`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peers: { type: 'string' },
    precision: { type: 'string', default: 'fp32' },
    threads: { type: 'string', default: '1,2' },
    runs: { type: 'string', default: '7' },
    write: { type: 'boolean', default: false },
  },
});
const precision = values.precision as Precision;
for (const positional of positionals) {
  const [network, peer = network] = positional.split('=') as [string, string?];
  const side = sideOf(network);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-compare-'));
  try {
    const ours = writeOurs(network, precision, folder, side);
    const export_ = path.join(values.peers!, `${peer}${precision === 'int8' ? '.int8' : ''}.onnx`);
    for (const threads of values.threads.split(',').map(Number)) {
      const row = await compare(ours, export_, { network, precision, threads, side, runs: Number(values.runs) });
      process.stdout.write(`${JSON.stringify(row)}\n`);
      if (values.write) store(row);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
