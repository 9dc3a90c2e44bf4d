import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spreadOf } from '../../evaluation/percentiles.js';
import type { Architecture } from '../../onnx/architectures/Architecture.js';
import { architectureNamed, ARCHITECTURES } from '../../onnx/architectures/architectures.js';
import { describeArchitecture } from '../../onnx/architectures/describeArchitecture.js';
import { IMAGENET_MEAN, IMAGENET_STD } from '../../onnx/architectures/imagenet.js';
import { writeModel } from '../../onnx/graph/writeModel.js';
import { RandomWeights } from '../../onnx/layers/RandomWeights.js';
import { addSeededHash } from '../../onnx/layers/seededHash.js';
import { beforeEnding } from '../beforeEnding.js';
import { COUNTS, UsageError, type Command } from '../Command.js';
import { measureModel } from '../measureModel.js';
import { writeModelManifest } from '../modelFolder.js';
import { createProgress } from '../progress.js';

/** Writes a network on random weights as a model folder, as `model import` writes one, but without golden vectors. */
async function writeRandomModel(architecture: Architecture, folder: string): Promise<void> {
  const weights = new RandomWeights(architecture.variant);
  const graph = architecture.build(weights, { precision: 'fp32', attention: 'fused' });
  if (!graph.outputs.some(({ name }) => name === 'hash')) addSeededHash(graph);
  const { files } = writeModel(graph, folder);
  const { preprocessing, name, licence } = architecture;
  const description = {
    name,
    architecture: name,
    input: {
      name: 'image',
      layout: 'nchw-f32',
      mean: IMAGENET_MEAN,
      std: IMAGENET_STD,
      ...preprocessing,
    },
    descriptorDimension: graph.outputs[0]!.shape[1]!,
    binarizer: { kind: 'hash' },
    precision: 'fp32',
    licence,
    provenance: { weights: 'random' },
  } as const;
  await writeModelManifest(folder, files, description, []);
}

/** One row of the table. Bytes of a descriptor: f32. */
export interface ModelBenchRow {
  readonly name: string;
  readonly threads: number;
  readonly input: string;
  readonly descriptorDimension: number;
  readonly descriptorBytes: number;
  readonly parameters: number;
  readonly multiplyAdds: number;
  readonly runs: number;
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** Median of the processor time of a run, all threads together. */
  readonly medianCpuMs: number;
  readonly peakResidentMiB: number;
}

async function measure(architecture: Architecture, threads: number, runs: number): Promise<ModelBenchRow> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-bench-models-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const child = new AbortController();
  // Gigabytes, and a process that would measure on for nobody.
  const callOff = beforeEnding(() => {
    child.abort();
    remove();
  });
  try {
    await writeRandomModel(architecture, folder);
    const { milliseconds, cpuMilliseconds, peakResidentBytes } = await measureModel(folder, {
      threads,
      runs,
      signal: child.signal,
    });
    const { dimension, parameters, multiplyAdds } = describeArchitecture(architecture);
    return {
      name: architecture.name,
      threads,
      input: `${architecture.preprocessing.height} x ${architecture.preprocessing.width}`,
      descriptorDimension: dimension,
      descriptorBytes: dimension * 4,
      parameters,
      multiplyAdds,
      runs,
      medianMs: spreadOf(milliseconds).p50,
      minMs: Math.min(...milliseconds),
      maxMs: Math.max(...milliseconds),
      medianCpuMs: spreadOf(cpuMilliseconds).p50,
      peakResidentMiB: peakResidentBytes / 2 ** 20,
    };
  } finally {
    callOff();
    remove();
  }
}

function text(row: ModelBenchRow): string {
  return (
    `${row.name.padEnd(22)} ${row.threads} threads: ${row.medianMs.toFixed(0)} ms ` +
    `(${row.minMs.toFixed(0)}...${row.maxMs.toFixed(0)}), ${row.medianCpuMs.toFixed(0)} ms of processor time, ${row.peakResidentMiB.toFixed(0)} MiB, ` +
    `descriptor ${row.descriptorDimension} (${row.descriptorBytes} bytes)\n`
  );
}

export const command: Command = {
  name: 'bench models',
  summary: 'measure the networks that can be imported, on random weights: latency, memory, descriptor size',
  positionals: '[NAME]...',
  positionalCount: [0, ARCHITECTURES.length],
  options: {
    threads: { type: 'integer', range: COUNTS, value: 'N', default: 1, description: 'threads of one inference' },
    runs: {
      type: 'integer',
      range: COUNTS,
      value: 'N',
      default: 5,
      description: 'timed runs of each, after one that is not',
    },
    json: { type: 'boolean', description: 'print JSON' },
  },
  details:
    'Each network runs in a process of its own, whose peak memory is its own. Without NAME, all of them: anyloc alone needs\n' +
    '4 GB of memory and of disk. On a machine with other work trust the processor time, not the clock.',
  async run(args) {
    const names = args.positionals.length > 0 ? args.positionals : ARCHITECTURES.map(({ name }) => name);
    const threads = args.number('threads')!;
    const runs = args.number('runs')!;
    const chosen = names.map((name) => {
      const architecture = architectureNamed(name);
      if (architecture === undefined)
        throw new UsageError(`Expected names of networks ('vpr model list' shows them), got '${name}'`);
      return architecture;
    });
    const progress = createProgress('measuring', chosen.length);
    const rows: ModelBenchRow[] = [];
    for (const architecture of chosen) {
      progress.update(rows.length, architecture.name);
      const row = await measure(architecture, threads, runs);
      rows.push(row);
      if (!args.flag('json')) process.stdout.write(text(row));
    }
    progress.end();
    if (args.flag('json')) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    return 0;
  },
};
