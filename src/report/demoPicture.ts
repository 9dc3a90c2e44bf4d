import { escapeMarkup, px } from './plotFrame.js';
import type { Outcome, ReportData, ReportImage } from './ReportData.js';

/** A query beside the reference that it was matched to. */
export interface MatchedPair {
  readonly query: ReportImage;
  readonly reference: ReportImage;
  readonly outcome: Outcome;
  readonly caption: string;
}

const PAIR_WIDTH = 200;
const PAIR_HEIGHT = 150;
const GAP = 10;
const MAP_SIDE = 2 * PAIR_HEIGHT + 46 + GAP;
const COLOURS: Readonly<Record<Outcome, string>> = { right: '#2a9d63', wrong: '#d5453f', rejected: '#a8afbb' };

/** One picture that says what the program does: four matched pairs and the drive from above. Self-contained SVG. */
export function demoPicture(
  pairs: readonly MatchedPair[],
  queries: ReportData['queries'],
  references: ReportData['references'],
): string {
  const columns = 2;
  const cellWidth = 2 * PAIR_WIDTH + 4;
  const cellHeight = PAIR_HEIGHT + 26;
  const width = columns * (cellWidth + GAP) + MAP_SIDE + 2 * GAP;
  const height = MAP_SIDE + 2 * GAP;
  const cells = pairs.slice(0, 4).map((pair, i) => {
    const x = GAP + (i % columns) * (cellWidth + GAP);
    const y = GAP + Math.floor(i / columns) * (cellHeight + GAP);
    const image = ({ jpeg }: ReportImage, left: number): string =>
      `<image x="${left}" y="${y}" width="${PAIR_WIDTH}" height="${PAIR_HEIGHT}" preserveAspectRatio="xMidYMid slice" href="data:image/jpeg;base64,${Buffer.from(jpeg).toString('base64')}"/>`;
    return (
      image(pair.query, x) +
      image(pair.reference, x + PAIR_WIDTH + 4) +
      `<rect x="${x}" y="${y}" width="${cellWidth}" height="${PAIR_HEIGHT}" fill="none" stroke="${COLOURS[pair.outcome]}" stroke-width="3"/>` +
      `<text x="${x}" y="${y + PAIR_HEIGHT + 18}">${escapeMarkup(pair.caption)}</text>`
    );
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif" font-size="13" fill="#3b4453">` +
    `<rect width="${width}" height="${height}" rx="8" fill="#f6f7f9"/>${cells.join('')}` +
    `${fromAbove(queries, references, columns * (cellWidth + GAP) + GAP, GAP)}</svg>\n`
  );
}

function fromAbove(
  queries: ReportData['queries'],
  references: ReportData['references'],
  left: number,
  top: number,
): string {
  const placed = queries.flatMap((query) => (query.position === undefined ? [] : [{ ...query, at: query.position }]));
  const all = [...placed.map(({ at }) => at), ...references.map(({ position }) => position)];
  if (all.length === 0) return '';
  const xs = all.map(([x]) => x);
  const ys = all.map(([, y]) => y);
  const [west, east] = [Math.min(...xs), Math.max(...xs)];
  const [south, north] = [Math.min(...ys), Math.max(...ys)];
  const inner = MAP_SIDE - 2 * 14;
  const legend = 44;
  const scale = Math.min(inner / Math.max(1, east - west), (inner - legend) / Math.max(1, north - south));
  const toX = (x: number): string => px(left + MAP_SIDE / 2 + (x - (west + east) / 2) * scale);
  const toY = (y: number): string => px(top + (MAP_SIDE - legend) / 2 - (y - (south + north) / 2) * scale);
  const dots = placed.map(
    ({ at, outcome }) => `<circle cx="${toX(at[0])}" cy="${toY(at[1])}" r="4" fill="${COLOURS[outcome]}"/>`,
  );
  const map = references.map(
    ({ position }) => `<circle cx="${toX(position[0])}" cy="${toY(position[1])}" r="1.6" fill="#98a1ae"/>`,
  );
  const count = (outcome: Outcome): number => placed.filter((query) => query.outcome === outcome).length;
  const labels = (['right', 'wrong', 'rejected'] as const).map((outcome, i) => {
    const x = left + 14 + i * 112;
    const y = top + MAP_SIDE - 14;
    const word = outcome === 'rejected' ? 'unsure' : outcome;
    return `<circle cx="${x + 5}" cy="${y - 4}" r="5" fill="${COLOURS[outcome]}"/><text x="${x + 15}" y="${y}">${word} ${count(outcome)}</text>`;
  });
  return (
    `<rect x="${left}" y="${top}" width="${MAP_SIDE}" height="${MAP_SIDE}" rx="6" fill="#ffffff" stroke="#e3e7ee"/>` +
    map.join('') +
    dots.join('') +
    labels.join('')
  );
}
