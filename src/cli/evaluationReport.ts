import type { RetrievalEvaluation } from '../evaluation/evaluateRetrieval.js';
import type { GroundTruth } from '../evaluation/groundTruth.js';
import type { ReportData, ReportImage, ReportMistake } from '../report/ReportData.js';
import type { DescribedSource } from './describeSource.js';
import type { EvaluationSet } from './evaluationSet.js';
import type { QueryRanking } from './rankReferences.js';
import { picturesOf } from './replayReport.js';
import { MATRIX_LIMIT, similarityMatrix } from './similarityMatrix.js';

const SHOWN_MISTAKES = 9;

export interface JudgedSet {
  readonly set: EvaluationSet;
  readonly references: DescribedSource;
  readonly queries: DescribedSource;
  readonly truth: GroundTruth;
  /** One for each described query. */
  readonly rankings: readonly QueryRanking[];
  readonly evaluation: RetrievalEvaluation;
}

/** What the report shows of plain retrieval: nothing decides, so a query is right or wrong by its best reference. */
export async function evaluationReport(
  judged: JudgedSet,
  frame: Pick<ReportData, 'title' | 'subtitle' | 'recallRows' | 'latencyMs'> & { readonly maxRssBytes: number },
): Promise<ReportData> {
  const { references, queries, rankings, evaluation } = judged;
  return {
    ...frame,
    evaluation,
    scoreName: 'similarity',
    queries: queries.images.map(({ name, pose, position }, row) => ({
      name,
      outcome: evaluation.firstCorrectRank[position] === 0 ? 'right' : 'wrong',
      ...(pose === undefined ? {} : { position: [pose.position[0], pose.position[1]] as const }),
      score: rankings[row]!.similarity,
    })),
    references: references.images.flatMap(({ pose }) =>
      pose === undefined ? [] : [{ position: [pose.position[0], pose.position[1]] as const, placeId: 0 }],
    ),
    ...(Math.max(references.images.length, queries.images.length) > MATRIX_LIMIT
      ? {}
      : { similarity: similarityMatrix(queries, references) }),
    mistakes: await worstMistakes(judged),
    rejected: [],
    operatingPoints: [],
  };
}

async function worstMistakes(judged: JudgedSet): Promise<ReportMistake[]> {
  const { set, references, queries, truth, rankings, evaluation } = judged;
  const nameAt = new Map(references.images.map(({ position, name }) => [position, name]));
  const wrong = queries.images
    .map(({ name, position }, row) => {
      const positives = truth.positives[position]!;
      const best = rankings[row]!.twoStage[0];
      const right = positives[positives.length >> 1];
      return {
        name,
        position,
        score: rankings[row]!.similarity,
        answer: best === undefined ? undefined : references.images[best]!.name,
        right: right === undefined ? undefined : nameAt.get(right),
      };
    })
    .filter(({ position, answer }) => evaluation.firstCorrectRank[position] !== 0 && answer !== undefined)
    .sort((a, b) => b.score - a.score)
    .slice(0, SHOWN_MISTAKES);
  const shown = await picturesOf(set.queries, new Set(wrong.map(({ name }) => name)));
  const answers = await picturesOf(
    set.references,
    new Set(wrong.flatMap(({ answer, right }) => [answer, right].filter((name) => name !== undefined))),
  );
  const picture = (from: ReadonlyMap<string, Uint8Array>, name: string | undefined): ReportImage | undefined => {
    const jpeg = name === undefined ? undefined : from.get(name);
    return jpeg === undefined ? undefined : { name: name!, jpeg };
  };
  return wrong.flatMap(({ name, answer, right, score }) => {
    const [query, found, true_] = [picture(shown, name), picture(answers, answer), picture(answers, right)];
    if (query === undefined || found === undefined) return [];
    const note = true_ === undefined ? 'No reference shows this place.' : '';
    return [{ query, answer: found, ...(true_ === undefined ? {} : { right: true_ }), score, note }];
  });
}
