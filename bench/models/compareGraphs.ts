/**
 * Each network as two graphs run in turn: ours, and torch.onnx.export of the official module (export_official.py), both in
 * onnxruntime-node on the same weights, one process each; with --torch the official module in PyTorch takes its turn, too. Wall
 * time on a shared machine is noise: the ratio of runs next to each other is what counts, and processor time beside it. The
 * answers of the graphs are compared.
 *
 *   node dist/bench/models/compareGraphs.js --peers FOLDER [--precision fp32] [--threads 1,2] [--runs 9]
 *     [--torch PYTHON --ref FOLDER] [--write] NAME[=PEER] ...
 *
 * NAME: an architecture; PEER.onnx in FOLDER is its export (PEER.int8.onnx with --precision int8), NAME where it is not given.
 * PYTHON: has PyTorch; FOLDER of --ref: clones as test/data/onnx/official_networks.py says. Prints one JSON row for each network
 * and number of threads; --write also puts them into comparison.json, in place of older rows.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { architectureNamed } from '../../src/onnx/architectures/architectures.js';
import { writeModel } from '../../src/onnx/graph/writeModel.js';
import { RandomWeights } from '../../src/onnx/layers/RandomWeights.js';
import type { Precision } from '../../src/onnx/layers/Network.js';
import { AnsweringProcess } from '../AnsweringProcess.js';
import { GraphProcess, type Sample } from './GraphProcess.js';

/** Lower quartile, median, upper quartile. */
export type Spread = readonly [number, number, number];

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
  /** Export over ours, of the runs next to each other. */
  readonly wallRatio: Spread;
  /** The same of processor time. */
  readonly cpuRatio: Spread;
  /** PyTorch over ours, of the runs next to each other, where it was asked. */
  readonly torch?: { readonly ms: number; readonly wallRatio: Spread };
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

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.round(part * (sorted.length - 1))]!;
  return [at(0.25), at(0.5), at(0.75)];
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

interface Run {
  readonly wallMs: number;
  readonly cpuMs: number;
}

interface TorchOptions {
  readonly python: string;
  readonly ref: string;
  readonly peer: string;
}

type TorchProcess = AnsweringProcess<object, object, Run>;

function openTorch({ threads }: Cell, { python, ref, peer }: TorchOptions): Promise<TorchProcess> {
  const args = ['bench/models/torch_process.py', '--ref', ref, '--threads', String(threads), peer];
  return AnsweringProcess.open(python, args);
}

async function compare(ours: string, peer: string, cell: Cell, torchOptions?: TorchOptions): Promise<ComparisonRow> {
  const { side, threads, runs } = cell;
  const left = await GraphProcess.open(ours, side, threads);
  const right = await GraphProcess.open(peer, side, threads);
  const torch = torchOptions === undefined ? undefined : await openTorch(cell, torchOptions);
  try {
    const [answer, peerAnswer] = [await left.run(), await right.run()];
    await torch?.ask({});
    const own: Sample[] = [];
    const exported: Sample[] = [];
    const official: Run[] = [];
    const turns = [
      async (): Promise<unknown> => own.push(await left.run()),
      async (): Promise<unknown> => exported.push(await right.run()),
      ...(torch === undefined ? [] : [async (): Promise<unknown> => official.push(await torch.ask({}))]),
    ];
    // Each goes first in its turn: what another left in the caches is then no advantage of one.
    for (let i = 0; i < runs; i++) for (let j = 0; j < turns.length; j++) await turns[(i + j) % turns.length]!();
    const bits = answer.hash?.filter((value, i) => value >= 0 !== peerAnswer.hash![i]! >= 0).length;
    const ratios = (others: readonly Run[], of: 'wallMs' | 'cpuMs'): Spread =>
      spread(others.map((run, i) => run[of] / own[i]![of]));
    const medianMs = (list: readonly Run[]): number => spread(list.map(({ wallMs }) => wallMs))[1];
    return {
      ...cell,
      oursMs: medianMs(own),
      exportMs: medianMs(exported),
      wallRatio: ratios(exported, 'wallMs'),
      cpuRatio: ratios(exported, 'cpuMs'),
      ...(torch === undefined ? {} : { torch: { ms: medianMs(official), wallRatio: ratios(official, 'wallMs') } }),
      oursPeakMiB: own.at(-1)!.peakMiB,
      exportPeakMiB: exported.at(-1)!.peakMiB,
      descriptorDifference: largestDifference(answer.descriptor, peerAnswer.descriptor),
      ...(bits === undefined ? {} : { bitsDifferent: bits }),
    };
  } finally {
    left.close();
    right.close();
    torch?.close();
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
    runs: { type: 'string', default: '9' },
    torch: { type: 'string' },
    ref: { type: 'string' },
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
      const cell = { network, precision, threads, side, runs: Number(values.runs) };
      const torch = values.torch === undefined ? undefined : { python: values.torch, ref: values.ref!, peer };
      const row = await compare(ours, export_, cell, torch);
      process.stdout.write(`${JSON.stringify(row)}\n`);
      if (values.write) store(row);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
