import type { Background } from './BackgroundSample.js';
import { areNeighbours, type Candidate, type Neighbourhood } from './Candidate.js';

/** Names of the confidence model's inputs, in the order of its weights. */
export const FEATURES = [
  'bias',
  'similarity',
  'zScore',
  'marginZ',
  'agreement',
  'logReferences',
  'temporal',
  'sequence',
  'sequenceLead',
  'guidedLead',
] as const;

/** Everything that speaks for or against one candidate being the right place. */
export interface Evidence {
  readonly best: Candidate;
  /** Similarity minus the best one outside the neighbourhood; where nothing is outside: minus the background. */
  readonly margin: number;
  /** [FEATURES.length]; the last four are 0 without the filter. */
  readonly features: Float64Array;
}

/** Candidates that vote on agreement. */
const VOTERS = 10;
/** Assumed where the map is too small to measure a background. */
const UNKNOWN_BACKGROUND: Background = { median: 0.5, spread: 0.15 };

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** How unusual a similarity is among those to just any place, in spreads of the background; -4...12. */
export function zScore(similarity: number, background: Background | undefined): number {
  const { median, spread } = background ?? UNKNOWN_BACKGROUND;
  return clamp((similarity - median) / spread, -4, 12);
}

export interface EvidenceContext {
  /** Best first, not empty. */
  readonly candidates: readonly Candidate[];
  /** Which of them is to be judged. */
  readonly chosen: number;
  readonly background: Background | undefined;
  /** References in the map. */
  readonly references: number;
  readonly neighbourhood: Neighbourhood;
  /** What the filter says, or undefined without it. */
  readonly temporal?: TemporalEvidence;
}

/** What the images before this one say for the chosen one's neighbourhood. */
export interface TemporalEvidence {
  /** P(robot there), 0...1. */
  readonly mass: number;
  /** Score of the best way there, and of the best way to anywhere else. */
  readonly score: number;
  readonly rivalScore: number;
  /** Odometry led the way: then a way that fits says more. */
  readonly guided: boolean;
}

/**
 * Features of one candidate: similarity; its z-score against the background; its lead over the best candidate outside its
 * neighbourhood, in spreads; the part of the first ten candidates that lie in the neighbourhood; the size of the map; the
 * temporal filter's log-odds, its score, the lead of the score, and that lead once more where odometry led the way.
 * Hamming distances are not among them: what one means depends on the map, whose code may be its own.
 */
export function weighEvidence(context: EvidenceContext): Evidence {
  const { candidates, chosen, background, references, neighbourhood, temporal } = context;
  const best = candidates[chosen]!;
  const { spread, median } = background ?? UNKNOWN_BACKGROUND;
  let rival: Candidate | undefined;
  let votes = 0;
  const voters = Math.min(VOTERS, candidates.length);
  candidates.forEach((candidate, rank) => {
    if (areNeighbours(best.reference, candidate.reference, neighbourhood)) {
      if (rank < voters) votes++;
      return;
    }
    rival ??= candidate;
  });
  const margin = best.similarity - (rival?.similarity ?? Math.min(median, best.similarity));
  const lead = temporal === undefined ? 0 : temporal.score - temporal.rivalScore;
  const features = Float64Array.of(
    1,
    best.similarity,
    zScore(best.similarity, background),
    clamp(margin / spread, -4, 8),
    votes / voters,
    Math.log10(Math.max(1, references)),
    temporal === undefined ? 0 : clamp(Math.log(temporal.mass / Math.max(1e-9, 1 - temporal.mass)), -8, 8),
    temporal?.score ?? 0,
    lead,
    temporal?.guided === true ? lead : 0,
  );
  return { best, margin, features };
}
