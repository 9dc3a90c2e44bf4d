import { readFileSync } from 'node:fs';
import { ARCHITECTURES } from '../../src/onnx/architectures/architectures.js';
import { describeArchitecture } from '../../src/onnx/architectures/describeArchitecture.js';
import type { ComparisonRow, Spread } from './compareGraphs.js';

/** Tables of models/README.md, from the architectures themselves and from committed results. */

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Every network that can be imported: what `vpr model list` says, one row each. */
export function networksMarkdown(): string {
  const rows = ARCHITECTURES.map((architecture) => {
    const { name, dimensions, hash, preprocessing, paper, licence, source, reported, remark } = architecture;
    const { parameters, multiplyAdds } = describeArchitecture(architecture);
    const recalls = Object.entries(reported?.recallAt1 ?? {}).map(([set, percent]) => `${set} ${percent.toFixed(1)}`);
    return [
      `\`${name}\``,
      `${dimensions.join(', ')}${hash ? ' + 512 bits' : ''}`,
      `${preprocessing.height} x ${preprocessing.width}`,
      (parameters / 1e6).toFixed(1),
      (multiplyAdds / 1e9).toFixed(1),
      reported === undefined ? 'none found' : `${recalls.join(', ')} (${reported.where})`,
      paper.replace(/^.*?, (?=[^,]*, arXiv|[^,]*, NeurIPS)/, ''),
      licence,
      `${source.replace(/https:\S+?(?=[,\s]|$)/g, '<$&>')}${remark === undefined ? '' : `; ${remark}`}`,
    ];
  });
  return table(
    [
      '`--arch`',
      'descriptor',
      'input',
      'M parameters',
      'G multiply-adds',
      'R@1 in % as published, not measured here',
      'paper',
      "code's licence",
      'where the authors publish, remarks',
    ],
    rows,
  );
}

/** What `vpr bench models --json` printed. */
interface CostRow {
  readonly name: string;
  readonly threads: number;
  readonly input: string;
  readonly descriptorDimension: number;
  readonly descriptorBytes: number;
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly medianCpuMs: number;
  readonly peakResidentMiB: number;
}

export function costsMarkdown(file: string): string {
  const rows = JSON.parse(readFileSync(file, 'utf8')) as readonly CostRow[];
  return table(
    ['network', 'input', 'threads', 'processor ms an image', 'ms by the clock: median (least...most)', 'peak RSS MiB', 'descriptor bytes'],
    rows.map((row) => [
      `\`${row.name}\``,
      row.input,
      String(row.threads),
      row.medianCpuMs.toFixed(0),
      `${row.medianMs.toFixed(0)} (${row.minMs.toFixed(0)}...${row.maxMs.toFixed(0)})`,
      row.peakResidentMiB.toFixed(0),
      String(row.descriptorBytes),
    ]),
  );
}

export function comparisonMarkdown(file: string): string {
  const rows = JSON.parse(readFileSync(file, 'utf8')) as readonly ComparisonRow[];
  const ratio = ([low, median, high]: Spread): string =>
    `${median.toFixed(2)} (${low.toFixed(2)}...${high.toFixed(2)})`;
  return table(
    [
      'network',
      'threads',
      'pairs',
      'ours ms',
      'export ms',
      'export / ours, wall: median (middle half)',
      'the same, processor time',
      'PyTorch ms',
      'PyTorch / ours, wall',
      'peak RSS MiB, ours / export',
      'largest difference',
    ],
    rows.map((row) => [
      `\`${row.network}\` ${row.precision}`,
      String(row.threads),
      String(row.runs),
      row.oursMs.toFixed(0),
      row.exportMs.toFixed(0),
      ratio(row.wallRatio),
      ratio(row.cpuRatio),
      row.torch?.ms.toFixed(0) ?? '',
      row.torch === undefined ? '' : ratio(row.torch.wallRatio),
      `${row.oursPeakMiB.toFixed(0)} / ${row.exportPeakMiB.toFixed(0)}`,
      `${row.descriptorDifference.toExponential(1)}${row.bitsDifferent === undefined ? '' : `, ${row.bitsDifferent} bits`}`,
    ]),
  );
}
