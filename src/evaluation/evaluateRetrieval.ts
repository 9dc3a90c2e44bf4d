import { calibrationError, type CalibrationFigures } from './calibrationError.js';
import { gapLengths, type GapLengths } from './gapLengths.js';
import { queriesWithoutPositives, type GroundTruth } from './groundTruth.js';
import { precisionRecall, type Answer, type PrecisionRecall } from './precisionRecall.js';
import { firstCorrectRanks, recallAtN, RECALL_NS, RECALL_POLICY } from './recallAtN.js';

/** What the system said to one query. */
export interface QueryAnswer {
  /** Reference indices, best first. */
  readonly ranked: ArrayLike<number>;
  /** What precision-recall sweeps: similarity of the best, or confidence; -Infinity for no answer. */
  readonly score: number;
  /** Claimed probability that the best is right, where there is one. */
  readonly confidence?: number;
  /** Whether the system accepted its best answer by its own rules; absent where nothing decides (plain retrieval). */
  readonly accepted?: boolean;
  /** The picture could not be read: `ranked` is empty, and a query that has positives is a miss. */
  readonly unreadable?: boolean;
}

/** Answers that the system accepted by itself, judged. */
export interface AcceptedFigures {
  readonly accepted: number;
  readonly correct: number;
  /** 1 where nothing was accepted: nothing wrong was said. */
  readonly precision: number;
  readonly recall: number;
  readonly gaps: GapLengths;
}

/** Everything that is judged about one run of queries against references; no times, so two runs give the same object. */
export interface RetrievalEvaluation {
  readonly queries: number;
  readonly references: number;
  readonly queriesWithoutPositives: number;
  /** Queries whose picture could not be read; misses where they have positives. */
  readonly unreadableQueries: number;
  readonly groundTruth: string;
  readonly policy: string;
  /** By N as text. */
  readonly recall: Readonly<Record<string, number>>;
  readonly precisionRecall: PrecisionRecall;
  /** Only where confidences were claimed. */
  readonly calibration?: CalibrationFigures;
  /** Only where the system decides. */
  readonly accepted?: AcceptedFigures;
  /** Rank (from 0) of each query's first positive, null where none was ranked. */
  readonly firstCorrectRank: readonly (number | null)[];
}

export interface RetrievalOptions {
  readonly ns?: readonly number[];
  readonly calibrationBins?: number;
  /** Metres travelled at each query, for the gaps. */
  readonly travelled?: readonly number[];
}

/** Judges a run. answers: one for each query of the ground truth, in its order. */
export function evaluateRetrieval(
  answers: readonly QueryAnswer[],
  truth: GroundTruth,
  { ns = RECALL_NS, calibrationBins = 15, travelled }: RetrievalOptions = {},
): RetrievalEvaluation {
  const ranked = answers.map((answer) => answer.ranked);
  const ranks = firstCorrectRanks(ranked, truth);
  const correct = ranks.map((rank) => rank === 0);
  const answerable = truth.positives.map((row) => row.length > 0);
  const judged: Answer[] = answers.map((answer, query) => ({
    score: answer.ranked.length === 0 ? -Infinity : answer.score,
    correct: correct[query]!,
    answerable: answerable[query]!,
  }));
  const claims = answers.flatMap((answer, query) =>
    answer.confidence === undefined ? [] : [{ confidence: answer.confidence, correct: correct[query]! }],
  );
  return {
    queries: answers.length,
    references: truth.references,
    queriesWithoutPositives: queriesWithoutPositives(truth),
    unreadableQueries: answers.filter(({ unreadable }) => unreadable === true).length,
    groundTruth: truth.rule,
    policy: RECALL_POLICY,
    recall: recallAtN(ranked, truth, ns),
    precisionRecall: precisionRecall(judged),
    ...(claims.length === 0 ? {} : { calibration: calibrationError(claims, calibrationBins) }),
    ...(answers.some((answer) => answer.accepted !== undefined)
      ? { accepted: acceptedFigures(answers, correct, answerable, travelled) }
      : {}),
    firstCorrectRank: ranks.map((rank) => rank ?? null),
  };
}

function acceptedFigures(
  answers: readonly QueryAnswer[],
  correct: readonly boolean[],
  answerable: readonly boolean[],
  travelled: readonly number[] | undefined,
): AcceptedFigures {
  const localized = answers.map((answer, query) => answer.accepted === true && correct[query]!);
  const accepted = answers.filter((answer) => answer.accepted === true).length;
  const right = localized.filter(Boolean).length;
  return {
    accepted,
    correct: right,
    precision: accepted === 0 ? 1 : right / accepted,
    recall: right / Math.max(1, answerable.filter(Boolean).length),
    gaps: gapLengths(localized, travelled),
  };
}
