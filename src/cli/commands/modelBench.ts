import { spreadOf } from '../../evaluation/percentiles.js';
import { openModel } from '../../inference/openModel.js';
import { goldenTensor } from '../../inference/selfTest.js';
import { defaultModelPath } from '../../worker/defaultModel.js';
import { COUNTS, UsageError, type Command } from '../Command.js';
import { createProgress } from '../progress.js';

export const command: Command = {
  name: 'model bench',
  summary: 'Measure a model: milliseconds an image, by number of threads.',
  positionals: '[DIR]',
  positionalCount: [0, 1],
  options: {
    provider: { type: 'string', default: 'cpu', description: 'execution provider: cpu, cuda, tensorrt, webgpu' },
    threads: { type: 'string', default: '1,2', value: 'N,N', description: 'numbers of threads' },
    runs: { type: 'integer', range: COUNTS, default: 30, value: 'N', description: 'timed inferences of each' },
    json: { type: 'boolean', description: 'print one JSON object' },
  },
  async run(args) {
    const folder = args.positionals[0] ?? defaultModelPath();
    const runs = args.number('runs')!;
    const threadCounts = args.string('threads')!.split(',').map(Number);
    if (!threadCounts.every((count) => Number.isInteger(count) && count >= 1))
      throw new UsageError(`Expected whole numbers of at least 1 for --threads, got '${args.string('threads')}'`);
    const provider = args.string('provider')!;
    const results = [];
    for (const threads of threadCounts) {
      const openedAtMs = performance.now();
      const model = await openModel(folder, { providers: [provider], threads });
      const openMs = performance.now() - openedAtMs;
      const progress = createProgress(`${threads} threads`, runs);
      try {
        const tensor = goldenTensor(model.manifest, 1);
        for (let i = 0; i < 3; i++) await model.extractor.extract(tensor);
        const times: number[] = [];
        for (let i = 0; i < runs; i++) {
          const startMs = performance.now();
          await model.extractor.extract(tensor);
          times.push(performance.now() - startMs);
          progress.update(i + 1);
        }
        results.push({ threads, openMs, ...spreadOf(times) });
      } finally {
        progress.end();
        await model.extractor.close();
      }
    }
    const rssBytes = process.memoryUsage.rss();
    process.stdout.write(
      args.flag('json')
        ? `${JSON.stringify({ folder, provider, runs, results, rssBytes }, undefined, 2)}\n`
        : results
            .map(
              ({ threads, p50, p99, mean }) =>
                `${provider}, ${threads} threads: p50 ${p50.toFixed(2)} ms, mean ${mean.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms\n`,
            )
            .join(''),
    );
    return 0;
  },
};
