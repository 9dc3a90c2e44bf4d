import path from 'node:path';
import { CODE_BYTES } from '../../core/binaryCode.js';
import { VprError } from '../../core/VprError.js';
import { evaluateRetrieval, type RetrievalEvaluation } from '../../evaluation/evaluateRetrieval.js';
import type { GroundTruth } from '../../evaluation/groundTruth.js';
import { spreadOf } from '../../evaluation/percentiles.js';
import { recallAtN, RECALL_NS } from '../../evaluation/recallAtN.js';
import { openModel } from '../../inference/openModel.js';
import { LEAST_REFERENCES } from '../../onnx/hashing/fitMapProjection.js';
import { htmlReport } from '../../report/htmlReport.js';
import { terminalTable } from '../../report/terminalTable.js';
import { defaultModelPath } from '../../worker/defaultModel.js';
import { ANGLES_DEG, COUNTS, DISTANCES_M, UsageError, type Command } from '../Command.js';
import { describeSource, type DescribedSource } from '../describeSource.js';
import { evaluationReport } from '../evaluationReport.js';
import { groundTruthOf, openEvaluationSet, readGroundTruthText, type GroundTruthRule } from '../evaluationSet.js';
import { NpyFile } from '../NpyFile.js';
import { CODES_OPTION, encodeAll, fitMapCode, sampleRows } from '../mapCode.js';
import { probeFile, probeFolder, writeText, writing } from '../outputs.js';
import { createProgress } from '../progress.js';
import { exitCodeOf, framesOf, POSE_DETAILS, POSE_FRAMES_OPTION, sayProblem } from '../sourceOptions.js';
import { rankReferences, type QueryRanking } from '../rankReferences.js';

/** Rankings by position in the source; a query that could not be read has an empty one. */
function byPosition(
  rankings: readonly QueryRanking[],
  kind: 'twoStage' | 'exact' | 'hash',
  references: DescribedSource,
  queries: DescribedSource,
): number[][] {
  const ranked = Array.from({ length: queries.count }, (): number[] => []);
  queries.images.forEach(({ position }, row) => {
    ranked[position] = rankings[row]![kind].map((reference) => references.images[reference]!.position);
  });
  return ranked;
}

function evaluate(
  rankings: readonly QueryRanking[],
  references: DescribedSource,
  queries: DescribedSource,
  truth: GroundTruth,
  ns: readonly number[],
): {
  readonly evaluation: RetrievalEvaluation;
  readonly recallExact: Record<string, number>;
  readonly recallHash: Record<string, number>;
} {
  const scores = Array.from({ length: queries.count }, () => -Infinity);
  queries.images.forEach(({ position }, row) => (scores[position] = rankings[row]!.similarity));
  const read = new Set(queries.images.map(({ position }) => position));
  const answers = byPosition(rankings, 'twoStage', references, queries).map((ranked, query) => ({
    ranked,
    score: scores[query]!,
    unreadable: !read.has(query),
  }));
  return {
    evaluation: evaluateRetrieval(answers, truth, { ns }),
    recallExact: recallAtN(byPosition(rankings, 'exact', references, queries), truth, ns),
    recallHash: recallAtN(byPosition(rankings, 'hash', references, queries), truth, ns),
  };
}

function exportArrays(folder: string, side: 'reference' | 'query', described: DescribedSource): void {
  const { dimension, descriptors, codes, images } = described;
  const rows = new NpyFile(path.join(folder, `${side}_descriptors.npy`), '<f4', dimension);
  const packed = new NpyFile(path.join(folder, `${side}_codes.npy`), '|u1', CODE_BYTES);
  for (let row = 0; row < images.length; row++) {
    rows.append(descriptors.subarray(row * dimension, (row + 1) * dimension));
    packed.append(codes.subarray(row * CODE_BYTES, (row + 1) * CODE_BYTES));
  }
  rows.close();
  packed.close();
}

/**
 * The two sides with the codes that are asked for, and which they are: of the map, as `map build` fits them to its references
 * alone, or where these are too few the model's own.
 */
async function withCodes(
  wanted: 'map' | 'model',
  references: DescribedSource,
  queries: DescribedSource,
): Promise<[codes: 'map' | 'model', references: DescribedSource, queries: DescribedSource]> {
  if (wanted === 'model' || references.images.length < LEAST_REFERENCES) return ['model', references, queries];
  const { dimension } = references;
  const code = await fitMapCode(sampleRows(references.descriptors, dimension), dimension);
  const recoded = (side: DescribedSource): DescribedSource => {
    const startMs = performance.now();
    const codes = encodeAll(side.descriptors, dimension, code);
    const eachMs = (performance.now() - startMs) / side.images.length;
    return { ...side, codes, inferenceMs: side.inferenceMs.map((ms) => ms + eachMs) };
  };
  return ['map', recoded(references), recoded(queries)];
}

function wantedNs(text: string | undefined): readonly number[] {
  const ns = new Set<number>(RECALL_NS);
  for (const part of text === undefined ? [] : text.split(',')) {
    const n = Number(part);
    if (!Number.isInteger(n) || n < 1 || n > 1000)
      throw new UsageError(`Expected whole numbers in 1...1000 for --n, got '${part}'`);
    ns.add(n);
  }
  return [...ns].sort((a, b) => a - b);
}

/** vpr eval: how well a model recognises the places of a set. */
export const command: Command = {
  name: 'eval',
  summary: 'judge a model on references and queries with ground truth',
  positionals: 'SET | REFERENCES QUERIES',
  positionalCount: [1, 2],
  options: {
    model: { type: 'string', value: 'DIR', description: 'model folder (default: the one in the package)' },
    'ground-truth': { type: 'string', value: 'FILE', description: 'ground_truth.json (default: the one in the set)' },
    distance: {
      type: 'number',
      range: DISTANCES_M,
      value: 'M',
      description: 'judge by poses: positives within M metres (25 where no ground truth is given)',
    },
    angle: {
      type: 'number',
      range: ANGLES_DEG,
      value: 'DEG',
      description: 'judge by poses: and turned by at most DEG degrees (MSLS: 40)',
    },
    frames: {
      type: 'integer',
      range: [0, Infinity],
      value: 'N',
      description: 'judge by index: within N images (Nordland: 10)',
    },
    'pose-topic': { type: 'string', value: 'TOPIC', description: 'topic of the poses in bags' },
    'pose-frames': POSE_FRAMES_OPTION,
    codes: CODES_OPTION,
    n: { type: 'string', value: 'N,N,...', description: 'more N for recall@N, beside 1, 5, 10' },
    shortlist: {
      type: 'integer',
      range: COUNTS,
      value: 'N',
      default: 100,
      description: 'codes that the prefilter hands to the re-rank; two stages rank no more than these',
    },
    export: { type: 'string', value: 'DIR', description: 'write descriptors and codes of both sides as .npy' },
    report: { type: 'string', value: 'FILE', description: 'write a self-contained HTML page' },
    json: { type: 'boolean', description: 'print one JSON object' },
  },
  details: `SET is a folder with reference/, query/ and ground_truth.json; sources are bags or image folders.
Every image is a reference. Queries without positives are left out of recall; their number is printed.
A damaged image is skipped and counted: as a query it is a miss where its place is known. A damaged bag is read as far as it goes, then the exit code is 1.
${POSE_DETAILS}`,
  async run(args) {
    const ns = wantedNs(args.string('n'));
    const shortlist = args.number('shortlist')!;
    const rule: GroundTruthRule = {
      ...optional('distanceM', args.number('distance')),
      ...optional('angleDeg', args.number('angle')),
      ...optional('frames', args.number('frames')),
    };
    const given = [
      args.number('frames') !== undefined && '--frames',
      (rule.distanceM !== undefined || rule.angleDeg !== undefined) && '--distance or --angle',
      args.string('ground-truth') !== undefined && '--ground-truth',
    ].filter((option) => option !== false);
    if (given.length > 1) throw new UsageError(`Expected one way to judge, got ${given.join(' and ')}`);
    const [page, folder] = [args.string('report'), args.string('export')];
    if (page !== undefined) probeFile(page);
    if (folder !== undefined) probeFolder(folder);
    const set = await openEvaluationSet(args.positionals, {
      ...optional('groundTruth', args.string('ground-truth')),
      ...optional('poseTopic', args.string('pose-topic')),
      ...optional('poseFrames', framesOf(args, 'pose-frames')),
      onProblem: sayProblem,
    });
    const close = async (): Promise<void> => {
      await set.references.close();
      await set.queries.close();
    };
    const open = async () =>
      [await readGroundTruthText(set, rule), await openModel(args.string('model') ?? defaultModelPath())] as const;
    const [listed, { extractor, manifest, sha256 }] = await open().catch(async (error: unknown) => {
      await close();
      throw error;
    });
    try {
      const describe = (side: 'references' | 'queries'): Promise<DescribedSource> =>
        describeSource(set[side], extractor, createProgress(side, set[side].summary.images), sayProblem);
      const [codes, references, queries] = await withCodes(
        args.string('codes') as 'map' | 'model',
        await describe('references'),
        await describe('queries'),
      );
      for (const [side, { images, count }] of Object.entries({ references, queries }))
        if (images.length === 0)
          throw new VprError(
            'BAG_NO_IMAGES',
            `Expected a picture among the ${side} that can be read, got none of ${count} [${set.name}]`,
          );
      const truth = groundTruthOf(set, references, queries, rule, listed);
      const rankings = await rankReferences(references, queries, { k: Math.max(...ns), shortlist });
      const { evaluation, recallExact, recallHash } = evaluate(rankings, references, queries, truth, ns);
      const latency = {
        decode: queries.decodeMs,
        inference: queries.inferenceMs,
        search: rankings.map((ranking) => ranking.searchMs),
        total: rankings.map((ranking, i) => queries.decodeMs[i]! + queries.inferenceMs[i]! + ranking.searchMs),
      };
      const result = {
        set: set.name,
        model: { name: manifest.name, sha256, descriptorDimension: manifest.descriptorDimension },
        codes,
        shortlist,
        skipped: { references: references.skipped, queries: queries.skipped },
        ...evaluation,
        recallExact,
        recallHash,
        latencyMs: Object.fromEntries(Object.entries(latency).map(([stage, values]) => [stage, spreadOf(values)])),
        memory: { maxRssBytes: process.resourceUsage().maxRSS * 1024 },
      };
      const recallRows = [
        { label: 'two-stage', recall: evaluation.recall },
        { label: 'exact float', recall: recallExact },
        { label: 'hash only', recall: recallHash },
      ];
      if (args.flag('json')) process.stdout.write(`${JSON.stringify(result)}\n`);
      else process.stdout.write(terminalTable(evaluation, recallRows, result.latencyMs));
      if (folder !== undefined)
        writing(folder, () => {
          exportArrays(folder, 'reference', references);
          exportArrays(folder, 'query', queries);
        });
      if (page !== undefined) {
        const { model, memory } = result;
        const subtitle = `Model ${model.name}, ${model.descriptorDimension} values; ${set.name}; codes of the ${codes}; shortlist ${shortlist}.`;
        const data = await evaluationReport(
          { set, references, queries, truth, rankings, evaluation },
          { title: `Evaluation of ${set.name}`, subtitle, recallRows, latencyMs: latency, ...memory },
        );
        writeText(page, htmlReport(data));
        if (!args.flag('json')) process.stdout.write(`\nreport  ${page}\n`);
      }
      return exitCodeOf(set.references, set.queries);
    } finally {
      await extractor.close();
      await close();
    }
  },
};

/** {[name]: value}, or nothing where there is no value. */
function optional<Name extends string, Value>(name: Name, value: Value | undefined): Partial<Record<Name, Value>> {
  return value === undefined ? {} : ({ [name]: value } as Record<Name, Value>);
}
