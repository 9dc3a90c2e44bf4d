/** A probability that was claimed, and whether it came true. */
export interface ClaimedProbability {
  /** 0...1. */
  readonly confidence: number;
  readonly correct: boolean;
}

/** One bin of the reliability diagram. */
export interface ReliabilityBin {
  readonly count: number;
  readonly meanConfidence: number;
  /** Fraction that came true. */
  readonly accuracy: number;
  readonly lowest: number;
  readonly highest: number;
}

export interface CalibrationFigures {
  readonly claims: number;
  /** Mean over all claims of |accuracy - mean confidence| of their bin, 0...1. */
  readonly expectedCalibrationError: number;
  /** Mean squared error of the confidence, 0...1. */
  readonly brier: number;
  readonly bins: readonly ReliabilityBin[];
}

/**
 * Equal-mass bins by rising confidence: sizes differ by at most one, the larger ones first (as NumPy's array_split).
 * Equal confidences keep their order, so that two runs over the same answers cut the same bins. Fewer claims than bins
 * give one bin a claim.
 */
export function reliabilityBins(claims: readonly ClaimedProbability[], binCount: number): readonly ReliabilityBin[] {
  if (!Number.isInteger(binCount) || binCount < 1) throw new RangeError(`Expected 1 or more bins, got ${binCount}`);
  for (const { confidence } of claims)
    if (!(confidence >= 0 && confidence <= 1))
      throw new RangeError(`Expected a confidence in [0, 1], got ${confidence}`);
  const sorted = claims.toSorted((a, b) => a.confidence - b.confidence);
  const bins: ReliabilityBin[] = [];
  const used = Math.min(binCount, sorted.length);
  let start = 0;
  for (let bin = 0; bin < used; bin++) {
    const size = Math.floor(sorted.length / used) + (bin < sorted.length % used ? 1 : 0);
    const members = sorted.slice(start, start + size);
    start += size;
    bins.push({
      count: size,
      meanConfidence: members.reduce((sum, claim) => sum + claim.confidence, 0) / size,
      accuracy: members.reduce((sum, claim) => sum + (claim.correct ? 1 : 0), 0) / size,
      lowest: members[0]!.confidence,
      highest: members.at(-1)!.confidence,
    });
  }
  return bins;
}

/** Expected calibration error over equal-mass bins (Nixon et al., arXiv:1904.01685, adaptive binning) and Brier score. */
export function calibrationError(claims: readonly ClaimedProbability[], binCount = 15): CalibrationFigures {
  const bins = reliabilityBins(claims, binCount);
  const total = Math.max(1, claims.length);
  let error = 0;
  for (const bin of bins) error += (bin.count / total) * Math.abs(bin.accuracy - bin.meanConfidence);
  let squares = 0;
  for (const { confidence, correct } of claims) squares += (confidence - (correct ? 1 : 0)) ** 2;
  return { claims: claims.length, expectedCalibrationError: error, brier: squares / total, bins };
}

/**
 * Percentile bootstrap interval of a figure: `resamples` draws with replacement, each of the input's size.
 * random: uniform in [0, 1), injected so that the interval is reproducible. Returns [low, high] at `level`.
 */
export function bootstrapInterval<T>(
  items: readonly T[],
  figure: (sample: readonly T[]) => number,
  random: () => number,
  { resamples = 1000, level = 0.95 }: { readonly resamples?: number; readonly level?: number } = {},
): readonly [number, number] {
  if (items.length === 0) throw new RangeError('Expected at least one item to resample, got none');
  const figures = Array.from({ length: resamples }, () =>
    figure(items.map(() => items[Math.floor(random() * items.length)]!)),
  ).sort((a, b) => a - b);
  const at = (part: number): number => figures[Math.min(resamples - 1, Math.floor(part * resamples))]!;
  return [at((1 - level) / 2), at((1 + level) / 2)];
}
