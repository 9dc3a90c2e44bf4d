import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import type { ImageSource } from '../../bag/ImageSource.js';
import { openImageSource } from '../../bag/openImageSource.js';
import type { Descriptor } from '../../core/descriptor.js';
import type { Reference } from '../../core/reference.js';
import { recallAtN } from '../../evaluation/recallAtN.js';
import { spreadOf } from '../../evaluation/percentiles.js';
import { openModel, type OpenModel } from '../../inference/openModel.js';
import { demoPicture, type MatchedPair } from '../../report/demoPicture.js';
import { htmlReport } from '../../report/htmlReport.js';
import type { ReportData } from '../../report/ReportData.js';
import { terminalTable } from '../../report/terminalTable.js';
import { buildTown } from '../../sample/buildTown.js';
import { SAMPLE_CONDITIONS } from '../../sample/SampleCondition.js';
import { SampleTraverse } from '../../sample/SampleTraverse.js';
import { SAMPLE_ODOMETRY_TOPIC, SAMPLE_TRUTH_TOPIC, writeSampleBag } from '../../sample/writeSampleBag.js';
import { defaultModelPath } from '../../worker/defaultModel.js';
import { openRecognizer, type LocalRecognizer } from '../../worker/openRecognizer.js';
import type { Command } from '../Command.js';
import { judgeByPoses, type JudgedReplay } from '../judgeReplay.js';
import { probeFolder } from '../outputs.js';
import { createProgress } from '../progress.js';
import { replayImages, type Replay } from '../replayImages.js';
import { picturesOf, replayReport } from '../replayReport.js';

const SPACING_M = 2;
const ALIASED_M = 12;
/** Lanes of the two drives, metres left of the middle of the street. */
const LEFT_M = { reference: -1.5, query: -0.9 } as const;
const CLOSE_M = 5;
const DAY_NS = 86_400_000_000_000n;
const FIRST_DRIVE_NS = 1_767_600_000_000_000_000n;

async function renderDrives(folder: string, seed: number, frames: number): Promise<void> {
  const world = buildTown({ seed, routeM: frames * SPACING_M, aliasedM: ALIASED_M });
  const drives = [
    ['reference', SAMPLE_CONDITIONS.day, FIRST_DRIVE_NS],
    ['query', SAMPLE_CONDITIONS.dusk, FIRST_DRIVE_NS + DAY_NS],
  ] as const;
  for (const [index, [name, condition, startNs]] of drives.entries()) {
    const traverse = new SampleTraverse(world, {
      seed: seed * 2 + index + 1,
      condition,
      frames,
      spacingM: SPACING_M,
      leftM: LEFT_M[name],
      startNs,
    });
    const progress = createProgress(`rendering ${condition.name}`, frames);
    await writeSampleBag(traverse, path.join(folder, name), { progress: (done) => progress.update(done) });
    progress.end();
  }
}

async function play(
  source: ImageSource,
  recognizer: LocalRecognizer,
  title: string,
  lastDescriptor?: () => Descriptor | undefined,
): Promise<Replay> {
  const odometry = await source.readPoses(SAMPLE_ODOMETRY_TOPIC);
  const groundTruth = await source.readPoses(SAMPLE_TRUTH_TOPIC);
  const progress = createProgress(title, source.summary.images);
  const replay = await replayImages(source, recognizer, {
    odometry,
    groundTruth,
    ...(lastDescriptor === undefined ? {} : { lastDescriptor }),
    onImage: (done) => progress.update(done),
  });
  progress.end();
  return replay;
}

/** Recall of the similarity alone, without the temporal filter: what one image says by itself. */
function singleImageRecall({ queries, truth }: JudgedReplay, references: readonly Reference[]): Record<string, number> {
  const indexOf = new Map(references.map(({ referenceId }, index) => [referenceId, index]));
  const ranked = queries.map(({ recognition }) =>
    recognition.candidates
      .toSorted((a, b) => b.similarity - a.similarity || a.referenceId - b.referenceId)
      .map(({ referenceId }) => indexOf.get(referenceId) ?? -1),
  );
  return recallAtN(ranked, truth);
}

async function matchedPairs(
  judged: JudgedReplay,
  source: ImageSource,
  recognizer: LocalRecognizer,
): Promise<MatchedPair[]> {
  const { queries, correct } = judged;
  // One of each fifth of the drive, the surest of it: four are shown.
  const chosen = [1, 2, 3, 4].flatMap((fifth) => {
    const from = Math.floor((fifth * queries.length) / 5);
    const part = queries
      .slice(from, from + Math.ceil(queries.length / 10))
      .map((image, i) => ({ image, at: from + i }));
    const best = part.toSorted((a, b) => b.image.recognition.confidence - a.image.recognition.confidence)[0];
    return best === undefined ? [] : [best];
  });
  const pictures = await picturesOf(source, new Set(chosen.map(({ image }) => image.recognition.name)));
  const pairs: MatchedPair[] = [];
  for (const { image, at } of chosen) {
    const { recognition } = image;
    const jpeg = pictures.get(recognition.name);
    const reference = await recognizer.thumbnail(recognition.referenceId);
    if (jpeg === undefined || reference === undefined) continue;
    pairs.push({
      query: { name: recognition.name, jpeg },
      reference: { name: recognition.label, jpeg: reference },
      outcome: correct[at]! ? 'right' : 'wrong',
      caption: `image ${image.number}, place ${recognition.placeId}, confidence ${recognition.confidence.toFixed(2)}`,
    });
  }
  return pairs;
}

/** vpr demo: the whole way in one command, on images that the program renders itself. */
export const command: Command = {
  name: 'demo',
  summary: 'render a town, map it by day, recognise its places at dusk, report',
  positionals: '',
  positionalCount: [0, 0],
  options: {
    output: {
      type: 'string',
      short: 'o',
      value: 'DIR',
      default: 'vpr-demo',
      description: 'folder for bags, map, report',
    },
    seed: { type: 'integer', range: [0, 2 ** 31], value: 'N', default: 0, description: 'another town' },
    frames: { type: 'integer', range: [2, Infinity], value: 'N', default: 150, description: 'images of each drive' },
    model: { type: 'string', value: 'DIR', description: 'model folder (default: the one in the package)' },
    json: { type: 'boolean', description: 'print one JSON object' },
  },
  async run(args) {
    const folder = args.string('output')!;
    const frames = args.number('frames')!;
    const modelPath = args.string('model') ?? defaultModelPath();
    const startMs = performance.now();
    probeFolder(folder);
    await renderDrives(folder, args.number('seed')!, frames);
    const mapPath = path.join(folder, 'town.vprmap');
    for (const suffix of ['', '-wal', '-shm']) rmSync(mapPath + suffix, { force: true });
    const model = await openModel(modelPath);
    try {
      await mapDrive(folder, mapPath, modelPath, model);
      const { judged, close, report, picture } = await localizeDrive(folder, mapPath, modelPath, model);
      const files = { report: path.join(folder, 'report.html'), picture: path.join(folder, 'picture.svg') };
      writeFileSync(files.report, htmlReport(report));
      writeFileSync(files.picture, picture);
      await sharp(Buffer.from(picture), { density: 108 })
        .png({ palette: true })
        .toFile(path.join(folder, 'picture.png'));
      if (args.flag('json')) {
        const { evaluation } = judged;
        process.stdout.write(
          `${JSON.stringify({ model: model.manifest.name, ...evaluation, recallWithin5m: close, files })}\n`,
        );
      } else {
        const latency = Object.entries(report.latencyMs).map(([stage, values]) => [stage, spreadOf(values)] as const);
        process.stdout.write(terminalTable(judged.evaluation, report.recallRows, Object.fromEntries(latency)));
        const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
        process.stdout.write(
          `\nreport   ${files.report}\npicture  ${files.picture}\nmap      ${mapPath}\ntook     ${seconds} s\n`,
        );
      }
      return 0;
    } finally {
      await model.extractor.close();
    }
  },
};

async function mapDrive(folder: string, mapPath: string, modelPath: string, model: OpenModel): Promise<void> {
  const source = await openImageSource(path.join(folder, 'reference'), { poseTopic: SAMPLE_TRUTH_TOPIC });
  const recognizer = await openRecognizer(
    { modelPath, mapPath, mode: 'mapping', executionProviders: ['cpu'], parameters: {} },
    { model, session: { name: 'day', source: 'sample world' } },
  );
  try {
    await play(source, recognizer, 'mapping');
  } finally {
    await recognizer.close();
    await source.close();
  }
}

async function localizeDrive(
  folder: string,
  mapPath: string,
  modelPath: string,
  model: OpenModel,
): Promise<{
  readonly judged: JudgedReplay;
  readonly close: Readonly<Record<string, number>>;
  readonly report: ReportData;
  readonly picture: string;
}> {
  const source = await openImageSource(path.join(folder, 'query'));
  let last: Descriptor | undefined;
  const recognizer = await openRecognizer(
    { modelPath, mapPath, mode: 'localization', executionProviders: ['cpu'], parameters: { top_k: 10 } },
    { model, onDescriptor: (descriptor) => (last = descriptor) },
  );
  try {
    const replay = await play(source, recognizer, 'localizing', () => last);
    const references = [...recognizer.references()];
    const poses = new Map(references.map(({ referenceId, pose }) => [referenceId, pose]));
    const judged = judgeByPoses(replay, poses, { distanceM: 25 });
    const near = judgeByPoses(replay, poses, { distanceM: CLOSE_M });
    const { manifest } = model;
    const report = await replayReport({
      title: 'A drive through the sample town',
      subtitle: `Mapped by day, driven again at dusk in another lane; model ${manifest.name}, ${references.length} references.`,
      judged,
      recognizer,
      source,
      recallRows: [
        { label: 'within 25 m', recall: judged.evaluation.recall },
        { label: 'within 25 m, single images', recall: singleImageRecall(judged, references) },
        { label: `within ${CLOSE_M} m`, recall: near.evaluation.recall },
        { label: `within ${CLOSE_M} m, single images`, recall: singleImageRecall(near, references) },
      ],
      maxRssBytes: process.resourceUsage().maxRSS * 1024,
    });
    const pairs = await matchedPairs(judged, source, recognizer);
    // In the picture, colours say whether the best place is right; what is too unsure to be claimed is grey.
    const picture = demoPicture(pairs, report.queries, report.references);
    return { judged, close: near.evaluation.recall, report, picture };
  } finally {
    await recognizer.close();
    await source.close();
  }
}
