/** How far the robot drove blind: stretches of the trajectory without a right, accepted place. */
export interface GapLengths {
  /** Unit of `lengths`: metres where positions exist, else images. */
  readonly unit: 'm' | 'images';
  /** Each stretch from one right accepted answer (or the start) to the next (or the end), in order of the drive. */
  readonly lengths: readonly number[];
  readonly longest: number;
}

/**
 * localized: whether image i was answered, accepted and right, in order of the drive.
 * travelled: metres from the start at each image, or none; then a gap is the number of images without an answer.
 * Neighbouring localized images leave no gap in images; in metres their spacing is one (it is how far apart fixes are).
 */
export function gapLengths(localized: readonly boolean[], travelled?: readonly number[]): GapLengths {
  if (travelled !== undefined && travelled.length !== localized.length)
    throw new RangeError(`Expected ${localized.length} travelled distances, got ${travelled.length}`);
  const lengths: number[] = [];
  let last = -1;
  const close = (index: number): void => {
    if (travelled === undefined) {
      if (index - last - 1 > 0) lengths.push(index - last - 1);
      return;
    }
    const end = travelled[Math.min(index, travelled.length - 1)]!;
    const length = end - travelled[Math.max(last, 0)]!;
    if (length > 0) lengths.push(length);
  };
  for (let index = 0; index < localized.length; index++) {
    if (!localized[index]) continue;
    close(index);
    last = index;
  }
  if (localized.length > 0 && last < localized.length - 1) close(localized.length);
  return {
    unit: travelled === undefined ? 'images' : 'm',
    lengths,
    longest: lengths.reduce((a, b) => Math.max(a, b), 0),
  };
}

/** Metres travelled from the first position to each: cumulated straight steps; a missing position adds nothing. */
export function travelledDistance(
  positions: readonly (readonly [number, number, number] | undefined)[],
): readonly number[] {
  let total = 0;
  let before: readonly [number, number, number] | undefined;
  return positions.map((position) => {
    if (position !== undefined && before !== undefined)
      total += Math.hypot(position[0] - before[0], position[1] - before[1], position[2] - before[2]);
    before = position ?? before;
    return total;
  });
}
