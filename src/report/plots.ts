import type { CalibrationFigures } from '../evaluation/calibrationError.js';
import type { GapLengths } from '../evaluation/gapLengths.js';
import { percentile } from '../evaluation/percentiles.js';
import type { OperatingPoint } from '../evaluation/precisionRecall.js';
import { encodePng } from './encodePng.js';
import { escapeMarkup, pathOf, plotFrame, px, shortNumber } from './plotFrame.js';
import type { ReportData } from './ReportData.js';

const percent = (value: number): string => `${Math.round(value * 100)} %`;

/** Precision over recall, with the operating points of the presets. */
export function precisionRecallPlot(
  points: readonly OperatingPoint[],
  marks: readonly { readonly name: string; readonly threshold: number }[],
): string {
  const frame = plotFrame(
    { label: 'recall', min: 0, max: 1, format: percent },
    { label: 'precision', min: 0, max: 1, format: percent },
  );
  const start = points[0] === undefined ? [] : [[frame.x(0), frame.y(points[0].precision)] as const];
  const curve = [...start, ...points.map((point) => [frame.x(point.recall), frame.y(point.precision)] as const)];
  const area =
    curve.length === 0 ? '' : `${pathOf(curve)}L${px(curve.at(-1)![0])} ${frame.bottom}L${frame.left} ${frame.bottom}Z`;
  const dots = marks.map(({ name, threshold }, i) => {
    const at = points.findLast((point) => point.threshold >= threshold);
    const [x, y] = [frame.x(at?.recall ?? 0), frame.y(at?.precision ?? 1)];
    // Inside the area, away from where the curve goes down.
    return `<circle class="mark" cx="${px(x)}" cy="${px(y)}" r="5"/><text class="tick strong" text-anchor="${x > frame.left + 70 ? 'end' : 'start'}" x="${px(x + (x > frame.left + 70 ? -6 : 8))}" y="${px(y + 18 + 14 * i)}">${escapeMarkup(name)}</text>`;
  });
  return frame.svg(
    `<path class="area" d="${area}"/><path class="line" d="${pathOf(curve)}"/>${dots.join('')}`,
    'Precision over recall',
  );
}

/** Accuracy over confidence in equal-mass bins; on the diagonal the probabilities are honest. */
export function calibrationPlot({ bins, claims }: CalibrationFigures): string {
  const frame = plotFrame(
    { label: 'claimed confidence', min: 0, max: 1, format: percent },
    { label: 'came true', min: 0, max: 1, format: percent },
  );
  const points = bins.map((bin) => [frame.x(bin.meanConfidence), frame.y(bin.accuracy)] as const);
  const sticks = bins.map(
    (bin) =>
      `<path class="gap" d="M${px(frame.x(bin.meanConfidence))} ${px(frame.y(bin.accuracy))}V${px(frame.y(bin.meanConfidence))}"/>`,
  );
  const dots = points.map(
    ([x, y], i) =>
      `<circle class="mark" cx="${px(x)}" cy="${px(y)}" r="4"><title>${bins[i]!.count} of ${claims}</title></circle>`,
  );
  const diagonal = `<path class="ideal" d="M${frame.left} ${frame.bottom}L${frame.right} ${frame.top}"/>`;
  return frame.svg(
    `${diagonal}${sticks.join('')}<path class="line" d="${pathOf(points)}"/>${dots.join('')}`,
    'Calibration',
  );
}

/** Histogram of milliseconds over the range that holds 99 % of them. */
export function latencyPlot(values: readonly number[]): string {
  const sorted = Float64Array.from(values).sort();
  const top = sorted.length === 0 ? 1 : Math.max(1e-3, percentile(sorted, 0.99) * 1.02);
  const bins = new Array<number>(36).fill(0);
  for (const value of sorted) bins[Math.min(bins.length - 1, Math.floor((value / top) * bins.length))]!++;
  const frame = plotFrame(
    { label: 'ms an image', min: 0, max: top },
    { label: 'images', min: 0, max: Math.max(1, ...bins) },
  );
  const width = (frame.right - frame.left) / bins.length;
  const bars = bins.map((count, i) =>
    count === 0
      ? ''
      : `<rect class="bar" x="${px(frame.left + i * width + 0.5)}" y="${px(frame.y(count))}" width="${px(width - 1)}" height="${px(frame.bottom - frame.y(count))}"/>`,
  );
  const lines = ([0.5, 0.95] as const).map((part) => {
    if (sorted.length === 0) return '';
    const x = px(frame.x(percentile(sorted, part)));
    return `<path class="cut" d="M${x} ${frame.top}V${frame.bottom}"/><text class="tick strong" x="${x}" dx="4" y="${frame.top + 10}">p${part * 100}</text>`;
  });
  return frame.svg(bars.join('') + lines.join(''), 'Latency');
}

/** Longest first: how far the robot went without a right, accepted place. */
export function gapPlot({ lengths, unit }: GapLengths): string {
  const sorted = lengths.toSorted((a, b) => b - a).slice(0, 60);
  const frame = plotFrame(
    { label: 'gaps, longest first', min: 0, max: Math.max(1, sorted.length) },
    { label: unit === 'm' ? 'metres' : 'images', min: 0, max: Math.max(1, ...sorted) },
  );
  const width = (frame.right - frame.left) / Math.max(1, sorted.length);
  const bars = sorted.map(
    (length, i) =>
      `<rect class="bar" x="${px(frame.left + i * width + 0.5)}" y="${px(frame.y(length))}" width="${px(Math.max(1, width - 1))}" height="${px(frame.bottom - frame.y(length))}"><title>${shortNumber(length)}</title></rect>`,
  );
  return frame.svg(bars.join(''), 'Gap lengths');
}

const PICTURE_SIDE = 360;
// Dark blue over green to yellow (five anchors of the viridis map, CC0).
const SCALE = [
  [68, 1, 84],
  [59, 82, 139],
  [33, 145, 140],
  [94, 201, 98],
  [253, 231, 37],
] as const;

function scaleColour(part: number): readonly [number, number, number] {
  const at = Math.max(0, Math.min(1, part)) * (SCALE.length - 1);
  const low = Math.min(SCALE.length - 2, Math.floor(at));
  const mix = (i: 0 | 1 | 2): number => Math.round(SCALE[low]![i] + (SCALE[low + 1]![i] - SCALE[low]![i]) * (at - low));
  return [mix(0), mix(1), mix(2)];
}

/** Queries down, references across; where there are more than pixels, the highest of a pixel's block is shown. Empty without either. */
export function similarityPlot({ queries, references, values }: NonNullable<ReportData['similarity']>): string {
  if (queries === 0 || references === 0) return '';
  const width = Math.min(PICTURE_SIDE, references);
  const height = Math.min(PICTURE_SIDE, queries);
  const best = new Float32Array(width * height).fill(-Infinity);
  for (let query = 0; query < queries; query++) {
    const row = Math.floor((query * height) / queries) * width;
    for (let reference = 0; reference < references; reference++) {
      const at = row + Math.floor((reference * width) / references);
      const value = values[query * references + reference]!;
      if (value > best[at]!) best[at] = value;
    }
  }
  const sorted = Float32Array.from(best.filter(Number.isFinite)).sort();
  const low = sorted.length === 0 ? 0 : percentile(sorted, 0.02);
  const high = sorted.length === 0 ? 1 : percentile(sorted, 0.998);
  const rgb = new Uint8Array(width * height * 3);
  best.forEach((value, i) => rgb.set(scaleColour((value - low) / (high - low || 1)), i * 3));
  const data = Buffer.from(encodePng(width, height, rgb)).toString('base64');
  const side = 460;
  const frame = plotFrame(
    { label: 'reference', min: 0, max: references },
    { label: 'query', min: queries, max: 0 },
    side,
    Math.round(Math.min(460, Math.max(200, (side * height) / width))),
  );
  return frame.svg(
    `<image x="${frame.left}" y="${frame.top}" width="${frame.right - frame.left}" height="${frame.bottom - frame.top}" preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,${data}"/>`,
    'Similarity of every query with every reference',
  );
}

/** Seen from above: references small and coloured by place, queries by outcome. One scale for both axes. */
export function trajectoryPlot(
  queries: ReportData['queries'],
  references: ReportData['references'],
  coloured: 'outcome' | 'place',
): string {
  const placed = queries.filter((query) => query.position !== undefined);
  const all = [...references.map((reference) => reference.position), ...placed.map((query) => query.position!)];
  if (all.length === 0) return '';
  const range = (axis: 0 | 1): readonly [number, number] => {
    let [low, high] = [Infinity, -Infinity];
    for (const position of all) [low, high] = [Math.min(low, position[axis]), Math.max(high, position[axis])];
    return [low, high];
  };
  const [[west, east], [south, north]] = [range(0), range(1)];
  const width = 460;
  // Equal metres on both axes, and a margin of a twentieth so that no dot is cut.
  const margin = Math.max(1, Math.max(east - west, north - south) * 0.05);
  const [spanX, spanY] = [east - west + 2 * margin, north - south + 2 * margin];
  const inner = width - 66;
  const height = Math.round(Math.max(180, Math.min(520, (inner * spanY) / spanX + 54)));
  const perMetre = Math.min(inner / spanX, (height - 54) / spanY);
  const [midX, midY] = [(west + east) / 2, (south + north) / 2];
  const frame = plotFrame(
    { label: 'x, m', min: midX - inner / perMetre / 2, max: midX + inner / perMetre / 2 },
    { label: 'y, m', min: midY - (height - 54) / perMetre / 2, max: midY + (height - 54) / perMetre / 2 },
    width,
    height,
  );
  const at = ([x, y]: readonly [number, number]): string => `cx="${px(frame.x(x))}" cy="${px(frame.y(y))}"`;
  if (coloured === 'place')
    return frame.svg(
      references
        .map(
          ({ position, placeId }) =>
            `<circle ${at(position)} r="3.4" fill="hsl(${(placeId * 137) % 360} 62% 52%)"><title>place ${placeId}</title></circle>`,
        )
        .join(''),
      'Places of the map',
    );
  const dots = placed
    .toSorted((a, b) => Number(a.outcome === 'wrong') - Number(b.outcome === 'wrong'))
    .map(
      (query) =>
        `<circle class="${query.outcome}" ${at(query.position!)} r="${query.outcome === 'wrong' ? 4.5 : 3.5}"><title>${escapeMarkup(query.name)}: ${query.outcome}, ${shortNumber(query.score)}</title></circle>`,
    );
  const map = references.map(({ position }) => `<circle class="reference" ${at(position)} r="1.6"/>`);
  return frame.svg(map.join('') + dots.join(''), 'Trajectory, coloured by outcome');
}

/** Confidence along the drive as bars coloured by outcome, over a band of states. */
export function timelinePlot(queries: ReportData['queries'], scoreName: string): string {
  const scores = queries.map(({ score }) => score).filter(Number.isFinite);
  const low = scores.reduce((a, b) => Math.min(a, b), 0);
  const high = scores.reduce((a, b) => Math.max(a, b), scoreName === 'confidence' ? 1 : 0.01);
  const frame = plotFrame(
    { label: 'image', min: 0, max: Math.max(1, queries.length) },
    { label: scoreName, min: low, max: high },
    960,
    220,
  );
  const width = (frame.right - frame.left) / Math.max(1, queries.length);
  const bars = queries.map((query, i) => {
    if (!Number.isFinite(query.score)) return '';
    const [y, zero] = [frame.y(Math.max(query.score, 0)), frame.y(Math.min(query.score, 0))];
    return `<rect class="${query.outcome}" x="${px(frame.left + i * width)}" y="${px(y)}" width="${px(Math.max(0.6, width * 0.86))}" height="${px(Math.max(0.5, zero - y))}"><title>${escapeMarkup(query.name)}: ${query.state ?? query.outcome}, ${shortNumber(query.score)}</title></rect>`;
  });
  const states = queries.map((query, i) =>
    query.state === undefined
      ? ''
      : `<rect class="state-${escapeMarkup(query.state)}" x="${px(frame.left + i * width)}" y="${frame.top - 10}" width="${px(width + 0.4)}" height="7"/>`,
  );
  return frame.svg(bars.join('') + states.join(''), 'The drive, image by image');
}
