/** Text made safe for HTML and SVG, attribute values included. */
export function escapeMarkup(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A number as short as its size allows, for labels. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return '–';
  if (size >= 100 || Number.isInteger(value)) return String(Math.round(value));
  return size >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** Coordinates with a tenth of a pixel: enough for the eye, and small files. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

export interface Axis {
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly format?: (value: number) => string;
}

/** An area with axes, grid and labels; `content` is drawn between grid and frame. */
export interface PlotFrame {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  svg(content: string, title: string): string;
}

export const PLOT_WIDTH = 460;
export const PLOT_HEIGHT = 300;
const MARGIN = { left: 52, right: 20, top: 12, bottom: 42 };

/** Round values, ascending, that divide [min, max] into four to seven parts; an axis may run downwards. */
export function ticks(min: number, max: number): number[] {
  if (max < min) return ticks(max, min);
  const span = max - min;
  if (!(span > 0)) return [min];
  let step = 10 ** Math.floor(Math.log10(span));
  if (span / step < 2) step /= 5;
  else if (span / step < 4) step /= 2;
  else if (span / step > 7) step *= 2;
  const values: number[] = [];
  // Adding 0 turns -0 into 0.
  for (let i = Math.ceil(min / step - 1e-9); i * step <= max + span * 1e-9; i++) values.push(i * step + 0);
  return values;
}

export function plotFrame(x: Axis, y: Axis, width = PLOT_WIDTH, height = PLOT_HEIGHT): PlotFrame {
  const { left, top } = MARGIN;
  const right = width - MARGIN.right;
  const bottom = height - MARGIN.bottom;
  const spanX = x.max - x.min || 1;
  const spanY = y.max - y.min || 1;
  const toX = (value: number): number => left + ((value - x.min) / spanX) * (right - left);
  const toY = (value: number): number => bottom - ((value - y.min) / spanY) * (bottom - top);
  const grid: string[] = [];
  for (const value of ticks(x.min, x.max))
    grid.push(
      `<path class="grid" d="M${px(toX(value))} ${top}V${bottom}"/>`,
      `<text class="tick" x="${px(toX(value))}" y="${bottom + 16}" text-anchor="middle">${(x.format ?? shortNumber)(value)}</text>`,
    );
  for (const value of ticks(y.min, y.max))
    grid.push(
      `<path class="grid" d="M${left} ${px(toY(value))}H${right}"/>`,
      `<text class="tick" x="${left - 8}" y="${px(toY(value) + 4)}" text-anchor="end">${(y.format ?? shortNumber)(value)}</text>`,
    );
  const middleY = (top + bottom) / 2;
  const labels =
    `<text class="axis" x="${(left + right) / 2}" y="${height - 6}" text-anchor="middle">${escapeMarkup(x.label)}</text>` +
    `<text class="axis" transform="translate(13 ${middleY}) rotate(-90)" text-anchor="middle">${escapeMarkup(y.label)}</text>`;
  return {
    x: toX,
    y: toY,
    left,
    right,
    top,
    bottom,
    svg: (content, title) =>
      `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeMarkup(title)}">${grid.join('')}${content}${labels}</svg>`,
  };
}

/** Path data through points, already in pixels. */
export function pathOf(points: readonly (readonly [number, number])[]): string {
  return points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${px(x)} ${px(y)}`).join('');
}
