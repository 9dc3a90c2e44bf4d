import { copyFileSync, existsSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { VprError } from '../../core/VprError.js';
import { openModel } from '../../inference/openModel.js';
import { fitProjection } from '../../onnx/hashing/fitProjection.js';
import { COUNTS, required, UsageError, type Command } from '../Command.js';
import { createMatrixProduct } from '../createMatrixProduct.js';
import { replaceModelFolder, writeModelManifest } from '../modelFolder.js';
import { NpyRows } from '../NpyRows.js';
import { createProgress } from '../progress.js';

const PROJECTION_FILE = 'projection.f32';
const MEAN_FILE = 'mean.f32';

function littleEndianBytes(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) view.setFloat32(i * 4, values[i]!, true);
  return bytes;
}

/** At most `most` rows, [n, D]. Throws ARGUMENT_INVALID for rows of another length and for values that are not finite. */
function readDescriptors(file: string, dimension: number, most: number): Float32Array {
  const rows = new NpyRows(file);
  try {
    if (rows.dimension !== dimension)
      throw new VprError(
        'ARGUMENT_INVALID',
        `Expected descriptors of ${dimension} values, got ${rows.dimension} [${file}]`,
      );
    const count = Math.min(rows.rows, most);
    // Evenly over the file: neighbouring images of a drive say the same twice.
    const ids = Uint32Array.from({ length: count }, (_, i) => 1 + Math.floor((i * rows.rows) / count));
    const out = new Float32Array(count * dimension);
    rows.readDescriptors(ids, out);
    const wrong = out.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0)
      throw new VprError(
        'ARGUMENT_INVALID',
        `Expected finite descriptors, got ${out[wrong]} in row ${ids[Math.floor(wrong / dimension)]! - 1} [${file}]`,
      );
    return out;
  } finally {
    rows.close();
  }
}

export const command: Command = {
  name: 'model fit-hash',
  summary: "fit a model's 512-bit projection to descriptors of its own and write it as a new model folder",
  positionals: 'MODEL',
  positionalCount: [1, 1],
  options: {
    output: { type: 'string', short: 'o', value: 'DIR', description: 'folder to write' },
    descriptors: {
      type: 'string',
      value: 'FILE.npy',
      description: "[N, D] f32, N >= 4096, as 'vpr eval --export' writes them; not of the sets that judge",
    },
    most: {
      type: 'integer',
      range: COUNTS,
      value: 'N',
      default: 8192,
      description: 'descriptors used at most, spread over the file',
    },
    iterations: {
      type: 'integer',
      range: COUNTS,
      value: 'N',
      default: 20,
      description: 'rotations of the iterative quantization',
    },
    seed: { type: 'integer', range: [0, 2 ** 31], value: 'N', default: 1, description: 'seed of the first rotation' },
  },
  details:
    'Codes change with the projection: a map that was built before must be recoded (vpr map refit) or built again.\n' +
    'The method is iterative quantization (Gong and Lazebnik, CVPR 2011).',
  async run(args) {
    const source = args.positionals[0]!;
    const folder = required(args.string('output'), 'output');
    if ([folder, source].every((name) => existsSync(name)) && realpathSync(folder) === realpathSync(source))
      throw new UsageError('Expected another folder for --output than MODEL');
    // What is written gets checksums and golden vectors of its own: a damaged model must not get them.
    const { manifest, extractor } = await openModel(source);
    await extractor.close();
    const descriptors = readDescriptors(
      required(args.string('descriptors'), 'descriptors'),
      manifest.descriptorDimension,
      args.number('most')!,
    );
    const progress = createProgress('rotating', args.number('iterations')!);
    const fitted = await fitProjection(descriptors, manifest.descriptorDimension, createMatrixProduct(), {
      iterations: args.number('iterations')!,
      seed: args.number('seed')!,
      onProgress: (iteration) => progress.update(iteration),
    });
    progress.end();
    const { binarizer } = manifest;
    const replaced = binarizer.kind === 'projection' ? [binarizer.file, binarizer.mean] : [];
    const graphFiles = manifest.files.map(({ name }) => name).filter((name) => !replaced.includes(name));
    const { name, architecture, input, descriptorDimension, precision, licence, provenance } = manifest;
    const written = await replaceModelFolder(folder, (newFolder) => {
      for (const name of graphFiles) copyFileSync(path.join(source, name), path.join(newFolder, name));
      writeFileSync(path.join(newFolder, PROJECTION_FILE), littleEndianBytes(fitted.projection));
      writeFileSync(path.join(newFolder, MEAN_FILE), littleEndianBytes(fitted.mean));
      return writeModelManifest(newFolder, [...graphFiles, PROJECTION_FILE, MEAN_FILE], {
        name: `${name}-fitted`,
        architecture,
        input,
        descriptorDimension,
        binarizer: { kind: 'projection', file: PROJECTION_FILE, mean: MEAN_FILE },
        precision,
        licence,
        provenance: {
          ...provenance,
          hash: `iterative quantization of ${descriptors.length / descriptorDimension} descriptors`,
        },
      });
    });
    const [before, after] = fitted.quantizationError;
    process.stdout.write(
      `${written.name}: ${descriptors.length / descriptorDimension} descriptors, quantization error ` +
        `${before.toFixed(4)} -> ${after.toFixed(4)} [${folder}]\n`,
    );
    return 0;
  },
};
