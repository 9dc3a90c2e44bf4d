import { PlaceMap } from '../../map/PlaceMap.js';
import { combineMaps } from '../../mapping/combineMaps.js';
import { ProjectionBinarizer } from '../../inference/Binarizer.js';
import { fitProjection } from '../../onnx/hashing/fitProjection.js';
import type { Command } from '../Command.js';
import { createMatrixProduct } from '../createMatrixProduct.js';
import { OUTPUT_OPTION, outputOf } from '../mapSelection.js';
import { createProgress } from '../progress.js';

/** Descriptors of at most `most` references, spread evenly over the map: [n, D]. */
function sampleOf(file: string, most: number): { descriptors: Float32Array; dimension: number } {
  const map = PlaceMap.open(file, 'read');
  try {
    const { referenceIds, dimension } = map;
    const count = Math.min(most, referenceIds.length);
    const ids = Uint32Array.from(
      { length: count },
      (_, i) => referenceIds[Math.floor((i * referenceIds.length) / count)]!,
    );
    const descriptors = new Float32Array(count * dimension);
    map.readDescriptors(ids, descriptors);
    return { descriptors, dimension };
  } finally {
    map.close();
  }
}

export const command: Command = {
  name: 'map refit',
  summary: 'Fit the 512-bit projection to the descriptors of a map and recode all of it.',
  positionals: 'MAP',
  positionalCount: [1, 1],
  options: {
    output: OUTPUT_OPTION,
    most: { type: 'number', value: 'N', default: 8192, description: 'descriptors used at most, spread over the map' },
    iterations: { type: 'number', value: 'N', default: 20, description: 'rotations of the iterative quantization' },
    seed: { type: 'number', value: 'N', default: 1, description: 'seed of the first rotation' },
    json: { type: 'boolean', description: 'print one JSON object' },
  },
  details:
    'Needs a map of at least 4,096 references. The map keeps its projection; queries are coded by it from then on, and maps\n' +
    'that are merged must have the same one. A calibration of the old codes is not kept: tune again.\n' +
    'The method is iterative quantization (Gong and Lazebnik, CVPR 2011).',
  async run(args) {
    const [file] = args.positionals as [string];
    const { file: output, target } = outputOf(file, args.string('output'));
    const { descriptors, dimension } = sampleOf(file, args.number('most')!);
    const progress = createProgress('refit', undefined);
    try {
      const { projection, mean, quantizationError } = await fitProjection(
        descriptors,
        dimension,
        createMatrixProduct(),
        {
          iterations: args.number('iterations')!,
          seed: args.number('seed')!,
          onProgress: (iteration) => progress.update(iteration, 'rotations'),
        },
      );
      const binarizer = new ProjectionBinarizer(projection, dimension, mean);
      const { references } = combineMaps([{ file }], output, {
        associate: 'none',
        target,
        meta: { binarizer: { kind: 'projection', projection, mean } },
        encode: (descriptor) => binarizer.encode(descriptor),
        onProgress: (done, total) => progress.update(done, `of ${total}`),
      });
      progress.end();
      const [before, after] = quantizationError;
      process.stdout.write(
        args.flag('json')
          ? `${JSON.stringify({ path: output, references, fittedOn: descriptors.length / dimension, quantizationError })}\n`
          : `${references} references recoded, quantization error ${before.toFixed(4)} -> ${after.toFixed(4)}: ${output}\n`,
      );
    } finally {
      progress.end();
    }
    return 0;
  },
};
