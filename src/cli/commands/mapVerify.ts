import { verifyMap } from '../../map/verifyMap.js';
import type { Command } from '../Command.js';
import { createProgress } from '../progress.js';

/** Problems that are printed without --all. */
const SHOWN = 20;

export const command: Command = {
  name: 'map verify',
  summary: 'Check every byte of a map; say which reference is damaged.',
  positionals: 'MAP',
  positionalCount: [1, 1],
  options: {
    json: { type: 'boolean', description: 'print one JSON object' },
    all: { type: 'boolean', description: `print every problem, not the first ${SHOWN}` },
  },
  details: "Exit code 1 where anything is damaged; 'vpr map export MAP --map NEW' keeps what is whole.",
  run(args) {
    const progress = createProgress('verify', undefined);
    const result = (() => {
      try {
        return verifyMap(args.positionals[0]!, (done, total) => progress.update(done, `of ${total}`));
      } finally {
        progress.end();
      }
    })();
    const { problems } = result;
    if (args.flag('json')) {
      process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
    } else {
      const shown = args.flag('all') ? problems : problems.slice(0, SHOWN);
      for (const { table, sentence } of shown) process.stdout.write(`${table}: ${sentence}\n`);
      if (shown.length < problems.length)
        process.stdout.write(`... and ${problems.length - shown.length} more (--all shows them)\n`);
      process.stdout.write(
        `${result.whole} of ${result.references} references are whole, ${problems.length} problems\n`,
      );
    }
    return Promise.resolve(problems.length === 0 ? 0 : 1);
  },
};
