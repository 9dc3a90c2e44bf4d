import { openModel } from '../../inference/openModel.js';
import { defaultModelPath } from '../../worker/defaultModel.js';
import type { Command } from '../Command.js';

export const command: Command = {
  name: 'model verify',
  summary: 'Check a model’s files against its manifest and its answers against the golden vectors.',
  positionals: '[DIR]',
  positionalCount: [0, 1],
  options: {
    provider: { type: 'string', default: 'cpu', description: 'execution provider: cpu, cuda, tensorrt, webgpu' },
    json: { type: 'boolean', description: 'print one JSON object' },
  },
  details: 'Exit code 1, with the difference in the message, when a file changed or the provider answers otherwise.',
  async run(args) {
    const folder = args.positionals[0] ?? defaultModelPath();
    const model = await openModel(folder, { providers: [args.string('provider')!] });
    try {
      const { selfTest, manifest, sha256 } = model;
      process.stdout.write(
        args.flag('json')
          ? `${JSON.stringify({ folder, name: manifest.name, sha256, provider: model.extractor.provider, ...selfTest }, undefined, 2)}\n`
          : `${manifest.name}: files and ${selfTest.vectors} golden vectors right on ${model.extractor.provider} ` +
              `(largest difference ${selfTest.descriptorDifference.toExponential(1)} of ${selfTest.tolerance.descriptor}, ` +
              `${selfTest.bitsDifferent} of ${selfTest.tolerance.bits} bits allowed)\n`,
      );
      return 0;
    } finally {
      await model.extractor.close();
    }
  },
};
