import type { Architecture } from '../../onnx/architectures/Architecture.js';
import { ARCHITECTURES } from '../../onnx/architectures/architectures.js';
import { describeArchitecture } from '../../onnx/architectures/describeArchitecture.js';
import type { Command } from '../Command.js';

function rowOf(architecture: Architecture) {
  const { name, summary, dimensions, hash, preprocessing, paper, licence, source, reported, remark } = architecture;
  const { parameters, multiplyAdds } = describeArchitecture(architecture);
  return {
    name,
    summary,
    dimensions,
    hash,
    input: preprocessing,
    parameters,
    multiplyAdds,
    paper,
    licence,
    source,
    reportedByAuthors: reported ?? null,
    ...(remark === undefined ? {} : { remark }),
  };
}

function text(row: ReturnType<typeof rowOf>): string {
  const { height, width, resize } = row.input;
  const { reportedByAuthors: reported } = row;
  const recalls = Object.entries(reported?.recallAt1 ?? {}).map(([set, percent]) => `${set} ${percent.toFixed(1)}`);
  const lines = [
    row.summary,
    `descriptor ${row.dimensions.join(' | ')}${row.hash ? ' + 512-bit hash' : ', no hash branch'}; input ${height} x ${width}, ${resize}`,
    `${(row.parameters / 1e6).toFixed(1)} M parameters, ${(row.multiplyAdds / 1e9).toFixed(1)} G multiply-adds`,
    reported === null
      ? 'R@1: none reported'
      : `R@1 as published, not measured here: ${recalls.join(', ')} (${reported.where})`,
    `${row.paper}; code: ${row.licence}`,
    `weights: ${row.source}`,
    ...(row.remark === undefined ? [] : [`Note: ${row.remark}`]),
  ];
  return `${row.name}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

export const command: Command = {
  name: 'model list',
  summary: 'show the networks that can be imported, and where their authors publish weights',
  positionals: '',
  positionalCount: [0, 0],
  options: { json: { type: 'boolean', description: 'print JSON' } },
  details:
    'Weights are not part of this project: download a checkpoint from its authors, then run vpr model import.\n' +
    'Parameters and multiply-adds are counted on the graph of the first descriptor size.',
  async run(args) {
    const rows = ARCHITECTURES.map(rowOf);
    process.stdout.write(args.flag('json') ? `${JSON.stringify(rows, null, 2)}\n` : rows.map(text).join(''));
    return 0;
  },
};
