import { ARCHITECTURES } from '../../onnx/architectures/architectures.js';
import type { Command } from '../Command.js';

export const command: Command = {
  name: 'model list',
  summary: 'show the networks that can be imported, and where their authors publish weights',
  positionals: '',
  positionalCount: [0, 0],
  options: { json: { type: 'boolean', description: 'print JSON' } },
  details: 'Weights are not part of this project: download a checkpoint from its authors, then run vpr model import.',
  async run(args) {
    const rows = ARCHITECTURES.map(
      ({ name, summary, dimensions, hash, preprocessing, paper, licence, source, remark }) => ({
        name,
        summary,
        dimensions,
        hash,
        input: preprocessing,
        paper,
        licence,
        source,
        ...(remark === undefined ? {} : { remark }),
      }),
    );
    if (args.flag('json')) {
      process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
      return 0;
    }
    for (const row of rows) {
      const { height, width, resize } = row.input;
      process.stdout.write(
        `${row.name}\n  ${row.summary}\n` +
          `  descriptor ${row.dimensions.join(' | ')}${row.hash ? ' + 512-bit hash' : ', no hash branch'}; input ${height} x ${width}, ${resize}\n` +
          `  ${row.paper}; code: ${row.licence}\n  ${row.source}${row.remark === undefined ? '' : `\n  Note: ${row.remark}`}\n`,
      );
    }
    return 0;
  },
};
