import { diffMaps } from '../../mapping/diffMaps.js';
import { PlaceMap } from '../../map/PlaceMap.js';
import type { Command } from '../Command.js';

/** Ids that a line shows. */
const SHOWN = 10;

function listed(ids: readonly (number | string)[]): string {
  return ids.length === 0 ? '' : `: ${ids.slice(0, SHOWN).join(', ')}${ids.length > SHOWN ? ', ...' : ''}`;
}

export const command: Command = {
  name: 'map diff',
  summary: 'Say what differs between two maps, by image (camera and stamp).',
  positionals: 'MAP MAP',
  positionalCount: [2, 2],
  options: { json: { type: 'boolean', description: 'print one JSON object with every id' } },
  details: 'Exit code 1 where the maps differ.',
  run(args) {
    const [first, second] = args.positionals.map((file) => PlaceMap.open(file, 'read')) as [PlaceMap, PlaceMap];
    const diff = diffMaps(first, second);
    first.close();
    second.close();
    const { meta, onlyFirst, onlySecond, moved, regrouped, relabelled } = diff;
    const differences = [meta, onlyFirst, onlySecond, moved, regrouped, relabelled];
    if (args.flag('json')) process.stdout.write(`${JSON.stringify(diff, undefined, 2)}\n`);
    else {
      for (const row of meta) process.stdout.write(`${row.field}: '${row.first}' -> '${row.second}'\n`);
      const farthest = moved.reduce((most, { distanceM }) => Math.max(most, distanceM ?? 0), 0);
      const pairs = (rows: readonly { first: number; second: number }[]): string[] =>
        rows.map((row) => (row.first === row.second ? `${row.first}` : `${row.first}->${row.second}`));
      process.stdout.write(
        `${diff.common} images in both\n` +
          `${onlyFirst.length} only in the first${listed(onlyFirst)}\n` +
          `${onlySecond.length} only in the second${listed(onlySecond)}\n` +
          `${moved.length} moved, by ${farthest.toFixed(3)} m at most${listed(pairs(moved))}\n` +
          `${regrouped.length} in another place${listed(pairs(regrouped))}\n` +
          `${relabelled.length} with another label${listed(pairs(relabelled))}\n`,
      );
    }
    return Promise.resolve(differences.every((rows) => rows.length === 0) ? 0 : 1);
  },
};
