import { COUNTS, type Command } from '../Command.js';
import { MOST_DESCRIPTORS, refitMap } from '../mapCode.js';
import { OUTPUT_OPTION, outputOf } from '../mapSelection.js';
import { createProgress } from '../progress.js';

export const command: Command = {
  name: 'map refit',
  summary: 'Fit the 512-bit codes to the descriptors of a map and recode all of it.',
  positionals: 'MAP',
  positionalCount: [1, 1],
  options: {
    output: OUTPUT_OPTION,
    most: {
      type: 'integer',
      range: COUNTS,
      value: 'N',
      default: MOST_DESCRIPTORS,
      description: 'descriptors used at most, spread over the map',
    },
    iterations: {
      type: 'integer',
      range: COUNTS,
      value: 'N',
      default: 20,
      description: 'from 4,096 references on: rotations of the iterative quantization',
    },
    seed: {
      type: 'integer',
      range: [0, 2 ** 31],
      value: 'N',
      default: 1,
      description: 'seed of the random directions',
    },
    json: { type: 'boolean', description: 'print one JSON object' },
  },
  details:
    'Needs 16 references. `vpr map build` does it at its end: this is for maps that have grown since, and for those that a node made.\n' +
    'The map keeps its projection; queries are coded by it from then on. From 4,096 references on it is iterative\n' +
    'quantization (Gong and Lazebnik, CVPR 2011), below that the fourth root of the covariance, turned at random.',
  async run(args) {
    const [file] = args.positionals as [string];
    const { file: output, target } = outputOf(file, args.string('output'));
    const progress = createProgress('refit', undefined);
    try {
      const { references, fittedOn, quantizationError } = await refitMap(file, output, {
        target,
        most: args.number('most')!,
        iterations: args.number('iterations')!,
        seed: args.number('seed')!,
        onProgress: (iteration) => progress.update(iteration, 'rotations'),
        onRecoded: (done, total) => progress.update(done, `of ${total}`),
      });
      progress.end();
      const error =
        quantizationError === undefined
          ? ''
          : `, quantization error ${quantizationError.map((value) => value.toFixed(4)).join(' -> ')}`;
      process.stdout.write(
        args.flag('json')
          ? `${JSON.stringify({ path: output, references, fittedOn, quantizationError })}\n`
          : `${references} references recoded${error}: ${output}\n`,
      );
    } finally {
      progress.end();
    }
    return 0;
  },
};
