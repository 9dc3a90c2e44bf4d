import { buildFixedFilters, FIXED_FILTERS_HEIGHT, FIXED_FILTERS_WIDTH } from '../../onnx/architectures/fixedFilters.js';
import { IMAGENET_MEAN, IMAGENET_STD } from '../../onnx/architectures/imagenet.js';
import { writeModel } from '../../onnx/graph/writeModel.js';
import { required, type Command } from '../Command.js';
import { replaceModelFolder, writeModelManifest } from '../modelFolder.js';

export const command: Command = {
  name: 'model build-default',
  summary: 'write the fixed-filter network (nothing learned) as a model folder',
  positionals: '',
  positionalCount: [0, 0],
  options: { output: { type: 'string', short: 'o', value: 'DIR', description: 'folder to write' } },
  async run(args) {
    const folder = required(args.string('output'), 'output');
    const graph = buildFixedFilters();
    const manifest = await replaceModelFolder(folder, (newFolder) => {
      const { files } = writeModel(graph, newFolder);
      return writeModelManifest(newFolder, files, {
        name: 'fixed-filters-v0',
        architecture: 'fixed-filters',
        input: {
          name: 'image',
          layout: 'nchw-f32',
          height: FIXED_FILTERS_HEIGHT,
          width: FIXED_FILTERS_WIDTH,
          resize: 'bilinear-aa',
          normalize: 'after-resize',
          mean: IMAGENET_MEAN,
          std: IMAGENET_STD,
        },
        descriptorDimension: graph.outputs[0]!.shape[1]!,
        binarizer: { kind: 'hash' },
        precision: 'fp32',
        licence: 'Apache-2.0',
        provenance: { command: 'vpr model build-default', training: 'none: fixed filters, seeded random projection' },
      });
    });
    process.stdout.write(`${manifest.name}: ${manifest.descriptorDimension} dimensions [${folder}]\n`);
    return 0;
  },
};
