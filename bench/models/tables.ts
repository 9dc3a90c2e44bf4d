import { readFileSync } from 'node:fs';
import { ARCHITECTURES } from '../../src/onnx/architectures/architectures.js';
import { describeArchitecture } from '../../src/onnx/architectures/describeArchitecture.js';
import type { ComparisonRow } from './compareGraphs.js';

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
  readonly peakResidentMiB: number;
}

export function costsMarkdown(file: string): string {
  const rows = JSON.parse(readFileSync(file, 'utf8')) as readonly CostRow[];
  return table(
    ['network', 'input', 'threads', 'ms an image: median (least...most)', 'peak RSS MiB', 'descriptor bytes'],
    rows.map((row) => [
      `\`${row.name}\``,
      row.input,
      String(row.threads),
      `${row.medianMs.toFixed(0)} (${row.minMs.toFixed(0)}...${row.maxMs.toFixed(0)})`,
      row.peakResidentMiB.toFixed(0),
      String(row.descriptorBytes),
    ]),
  );
}

interface TorchRow {
  readonly network: string;
  readonly threads: number;
  readonly medianMs: number;
}

export function comparisonMarkdown(file: string, torchFile: string): string {
  const rows = JSON.parse(readFileSync(file, 'utf8')) as readonly ComparisonRow[];
  const torch = JSON.parse(readFileSync(torchFile, 'utf8')) as readonly TorchRow[];
  const ratio = ([least, middle, most]: readonly [number, number, number]): string =>
    `${middle.toFixed(2)} (${least.toFixed(2)}...${most.toFixed(2)})`;
  return table(
    [
      'network',
      'threads',
      'ours ms',
      'export ms',
      'export / ours, wall: median (least...most)',
      'the same, processor time',
      'peak RSS MiB, ours / export',
      'PyTorch ms',
      'largest difference',
    ],
    rows.map((row) => {
      const official = torch.find(({ network, threads }) => network === row.network && threads === row.threads);
      return [
        `\`${row.network}\` ${row.precision}`,
        String(row.threads),
        row.oursMs.toFixed(0),
        row.exportMs.toFixed(0),
        ratio(row.wallRatio),
        ratio(row.cpuRatio),
        `${row.oursPeakMiB.toFixed(0)} / ${row.exportPeakMiB.toFixed(0)}`,
        official === undefined || row.precision !== 'fp32' ? '' : official.medianMs.toFixed(0),
        `${row.descriptorDifference.toExponential(1)}${row.bitsDifferent === undefined ? '' : `, ${row.bitsDifferent} bits`}`,
      ];
    }),
  );
}
