import { combineMaps } from '../../mapping/combineMaps.js';
import { ANGLES_DEG, DISTANCES_M, UsageError, type Command } from '../Command.js';
import { commonCodeOf, recodedBy } from '../mapCode.js';
import { inRegions, OUTPUT_OPTION, outputOf, REGION_OPTION } from '../mapSelection.js';
import { createProgress } from '../progress.js';

const DEGREE = Math.PI / 180;

export const command: Command = {
  name: 'map replace-region',
  summary: 'Replace a region of a map by the same region of a newer one.',
  positionals: 'MAP NEWER',
  positionalCount: [2, 2],
  options: {
    region: REGION_OPTION,
    output: OUTPUT_OPTION,
    distance: {
      type: 'number',
      range: DISTANCES_M,
      value: 'M',
      default: 2,
      description: 'a place of MAP at the edge takes in references this near',
    },
    angle: { type: 'number', range: ANGLES_DEG, value: 'DEG', default: 45, description: 'and this near in heading' },
    json: { type: 'boolean', description: 'print one JSON object' },
  },
  details:
    'Needs poses of one frame in both maps. References without a pose stay. Where the codes of the maps are not the same (each\n' +
    'fitted to its own map), the result gets codes fitted to both.',
  async run(args) {
    const [file, newer] = args.positionals as [string, string];
    if (args.strings('region').length === 0) throw new UsageError('Expected --region');
    const isInside = inRegions(args.strings('region'));
    const { file: output, target } = outputOf(file, args.string('output'));
    const common = await commonCodeOf([file, newer]);
    const progress = createProgress('replace', undefined);
    const result = (() => {
      try {
        return combineMaps(
          [
            { file, keep: (reference) => !isInside(reference) },
            { file: newer, keep: isInside },
          ],
          output,
          {
            associate: { pose: { distanceM: args.number('distance')!, angleRad: args.number('angle')! * DEGREE } },
            target,
            ...recodedBy(common),
            onProgress: (done, total) => progress.update(done, `of ${total}`),
          },
        );
      } finally {
        progress.end();
      }
    })();
    const [kept, added] = result.taken as [number, number];
    process.stdout.write(
      args.flag('json')
        ? `${JSON.stringify({ path: output, ...result })}\n`
        : `${added} references of the region taken from ${newer}, ${kept} outside of it stay in ${output}\n`,
    );
    return 0;
  },
};
