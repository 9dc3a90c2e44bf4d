import type { PlaceMap } from '../../map/PlaceMap.js';
import { associateByAppearance, type FindNearest } from '../../mapping/associatePlaces.js';
import { combineMaps, type AssociatePlaces, type CombineOptions } from '../../mapping/combineMaps.js';
import { createPlaceSearch } from '../../search/createPlaceSearch.js';
import { ANGLES_DEG, COUNTS, DISTANCES_M, required, type Command } from '../Command.js';
import { commonCodeOf, encodeAll, recodedBy, type MapCode } from '../mapCode.js';
import { createProgress } from '../progress.js';

const DEGREE = Math.PI / 180;

/** The most similar reference of a map, by the two-stage search. common: the code of both maps, where their own are not the same. */
function nearestIn(map: PlaceMap, cacheMiB: number, common: MapCode | undefined): FindNearest {
  const search = createPlaceSearch({ store: map, cacheBytes: cacheMiB * 2 ** 20 });
  for (const { referenceIds, codes } of map.codes()) {
    if (common === undefined) search.addBlock(referenceIds, codes);
    else {
      const descriptors = new Float32Array(referenceIds.length * map.dimension);
      map.readDescriptors(referenceIds, descriptors);
      search.addBlock(referenceIds, encodeAll(descriptors, map.dimension, common));
    }
  }
  return ({ code, descriptor }) => {
    const asked = common === undefined ? code : common.encode(descriptor);
    const found = search.search(asked, descriptor, { k: 1, shortlist: 100 });
    return found.referenceIds.length === 0
      ? undefined
      : { referenceId: found.referenceIds[0]!, similarity: found.similarity[0]! };
  };
}

function byAppearance(deviations: number, common: MapCode | undefined): AssociatePlaces {
  return (base, other) =>
    associateByAppearance(base, other, {
      findInBase: nearestIn(base, 64, common),
      findInOther: nearestIn(other, 64, common),
      deviations,
    });
}

export const command: Command = {
  name: 'map merge',
  summary: 'Write one map from several: sessions, seasons, robots.',
  positionals: 'MAP MAP...',
  positionalCount: [2, 1000],
  options: {
    output: { type: 'string', short: 'o', value: 'FILE', description: 'the merged map (must not exist)' },
    associate: {
      type: 'string',
      default: 'pose',
      choices: ['pose', 'appearance', 'none'],
      description: 'how places of further maps become places of the first: by poses, by what they look like, or never',
    },
    distance: {
      type: 'number',
      range: DISTANCES_M,
      value: 'M',
      default: 2,
      description: 'pose: a place takes in references this near',
    },
    angle: {
      type: 'number',
      range: ANGLES_DEG,
      value: 'DEG',
      default: 45,
      description: 'pose: and this near in heading',
    },
    deviations: {
      type: 'number',
      value: 'N',
      default: 3,
      description: 'appearance: standard deviations above the similarity of different places',
    },
    'max-per-place': {
      type: 'integer',
      range: COUNTS,
      value: 'N',
      description: 'references a place keeps, the most diverse (default: all)',
    },
    json: { type: 'boolean', description: 'print one JSON object' },
  },
  details:
    'References of the first map keep their ids; the others are added as further sessions. The maps must be of one model.\n' +
    'Where their codes are not the same (each fitted to its own map), the merged map gets codes fitted to all of it.',
  async run(args) {
    const output = required(args.string('output'), 'output');
    const maxPerPlace = args.number('max-per-place');
    const common = await commonCodeOf(args.positionals);
    const how = args.string('associate');
    const associate: CombineOptions['associate'] =
      how === 'pose'
        ? { pose: { distanceM: args.number('distance')!, angleRad: args.number('angle')! * DEGREE } }
        : how === 'appearance'
          ? byAppearance(args.number('deviations')!, common)
          : 'none';
    const progress = createProgress('merge', undefined);
    const result = (() => {
      try {
        return combineMaps(
          args.positionals.map((file) => ({ file })),
          output,
          {
            associate,
            target: 'new',
            ...recodedBy(common),
            ...(maxPerPlace === undefined ? {} : { maxPerPlace }),
            onProgress: (done, total) => progress.update(done, `of ${total}`),
          },
        );
      } finally {
        progress.end();
      }
    })();
    const { references, places, joinedPlaces, overLimit, taken } = result;
    process.stdout.write(
      args.flag('json')
        ? `${JSON.stringify({ path: output, ...result })}\n`
        : `${references} references in ${places} places (${taken.join(' + ')}); ${joinedPlaces} places joined the first map's` +
            `${overLimit === 0 ? '' : `; ${overLimit} references over the limit left out`}: ${output}\n`,
    );
    return 0;
  },
};
