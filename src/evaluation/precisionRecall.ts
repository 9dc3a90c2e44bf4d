/** One answer that could be accepted or not: the best place of a query and how sure the system was of it. */
export interface Answer {
  /** Higher is surer: confidence or similarity. -Infinity: no answer at any threshold. */
  readonly score: number;
  /** The place is right. Never true where the query has no positives. */
  readonly correct: boolean;
  /** The reference side shows the query's place, so that a correct answer was possible. */
  readonly answerable: boolean;
}

/** What is accepted at `score >= threshold`. */
export interface OperatingPoint {
  readonly threshold: number;
  /** Right answers among the accepted ones. */
  readonly precision: number;
  /** Right accepted answers among all answerable queries. */
  readonly recall: number;
  readonly accepted: number;
}

export interface PrecisionRecall {
  /** By falling threshold, one for each distinct score; empty without answers. */
  readonly points: readonly OperatingPoint[];
  /** Sum of precision times the step in recall (no interpolation), 0...1. */
  readonly averagePrecision: number;
  /** Trapezoid area under the points, from recall 0 at the first point's precision, 0...1. */
  readonly areaUnderCurve: number;
  readonly recallAt100Precision: number;
  readonly recallAt99Precision: number;
}

/**
 * Precision-recall of accepting each query's best place at a falling threshold.
 * Answers of one score are accepted together: a threshold cannot tell them apart, so no order among them may help.
 */
export function precisionRecall(answers: readonly Answer[]): PrecisionRecall {
  const answerable = answers.filter((answer) => answer.answerable).length;
  const sorted = answers.filter((answer) => answer.score !== -Infinity).toSorted((a, b) => b.score - a.score);
  if (sorted.some((answer) => Number.isNaN(answer.score)))
    throw new RangeError('Expected a number for the score of each answer, got NaN');
  const points: OperatingPoint[] = [];
  let right = 0;
  for (let index = 0; index < sorted.length; index++) {
    if (sorted[index]!.correct) right++;
    if (sorted[index + 1]?.score === sorted[index]!.score) continue;
    points.push({
      threshold: sorted[index]!.score,
      precision: right / (index + 1),
      recall: answerable === 0 ? 0 : right / answerable,
      accepted: index + 1,
    });
  }
  let averagePrecision = 0;
  let areaUnderCurve = 0;
  let before = { recall: 0, precision: points[0]?.precision ?? 0 };
  for (const point of points) {
    const step = point.recall - before.recall;
    averagePrecision += step * point.precision;
    areaUnderCurve += (step * (point.precision + before.precision)) / 2;
    before = point;
  }
  return {
    points,
    averagePrecision,
    areaUnderCurve,
    recallAt100Precision: recallAtPrecision(points, 1),
    recallAt99Precision: recallAtPrecision(points, 0.99),
  };
}

/** Highest recall of any threshold whose precision is at least `precision`; 0 where there is none. */
export function recallAtPrecision(points: readonly OperatingPoint[], precision: number): number {
  let best = 0;
  for (const point of points) if (point.precision >= precision && point.recall > best) best = point.recall;
  return best;
}
