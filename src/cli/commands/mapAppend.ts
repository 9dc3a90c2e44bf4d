import { checkMapModel, checkMapPoses } from '../../map/MapMeta.js';
import { PlaceMap } from '../../map/PlaceMap.js';
import { BUILD_DETAILS, BUILD_OPTIONS, buildFromSource } from '../buildFromSource.js';
import type { Command } from '../Command.js';
import { sourcePosesOf } from '../sourcePoses.js';

export const command: Command = {
  name: 'map append',
  summary: 'Add a bag or an image folder to a map as another session.',
  positionals: 'BAG MAP',
  positionalCount: [2, 2],
  options: BUILD_OPTIONS,
  details:
    `${BUILD_DETAILS}\nPoses must be in the frame of the map (--set map_frame names theirs where the messages name another); references near a\nplace of the map join it.\n` +
    'They get codes as the map has them; after much of another kind `vpr map refit` fits the codes anew.',
  run(args) {
    const [, file] = args.positionals as [string, string];
    return buildFromSource(args, {
      async openMap({ source, model: { manifest, sha256 } }) {
        const poses = await sourcePosesOf(source, args);
        const map = PlaceMap.open(file, 'append');
        try {
          const { name, descriptorDimension } = manifest;
          checkMapModel(map.meta, { name, sha256, descriptorDimension }, map.path);
          if (poses !== undefined) checkMapPoses(map.meta, poses, source.summary.path);
          return map;
        } catch (error) {
          map.close();
          throw error;
        }
      },
    });
  },
};
