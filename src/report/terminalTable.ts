import type { Spread } from '../evaluation/percentiles.js';
import type { RetrievalEvaluation } from '../evaluation/evaluateRetrieval.js';

const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;

/** Rows as aligned text: the first column to the left, the others to the right. */
export function alignTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** What is said of queries that could not be read, where there are some. */
export function unreadableText({ unreadableQueries: count }: RetrievalEvaluation): string {
  return count === 0 ? '' : `; ${count} unreadable, misses where their place is known`;
}

/** An evaluation for the terminal. recallRows: recall by way of searching; latencyMs: by stage. */
export function terminalTable(
  evaluation: RetrievalEvaluation,
  recallRows: readonly { readonly label: string; readonly recall: Readonly<Record<string, number>> }[],
  latencyMs: Readonly<Record<string, Spread>>,
): string {
  const ns = Object.keys(evaluation.recall);
  const { precisionRecall, accepted, calibration } = evaluation;
  const figures: (readonly string[])[] = [
    ['average precision', percent(precisionRecall.averagePrecision)],
    ['area under the curve', percent(precisionRecall.areaUnderCurve)],
    ['recall at 100 % precision', percent(precisionRecall.recallAt100Precision)],
    ['recall at 99 % precision', percent(precisionRecall.recallAt99Precision)],
  ];
  if (accepted !== undefined)
    figures.push(
      ['accepted', `${accepted.correct} right of ${accepted.accepted}`],
      ['precision / recall of the accepted', `${percent(accepted.precision)} / ${percent(accepted.recall)}`],
      ['longest gap', `${accepted.gaps.longest.toFixed(accepted.gaps.unit === 'm' ? 1 : 0)} ${accepted.gaps.unit}`],
    );
  if (calibration !== undefined)
    figures.push(
      ['expected calibration error', calibration.expectedCalibrationError.toFixed(3)],
      ['Brier score', calibration.brier.toFixed(3)],
    );
  const stages = Object.entries(latencyMs).map(([stage, { p50, p95, p99, max }]) => [
    stage,
    ...[p50, p95, p99, max].map((value) => value.toFixed(2)),
  ]);
  return [
    `${evaluation.queries} queries, ${evaluation.references} references; positives: ${evaluation.groundTruth}; ${evaluation.queriesWithoutPositives} queries without${unreadableText(evaluation)}`,
    '',
    alignTable([
      ['', ...ns.map((n) => `recall@${n}`)],
      ...recallRows.map(({ label, recall }) => [label, ...ns.map((n) => percent(recall[n] ?? 0))]),
    ]),
    '',
    alignTable(figures),
    ...(stages.length === 0 ? [] : ['', alignTable([['ms', 'p50', 'p95', 'p99', 'max'], ...stages])]),
    '',
  ].join('\n');
}
