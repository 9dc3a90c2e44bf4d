import { spreadOf } from '../evaluation/percentiles.js';
import { escapeMarkup, shortNumber } from './plotFrame.js';
import {
  calibrationPlot,
  gapPlot,
  latencyPlot,
  precisionRecallPlot,
  similarityPlot,
  timelinePlot,
  trajectoryPlot,
} from './plots.js';
import type { ReportData, ReportImage } from './ReportData.js';
import { REPORT_STYLE } from './reportStyle.js';

const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;

/** One self-contained HTML page: no scripts, no outside resources; light and dark. The same data give the same bytes. */
export function htmlReport(data: ReportData): string {
  const cards = [
    recallCard(data),
    card(
      'Precision and recall',
      precisionRecallPlot(data.evaluation.precisionRecall.points, data.operatingPoints),
      precisionNote(data),
    ),
    trajectoryCard(data),
    data.similarity === undefined
      ? ''
      : card(
          'Similarity',
          similarityPlot(data.similarity),
          'Bright: alike. A clear diagonal is a drive along the same way.',
        ),
    timelineCard(data),
    calibrationCard(data),
    data.evaluation.accepted === undefined
      ? ''
      : card(
          'Gaps',
          gapPlot(data.evaluation.accepted.gaps),
          'How far the robot went from one right, accepted place to the next.',
        ),
    latencyCard(data),
    placeCard(data),
    mistakesCard(data),
    rejectedCard(data),
  ];
  const title = escapeMarkup(data.title);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${title}</title><style>${REPORT_STYLE}</style></head>
<body><main><h1>${title}</h1><p class="soft">${escapeMarkup(data.subtitle)}</p>
<div class="tiles">${tiles(data).join('')}</div>
<div class="cards">${cards.join('\n')}</div></main></body></html>
`;
}

function card(title: string, content: string, note = '', wide = false): string {
  const text = note === '' ? '' : `<p class="soft">${note}</p>`;
  return content === ''
    ? ''
    : `<section class="card${wide ? ' wide' : ''}"><h2>${title}</h2>${content}${text}</section>`;
}

function tiles({ evaluation, latencyMs, maxRssBytes }: ReportData): string[] {
  const tile = (value: string, label: string): string => `<div class="tile"><b>${value}</b><span>${label}</span></div>`;
  const rows = [tile(percent(evaluation.recall['1'] ?? 0), 'recall@1')];
  if (evaluation.accepted !== undefined)
    rows.push(
      tile(percent(evaluation.accepted.precision), `precision, ${evaluation.accepted.accepted} accepted`),
      tile(percent(evaluation.accepted.recall), 'of the answerable accepted, right'),
    );
  rows.push(tile(percent(evaluation.precisionRecall.recallAt100Precision), 'recall at 100 % precision'));
  if (evaluation.calibration !== undefined)
    rows.push(tile(evaluation.calibration.expectedCalibrationError.toFixed(3), 'expected calibration error'));
  rows.push(tile(`${evaluation.queries} / ${evaluation.references}`, 'queries / references'));
  const total = latencyMs['total'];
  if (total !== undefined) rows.push(tile(`${shortNumber(spreadOf(total).p50)} ms`, 'median time an image'));
  if (maxRssBytes !== undefined) rows.push(tile(`${Math.round(maxRssBytes / 2 ** 20)} MiB`, 'most memory held'));
  return rows;
}

function recallCard({ evaluation, recallRows }: ReportData): string {
  const ns = Object.keys(evaluation.recall);
  const head = `<tr><th></th>${ns.map((n) => `<th class="n">recall@${n}</th>`).join('')}</tr>`;
  const body = recallRows.map(
    ({ label, recall }) =>
      `<tr><td>${escapeMarkup(label)}</td>${ns.map((n) => `<td class="n">${percent(recall[n] ?? 0)}</td>`).join('')}</tr>`,
  );
  const figures: readonly (readonly [string, string])[] = [
    ['average precision', percent(evaluation.precisionRecall.averagePrecision)],
    ['area under the curve', percent(evaluation.precisionRecall.areaUnderCurve)],
    ['recall at 100 % precision', percent(evaluation.precisionRecall.recallAt100Precision)],
    ['recall at 99 % precision', percent(evaluation.precisionRecall.recallAt99Precision)],
    ['queries without positives', String(evaluation.queriesWithoutPositives)],
    ['unreadable queries, misses where their place is known', String(evaluation.unreadableQueries)],
    ['ground truth', escapeMarkup(evaluation.groundTruth)],
  ];
  const more = figures.map(([name, value]) => `<tr><td>${name}</td><td class="n">${value}</td></tr>`).join('');
  return card(
    'Recall',
    `<table>${head}${body.join('')}</table><table>${more}</table>`,
    escapeMarkup(evaluation.policy),
  );
}

function precisionNote({ scoreName, evaluation, operatingPoints }: ReportData): string {
  const marks = operatingPoints.length > 0 ? ' Circles: the presets.' : '';
  return `Accepting each query's best place by falling ${escapeMarkup(scoreName)}; average precision ${percent(evaluation.precisionRecall.averagePrecision)}.${marks}`;
}

function keyOf(entries: readonly (readonly [string, string])[]): string {
  return entries.map(([name, label]) => `<i class="key ${name}"></i>${label}`).join('');
}

function trajectoryCard({ queries, references }: ReportData): string {
  if (!queries.some((query) => query.position !== undefined)) return '';
  const count = (outcome: string): string =>
    `${outcome} ${queries.filter((query) => query.outcome === outcome).length}`;
  const key = keyOf([
    ['right', count('right')],
    ['wrong', count('wrong')],
    ['rejected', count('rejected')],
    ['reference', 'reference'],
  ]);
  return card('Trajectory', trajectoryPlot(queries, references, 'outcome'), key);
}

function timelineCard({ queries, scoreName }: ReportData): string {
  if (queries.length === 0) return '';
  const states = queries.some((query) => query.state !== undefined)
    ? keyOf([
        ['state-localized', 'localized'],
        ['state-candidate', 'candidate'],
        ['state-lost', 'lost'],
        ['state-unknown', 'unknown (band above)'],
      ])
    : '';
  const outcomes = keyOf([
    ['right', 'right'],
    ['wrong', 'wrong'],
    ...(queries.some(({ outcome }) => outcome === 'rejected') ? ([['rejected', 'rejected (bars)']] as const) : []),
  ]);
  return card('The drive, image by image', timelinePlot(queries, scoreName), `${outcomes}${states}`, true);
}

function calibrationCard({ evaluation: { calibration } }: ReportData): string {
  if (calibration === undefined) return '';
  const note = `On the dashed line, claims come true as often as they say. Expected error ${calibration.expectedCalibrationError.toFixed(3)} over ${calibration.bins.length} bins of equal mass, Brier score ${calibration.brier.toFixed(3)}.`;
  return card('Calibration', calibrationPlot(calibration), note);
}

function latencyCard({ latencyMs }: ReportData): string {
  const stages = Object.entries(latencyMs).filter(([, values]) => values.length > 0);
  if (stages.length === 0) return '';
  const total = latencyMs['total'] ?? stages[0]![1];
  const head =
    '<tr><th>ms</th><th class="n">p50</th><th class="n">p95</th><th class="n">p99</th><th class="n">max</th></tr>';
  const rows = stages.map(([stage, values]) => {
    const { p50, p95, p99, max } = spreadOf(values);
    return `<tr><td>${escapeMarkup(stage)}</td>${[p50, p95, p99, max].map((value) => `<td class="n">${shortNumber(value)}</td>`).join('')}</tr>`;
  });
  return card('Latency', `${latencyPlot(total)}<table>${head}${rows.join('')}</table>`);
}

function placeCard({ references }: ReportData): string {
  if (references.length === 0) return '';
  const places = new Set(references.map((reference) => reference.placeId)).size;
  if (places <= 1) return '';
  return card(
    'Places',
    trajectoryPlot([], references, 'place'),
    `${references.length} references in ${places} places, one colour each.`,
  );
}

function picture({ name, jpeg }: ReportImage, caption: string): string {
  const data = Buffer.from(jpeg).toString('base64');
  const text = `${caption} ${name}`.trim();
  return `<figure><img alt="${escapeMarkup(text)}" src="data:image/jpeg;base64,${data}"><figcaption>${escapeMarkup(text)}</figcaption></figure>`;
}

function mistakesCard({ mistakes, scoreName }: ReportData): string {
  if (mistakes.length === 0) return '';
  const pairs = mistakes.map(
    (mistake) =>
      `<div><div class="pair">${picture(mistake.query, 'query')}${picture(mistake.answer, 'answer')}${mistake.right === undefined ? '' : picture(mistake.right, 'right')}</div>` +
      `<p class="soft">${escapeMarkup(scoreName)} ${shortNumber(mistake.score)}. ${escapeMarkup(mistake.note)}</p></div>`,
  );
  return card('Worst mistakes', `<div class="pairs">${pairs.join('')}</div>`, 'Wrong answers, the surest first.', true);
}

function rejectedCard({ rejected }: ReportData): string {
  if (rejected.length === 0) return '';
  const compared = rejected.some(({ inliers }) => inliers !== undefined);
  const cell = (text: string, tag: 'th' | 'td'): string => (compared ? `<${tag} class="n">${text}</${tag}>` : '');
  const rows = rejected.map(
    ({ name, place, confidence, reason, correct, inliers }) =>
      `<tr><td>${escapeMarkup(name)}</td><td>${escapeMarkup(place)}</td><td class="n">${confidence.toFixed(3)}</td>${cell(String(inliers ?? ''), 'td')}<td>${escapeMarkup(reason)}</td><td>${correct ? 'was right' : 'was wrong'}</td></tr>`,
  );
  const head = `<tr><th>image</th><th>place</th><th class="n">confidence</th>${cell('inliers', 'th')}<th>reason</th><th></th></tr>`;
  return card('Rejected closures', `<div class="scroll"><table>${head}${rows.join('')}</table></div>`, '', true);
}
