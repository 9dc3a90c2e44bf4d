import type { RetrievalEvaluation } from '../evaluation/evaluateRetrieval.js';

/** A picture that is shown: JPEG bytes, and what it is called. */
export interface ReportImage {
  readonly name: string;
  readonly jpeg: Uint8Array;
}

/** right and wrong: accepted (or, where nothing decides, the best match); rejected: no place was claimed. */
export type Outcome = 'right' | 'wrong' | 'rejected';

/** One query of the drive. */
export interface ReportQuery {
  readonly name: string;
  readonly outcome: Outcome;
  /** Metres, where poses exist. */
  readonly position?: readonly [number, number];
  /** Claimed probability, or similarity where there is none. */
  readonly score: number;
  /** Only where a state machine ran: unknown, candidate, localized, lost. */
  readonly state?: string;
}

export interface ReportReference {
  readonly position: readonly [number, number];
  /** Which place of the map; neighbours of one place get one colour. */
  readonly placeId: number;
}

/** A wrong answer as pictures. */
export interface ReportMistake {
  readonly query: ReportImage;
  readonly answer: ReportImage;
  /** A reference that would have been right, where there is one. */
  readonly right?: ReportImage;
  readonly score: number;
  readonly note: string;
}

export interface RejectedClosure {
  readonly name: string;
  readonly place: string;
  readonly confidence: number;
  readonly reason: string;
  /** Whether the place would have been right. */
  readonly correct: boolean;
  /** Key points that agreed, where the pictures were compared. */
  readonly inliers?: number;
}

/** Everything that the page shows; parts that are missing are left out of it. */
export interface ReportData {
  readonly title: string;
  /** One line: model, map, sources. */
  readonly subtitle: string;
  readonly evaluation: RetrievalEvaluation;
  /** Recall by way of searching, for the table. */
  readonly recallRows: readonly { readonly label: string; readonly recall: Readonly<Record<string, number>> }[];
  /** What the scores of precision-recall are: "confidence" or "similarity". */
  readonly scoreName: string;
  /** Milliseconds of each image, by stage. */
  readonly latencyMs: Readonly<Record<string, readonly number[]>>;
  /** Similarity of every query (row) with every reference (column). */
  readonly similarity?: { readonly queries: number; readonly references: number; readonly values: Float32Array };
  readonly queries: readonly ReportQuery[];
  readonly references: readonly ReportReference[];
  readonly mistakes: readonly ReportMistake[];
  readonly rejected: readonly RejectedClosure[];
  /** Thresholds worth marking on the precision-recall curve: presets and their probabilities. */
  readonly operatingPoints: readonly { readonly name: string; readonly threshold: number }[];
  readonly maxRssBytes?: number;
}
