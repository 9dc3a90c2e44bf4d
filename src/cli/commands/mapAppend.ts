import { checkMapModel } from '../../map/MapMeta.js';
import { PlaceMap } from '../../map/PlaceMap.js';
import { BUILD_DETAILS, BUILD_OPTIONS, buildFromSource } from '../buildFromSource.js';
import type { Command } from '../Command.js';

export const command: Command = {
  name: 'map append',
  summary: 'Add a bag or an image folder to a map as another session.',
  positionals: 'BAG MAP',
  positionalCount: [2, 2],
  options: BUILD_OPTIONS,
  details:
    `${BUILD_DETAILS}\nPoses must be in the frame of the map; references near a place of the map join it.\n` +
    'They get codes as the map has them; after much of another kind `vpr map refit` fits the codes anew.',
  run(args) {
    const [, file] = args.positionals as [string, string];
    return buildFromSource(args, {
      openMap({ model: { manifest, sha256 } }) {
        const map = PlaceMap.open(file, 'append');
        try {
          const { name, descriptorDimension } = manifest;
          checkMapModel(map.meta, { name, sha256, descriptorDimension }, map.path);
          return Promise.resolve(map);
        } catch (error) {
          map.close();
          return Promise.reject(error as Error);
        }
      },
    });
  },
};
