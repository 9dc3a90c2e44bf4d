import path from 'node:path';
import type { ModelInput } from '../../inference/ModelManifest.js';
import { sha256OfFile } from '../../inference/readModelManifest.js';
import type { Architecture } from '../../onnx/architectures/Architecture.js';
import { architectureNamed, ARCHITECTURES } from '../../onnx/architectures/architectures.js';
import { guessArchitecture } from '../../onnx/architectures/guessArchitecture.js';
import { IMAGENET_MEAN, IMAGENET_STD } from '../../onnx/architectures/imagenet.js';
import type { Checkpoint } from '../../onnx/checkpoint/Checkpoint.js';
import { openCheckpoint } from '../../onnx/checkpoint/openCheckpoint.js';
import { withVocabulary } from '../../onnx/checkpoint/withVocabulary.js';
import { addSeededHash } from '../../onnx/layers/seededHash.js';
import { writeModel } from '../../onnx/graph/writeModel.js';
import { WeightReader } from '../../onnx/layers/WeightReader.js';
import { required, UsageError, type Arguments, type Command } from '../Command.js';
import { replaceModelFolder, writeModelManifest } from '../modelFolder.js';
import { createProgress } from '../progress.js';

/** The checkpoint, with the vocabulary of a second file where there is one. The caller closes it. */
function openFiles(file: string, vocabulary: string | undefined): Checkpoint {
  const checkpoint = openCheckpoint(file);
  if (vocabulary === undefined) return checkpoint;
  let words: Checkpoint | undefined;
  try {
    words = openCheckpoint(vocabulary);
    return withVocabulary(checkpoint, words);
  } catch (error) {
    words?.close();
    checkpoint.close();
    throw error;
  }
}

function chooseArchitecture(name: string | undefined, checkpoint: Checkpoint): Architecture {
  if (name !== undefined) return architectureNamed(name)!;
  const { architecture, runnersUp } = guessArchitecture(checkpoint);
  const others = runnersUp.map((other) => other.name).join(', ');
  process.stderr.write(
    `The keys are those of ${architecture.name}${others === '' ? '' : `, and also of ${others}: --arch chooses`}\n`,
  );
  return architecture;
}

/** The resize rule: the architecture's own unless --antialias says otherwise. */
function resizeRule(architecture: Architecture, antialias: string | undefined): ModelInput['resize'] {
  const { resize } = architecture.preprocessing;
  if (antialias === undefined) return resize;
  if (resize !== 'bilinear' && resize !== 'bilinear-aa')
    throw new UsageError(`Expected no --antialias for ${architecture.name}, whose resize rule is ${resize}`);
  return antialias === 'on' ? 'bilinear-aa' : 'bilinear';
}

function inputOf(architecture: Architecture, args: Arguments): ModelInput {
  const { preprocessing } = architecture;
  const size = args.number('size');
  const resize = resizeRule(architecture, args.string('antialias'));
  const inside = args.flag('preprocess-inside');
  // Bicubic weights go below 0 and above 1 beside edges. Floats keep that, as the network was trained; bytes cannot.
  if (inside && resize === 'bicubic-aa')
    throw new UsageError(`Expected no --preprocess-inside for ${architecture.name}, whose resize rule is ${resize}`);
  return {
    name: 'image',
    layout: inside ? 'nhwc-u8' : 'nchw-f32',
    height: size ?? preprocessing.height,
    width: size ?? preprocessing.width,
    resize,
    // Bytes are resized before the graph normalises them; the two orders differ only by rounding.
    normalize: inside ? 'after-resize' : preprocessing.normalize,
    mean: preprocessing.mean ?? IMAGENET_MEAN,
    std: preprocessing.std ?? IMAGENET_STD,
  };
}

export const command: Command = {
  name: 'model import',
  summary: "turn a network's published checkpoint into a model folder",
  positionals: 'CHECKPOINT',
  positionalCount: [1, 1],
  options: {
    output: { type: 'string', short: 'o', value: 'DIR', description: 'folder to write' },
    arch: {
      type: 'string',
      value: 'NAME',
      choices: ARCHITECTURES.map(({ name }) => name),
      description: "network ('vpr model list' shows them); told from the checkpoint's keys when absent",
    },
    precision: {
      type: 'string',
      choices: ['fp32', 'fp16', 'int8'],
      default: 'fp32',
      description: 'of the backbone: int8 for CPUs, fp16 for GPUs',
    },
    antialias: {
      type: 'string',
      choices: ['on', 'off'],
      description: 'antialias of the resize (old torchvision: off); map and queries must agree',
    },
    size: {
      type: 'integer',
      range: [32, 4096],
      value: 'PX',
      description: "side of the square input (default: the network's own)",
    },
    attention: {
      type: 'string',
      choices: ['fused', 'plain'],
      default: 'fused',
      description: "fused: ONNX Runtime's operator; plain: standard operators only, for TensorRT",
    },
    'preprocess-inside': {
      type: 'boolean',
      description:
        'the graph takes resized bytes and normalises them itself (not for networks that resize by bicubic-aa)',
    },
    vocabulary: {
      type: 'string',
      value: 'FILE',
      description: 'words [K, D] of a network that has them apart from its weights (anyloc: c_centers.pt)',
    },
    name: { type: 'string', value: 'NAME', description: 'name of the model (default: architecture and precision)' },
  },
  details:
    'CHECKPOINT is a PyTorch file (.pth, .ckpt, .pt) or .safetensors. It is read as data: nothing in it is executed.\n' +
    'Example: vpr model import --arch selavprpp-base-gem SelaVPRplusplus_base_rerank.pth -o models/selavprpp',
  async run(args) {
    const folder = required(args.string('output'), 'output');
    const file = args.positionals[0]!;
    const precision = args.string('precision') as 'fp32' | 'fp16' | 'int8';
    const vocabulary = args.string('vocabulary');
    const checkpoint = openFiles(file, vocabulary);
    try {
      const architecture = chooseArchitecture(args.string('arch'), checkpoint);
      const input = inputOf(architecture, args);
      const weights = new WeightReader(checkpoint);
      const graph = architecture.build(weights, {
        precision,
        attention: args.string('attention') as 'fused' | 'plain',
        height: input.height,
        width: input.width,
        preprocessInside: input.layout === 'nhwc-u8',
      });
      if (precision === 'int8' && !graph.nodes.some(({ opType }) => opType === 'DynamicQuantizeMatMul'))
        throw new UsageError(`Expected fp32 or fp16 for ${architecture.name}, which has no layers that int8 quantizes`);
      const learnedHash = graph.outputs.some(({ name }) => name === 'hash');
      if (!learnedHash) addSeededHash(graph);
      const { manifest, parameters } = await replaceModelFolder(folder, async (newFolder) => {
        const progress = createProgress('writing', undefined);
        const { files, parameters } = writeModel(graph, newFolder, { onProgress: (done) => progress.update(done) });
        progress.end();
        return {
          parameters,
          manifest: await writeModelManifest(newFolder, files, {
            name: args.string('name') ?? `${architecture.name}${precision === 'fp32' ? '' : `-${precision}`}`,
            architecture: architecture.name,
            input,
            descriptorDimension: graph.outputs[0]!.shape[1]!,
            binarizer: { kind: 'hash' },
            precision,
            licence: architecture.licence,
            provenance: {
              checkpoint: path.basename(file),
              checkpointSha256: await sha256OfFile(file),
              ...(vocabulary === undefined
                ? {}
                : { vocabulary: path.basename(vocabulary), vocabularySha256: await sha256OfFile(vocabulary) }),
              source: architecture.source,
              paper: architecture.paper,
              hash: learnedHash ? 'of the network' : 'seeded random projection; vpr model fit-hash makes a better one',
            },
          }),
        };
      });
      process.stdout.write(
        `${manifest.name}: ${(parameters / 1e6).toFixed(2)} M parameters, descriptor ${manifest.descriptorDimension} [${folder}]\n`,
      );
      return 0;
    } finally {
      checkpoint.close();
    }
  },
};
