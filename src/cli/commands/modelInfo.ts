import { modelSha256, readModelManifest } from '../../inference/readModelManifest.js';
import type { Command } from '../Command.js';
import { defaultModelPath } from '../../worker/defaultModel.js';

export const command: Command = {
  name: 'model info',
  summary: 'Print what a model folder says of itself.',
  positionals: '[DIR]',
  positionalCount: [0, 1],
  options: { json: { type: 'boolean', description: 'print the manifest and the model’s sha256 as JSON' } },
  run(args) {
    const folder = args.positionals[0] ?? defaultModelPath();
    const manifest = readModelManifest(folder);
    const sha256 = modelSha256(manifest);
    if (args.flag('json')) {
      process.stdout.write(`${JSON.stringify({ folder, sha256, ...manifest }, undefined, 2)}\n`);
      return Promise.resolve(0);
    }
    const { input, binarizer } = manifest;
    const rows: readonly (readonly [string, string])[] = [
      ['folder', folder],
      ['name', manifest.name],
      ['architecture', manifest.architecture],
      ['sha256', sha256],
      ['descriptor', `${manifest.descriptorDimension} values, ${manifest.precision}`],
      ['codes', binarizer.kind === 'hash' ? '512 bits, hash branch' : `512 bits, projection ${binarizer.file}`],
      ['input', `${input.width}x${input.height} ${input.layout}, ${input.resize}, ${input.normalize}`],
      ['files', manifest.files.map(({ name, bytes }) => `${name} (${bytes} bytes)`).join(', ')],
      ['licence', manifest.licence],
      ['golden', `${manifest.golden.length} vectors`],
    ];
    for (const [name, value] of rows) process.stdout.write(`${name.padEnd(13)} ${value}\n`);
    return Promise.resolve(0);
  },
};
