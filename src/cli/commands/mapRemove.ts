import { VprError } from '../../core/VprError.js';
import { PlaceMap } from '../../map/PlaceMap.js';
import { combineMaps } from '../../mapping/combineMaps.js';
import { UsageError, type Command } from '../Command.js';
import { inRanges, inRegions, OUTPUT_OPTION, outputOf, REGION_OPTION } from '../mapSelection.js';
import { createProgress } from '../progress.js';

/** References that never matched, read before the map is rewritten. */
function neverMatched(file: string): (referenceId: number) => boolean {
  const map = PlaceMap.open(file, 'read');
  try {
    const counts = map.matchCounts();
    if (counts.size === 0)
      throw new VprError(
        'ARGUMENT_INVALID',
        `Expected a map with match counts for --stale, got one that nobody has matched against yet [${file}]`,
      );
    return (referenceId) => !counts.has(referenceId);
  } finally {
    map.close();
  }
}

export const command: Command = {
  name: 'map remove',
  summary: 'Remove references from a map: by id, place, session, region, or those that never match.',
  positionals: 'MAP',
  positionalCount: [1, 1],
  options: {
    reference: { type: 'string', value: 'IDS', multiple: true, description: 'reference ids, such as 3,5-9' },
    place: { type: 'string', value: 'IDS', multiple: true, description: 'place ids' },
    session: { type: 'string', value: 'IDS', multiple: true, description: 'session ids' },
    region: REGION_OPTION,
    stale: { type: 'boolean', description: 'references that were never accepted as a match (see map info --stale)' },
    output: OUTPUT_OPTION,
    json: { type: 'boolean', description: 'print one JSON object' },
  },
  details: 'A reference goes when any of the options names it. Ids of what stays do not change.',
  run(args) {
    const [file] = args.positionals as [string];
    const names = ['reference', 'place', 'session', 'region'] as const;
    if (!args.flag('stale') && names.every((name) => args.strings(name).length === 0))
      throw new UsageError('Expected at least one of --reference, --place, --session, --region, --stale');
    const isReference = inRanges('reference', args.strings('reference'));
    const isPlace = inRanges('place', args.strings('place'));
    const isSession = inRanges('session', args.strings('session'));
    const isInRegion = inRegions(args.strings('region'));
    const isStale = args.flag('stale') ? neverMatched(file) : () => false;
    const { file: output, target } = outputOf(file, args.string('output'));
    const progress = createProgress('remove', undefined);
    let removed = 0;
    const result = (() => {
      try {
        return combineMaps(
          [
            {
              file,
              keep: (reference) => {
                const goes =
                  isReference(reference.referenceId) ||
                  isPlace(reference.placeId) ||
                  isSession(reference.sessionId) ||
                  isInRegion(reference) ||
                  isStale(reference.referenceId);
                if (goes) removed++;
                return !goes;
              },
            },
          ],
          output,
          { associate: 'none', target, onProgress: (done, total) => progress.update(done, `of ${total}`) },
        );
      } finally {
        progress.end();
      }
    })();
    const { references, places } = result;
    process.stdout.write(
      args.flag('json')
        ? `${JSON.stringify({ path: output, removed, references, places })}\n`
        : `${removed} references removed, ${references} in ${places} places stay in ${output}\n`,
    );
    return Promise.resolve(0);
  },
};
