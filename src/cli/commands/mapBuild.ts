import { rmSync } from 'node:fs';
import { VprError } from '../../core/VprError.js';
import { PlaceMap } from '../../map/PlaceMap.js';
import { LEAST_REFERENCES } from '../../onnx/hashing/fitMapProjection.js';
import { BUILD_DETAILS, BUILD_OPTIONS, buildFromSource } from '../buildFromSource.js';
import type { Command } from '../Command.js';
import { CODES_OPTION, refitMap } from '../mapCode.js';
import { createProgress } from '../progress.js';
import { poseKindOf, sourcePosesOf } from '../sourcePoses.js';

export const command: Command = {
  name: 'map build',
  summary: 'Build a map from a bag or an image folder.',
  positionals: 'BAG MAP',
  positionalCount: [2, 2],
  options: {
    ...BUILD_OPTIONS,
    codes: CODES_OPTION,
    frame: {
      type: 'string',
      value: 'FRAME',
      description: "frame of the poses (default: the pose topic's, else 'map')",
    },
  },
  details:
    `${BUILD_DETAILS}\n` +
    'References are committed as the work goes on: a run that is cut off leaves a map of everything until then.\n\n' +
    'Examples:\n' +
    '  vpr map build drive1.mcap town.vprmap --pose-topic /odometry/global\n' +
    '  vpr map build photos/ floor.vprmap --set keyframe.interval_s=0',
  run(args) {
    const [from, file] = args.positionals as [string, string];
    return buildFromSource(args, {
      async openMap({ source, model, parameters }) {
        const poses = await sourcePosesOf(source, args);
        return PlaceMap.create(file, {
          modelName: model.manifest.name,
          modelSha256: model.sha256,
          descriptorDimension: model.manifest.descriptorDimension,
          storage: parameters.mapStorage,
          mapFrame: args.string('frame') ?? (poses?.mapFrame || parameters.mapFrame),
          poseKind: poseKindOf(source),
          childFrame: poses?.childFrame ?? '',
          binarizer: { kind: 'model' },
        });
      },
      // A source without one usable image leaves no map behind.
      onClosed({ path: file, references }) {
        if (references === 0) rmSync(file, { force: true });
      },
      async finish({ path: file, references }) {
        if (references === 0)
          throw new VprError(
            'BAG_NO_IMAGES',
            `Expected an image that a map can be made of, got none; wrote no map [${from}]`,
          );
        if (args.string('codes') !== 'map' || references < LEAST_REFERENCES) return;
        const progress = createProgress('codes', undefined);
        try {
          await refitMap(file, file, {
            target: 'overwrite',
            onProgress: (iteration) => progress.update(iteration, 'rotations'),
            onRecoded: (done, total) => progress.update(done, `of ${total}`),
          });
        } catch (error) {
          if (!(error instanceof VprError)) throw error;
          const sentence = `${error.message}: the map is whole, but has the codes of the model (vpr map refit fits them)`;
          throw new VprError(error.code, sentence, { cause: error });
        } finally {
          progress.end();
        }
      },
    });
  },
};
