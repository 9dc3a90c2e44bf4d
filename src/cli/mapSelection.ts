import type { Reference } from '../core/reference.js';
import { UsageError, type Option } from './Command.js';

/** A disc on the ground, metres in the map frame. */
interface Region {
  readonly x: number;
  readonly y: number;
  readonly radiusM: number;
}

export const REGION_OPTION = {
  type: 'string',
  value: 'X,Y,RADIUS',
  multiple: true,
  description: 'references with a pose within RADIUS metres of X, Y in the map frame; may be given more than once',
} as const satisfies Option;

export const OUTPUT_OPTION = {
  type: 'string',
  short: 'o',
  value: 'FILE',
  description: 'write a new map there; without it MAP is replaced and the old one stays as MAP.previous',
} as const satisfies Option;

/** Where a command that changes a map writes to: --output, or the map itself. */
export function outputOf(map: string, output: string | undefined): { file: string; target: 'new' | 'replace' } {
  return output === undefined ? { file: map, target: 'replace' } : { file: output, target: 'new' };
}

/** True for references with a pose in one of the discs. Throws UsageError. */
export function inRegions(texts: readonly string[]): (reference: Reference) => boolean {
  const regions = texts.map((text): Region => {
    const [x, y, radiusM, ...rest] = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
    if (
      x === undefined ||
      y === undefined ||
      radiusM === undefined ||
      rest.length > 0 ||
      ![x, y, radiusM].every(Number.isFinite) ||
      radiusM <= 0
    )
      throw new UsageError(`Expected X,Y,RADIUS in metres for --region, got '${text}'`);
    return { x, y, radiusM };
  });
  return ({ pose }) =>
    pose !== undefined &&
    regions.some(({ x, y, radiusM }) => Math.hypot(pose.position[0] - x, pose.position[1] - y) <= radiusM);
}

/** True for the numbers of a list such as "3,5-9". Throws UsageError. */
export function inRanges(name: string, texts: readonly string[]): (value: number) => boolean {
  const ranges = texts
    .flatMap((text) => text.split(','))
    .map((text) => {
      const match = /^\s*(\d+)(?:\s*-\s*(\d+))?\s*$/.exec(text);
      if (match === null) throw new UsageError(`Expected numbers such as 3,5-9 for --${name}, got '${text}'`);
      return [Number(match[1]), Number(match[2] ?? match[1])] as const;
    });
  return (value) => ranges.some(([from, to]) => value >= from && value <= to);
}
