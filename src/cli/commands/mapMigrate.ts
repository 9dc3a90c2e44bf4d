import { combineMaps } from '../../mapping/combineMaps.js';
import { MAP_FORMAT_VERSION } from '../../map/mapSchema.js';
import type { DescriptorStorage } from '../../map/descriptorCodec.js';
import type { Command } from '../Command.js';
import { OUTPUT_OPTION, outputOf } from '../mapSelection.js';
import { createProgress } from '../progress.js';

export const command: Command = {
  name: 'map migrate',
  summary: 'Rewrite a map in the newest format version, compact, with descriptors stored another way if asked.',
  positionals: 'MAP',
  positionalCount: [1, 1],
  options: {
    storage: {
      type: 'string',
      choices: ['f32', 'f16', 'int8'],
      description: 'how descriptors are stored (default: as they are)',
    },
    output: OUTPUT_OPTION,
    json: { type: 'boolean', description: 'print one JSON object' },
  },
  details: 'Going from f32 to f16 or int8 saves space and cannot be undone: precision is lost.',
  run(args) {
    const [file] = args.positionals as [string];
    const storage = args.string('storage') as DescriptorStorage | undefined;
    const { file: output, target } = outputOf(file, args.string('output'));
    const progress = createProgress('migrate', undefined);
    try {
      const { references } = combineMaps([{ file }], output, {
        associate: 'none',
        target,
        ...(storage === undefined ? {} : { meta: { storage } }),
        onProgress: (done, total) => progress.update(done, `of ${total}`),
      });
      progress.end();
      process.stdout.write(
        args.flag('json')
          ? `${JSON.stringify({ path: output, formatVersion: MAP_FORMAT_VERSION, references })}\n`
          : `${references} references written in format version ${MAP_FORMAT_VERSION}: ${output}\n`,
      );
    } finally {
      progress.end();
    }
    return Promise.resolve(0);
  },
};
