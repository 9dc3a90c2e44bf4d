import type { ImageSource } from '../bag/ImageSource.js';
import type { Reference, ReferenceId } from '../core/reference.js';
import { decodeImage } from '../image/decodeImage.js';
import { encodeThumbnail } from '../image/encodeThumbnail.js';
import { PRESETS } from '../recognizer/ConfidenceModel.js';
import type { ReportData, ReportImage, ReportMistake } from '../report/ReportData.js';
import type { LocalRecognizer } from '../worker/openRecognizer.js';
import type { JudgedReplay } from './judgeReplay.js';
import type { ReplayedImage } from './replayImages.js';
import { MATRIX_LIMIT, similarityMatrix } from './similarityMatrix.js';

const SHOWN_MISTAKES = 9;
const PICTURE_PX = 240;

export interface ReplayReportParts {
  readonly title: string;
  readonly subtitle: string;
  readonly judged: JudgedReplay;
  /** Still open: gives the references, their pictures and descriptors, and the presets. */
  readonly recognizer: LocalRecognizer;
  /** The replayed source, read once more for the pictures of the mistakes. */
  readonly source: ImageSource;
  readonly recallRows?: ReportData['recallRows'];
  readonly maxRssBytes?: number;
}

/** A bag image's name is its topic and stamp; beside its picture the stamp is enough. */
function shortName(name: string): string {
  return name.startsWith('/') ? name.slice(name.lastIndexOf(',') + 1).trim() : name;
}

/** Everything that the report of a judged replay shows. */
export async function replayReport(parts: ReplayReportParts): Promise<ReportData> {
  const { judged, recognizer } = parts;
  const { queries, correct, evaluation } = judged;
  const references = [...recognizer.references()];
  const similarity = similarityOf(parts, references);
  return {
    title: parts.title,
    subtitle: parts.subtitle,
    evaluation,
    recallRows: parts.recallRows ?? [{ label: evaluation.groundTruth, recall: evaluation.recall }],
    scoreName: 'confidence',
    latencyMs: latencyByStage(queries),
    ...(similarity === undefined ? {} : { similarity }),
    queries: queries.map(({ recognition, truePose }, i) => ({
      name: shortName(recognition.name),
      outcome: !recognition.accepted ? 'rejected' : correct[i]! ? 'right' : 'wrong',
      ...(truePose === undefined ? {} : { position: [truePose.position[0], truePose.position[1]] as const }),
      score: recognition.confidence,
      state: recognition.state,
    })),
    references: references.flatMap(({ pose, placeId }) =>
      pose === undefined ? [] : [{ position: [pose.position[0], pose.position[1]] as const, placeId }],
    ),
    mistakes: await worstMistakes(parts, references),
    rejected: queries.flatMap(({ recognition }, i) =>
      recognition.accepted || recognition.referenceId === 0
        ? []
        : [
            {
              name: shortName(recognition.name),
              place: `${recognition.placeId} (${shortName(recognition.label)})`,
              confidence: recognition.confidence,
              reason: recognition.rejectReason,
              correct: correct[i]!,
              ...(recognition.inliers === undefined ? {} : { inliers: recognition.inliers }),
            },
          ],
    ),
    operatingPoints: PRESETS.map((name) => ({ name, threshold: recognizer.thresholds[name] })),
    ...(parts.maxRssBytes === undefined ? {} : { maxRssBytes: parts.maxRssBytes }),
  };
}

/** Queries against the references of the map; undefined where no descriptors were kept or the matrix would be too large. */
function similarityOf(
  { judged, recognizer }: ReplayReportParts,
  references: readonly Reference[],
): ReportData['similarity'] | undefined {
  const rows = judged.queries.flatMap(({ descriptor }) => (descriptor === undefined ? [] : [descriptor]));
  if (rows.length === 0 || rows.length < judged.queries.length || references.length === 0) return undefined;
  if (Math.max(rows.length, references.length) > MATRIX_LIMIT) return undefined;
  const dimension = rows[0]!.length;
  const descriptors = new Float32Array(rows.length * dimension);
  rows.forEach((row, i) => descriptors.set(row, i * dimension));
  const ids = Uint32Array.from(references, ({ referenceId }) => referenceId);
  return similarityMatrix({ descriptors, dimension }, { descriptors: recognizer.descriptors(ids), dimension });
}

/** Milliseconds of each image, by stage, in the order of the way of a frame. */
export function latencyByStage(images: readonly ReplayedImage[]): Record<string, readonly number[]> {
  const stage = (pick: 'decodeMs' | 'inferenceMs' | 'searchMs' | 'decisionMs' | 'totalMs'): number[] =>
    images.map(({ recognition }) => recognition.latency[pick]);
  return {
    decode: stage('decodeMs'),
    inference: stage('inferenceMs'),
    search: stage('searchMs'),
    decision: stage('decisionMs'),
    total: stage('totalMs'),
  };
}

/** Small JPEGs of the wanted pictures of a source, by name. */
export async function picturesOf(
  source: ImageSource,
  wanted: ReadonlySet<string>,
  widthPx = PICTURE_PX,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const pictures = new Map<string, Uint8Array>();
  if (wanted.size === 0) return pictures;
  for await (const { name, image } of source) {
    if (!wanted.has(name) || pictures.has(name)) continue;
    pictures.set(name, await encodeThumbnail(await decodeImage(image, name), widthPx));
    if (pictures.size === wanted.size) break;
  }
  return pictures;
}

// The surest wrong answers: accepted ones first, for they are what hurts.
async function worstMistakes(parts: ReplayReportParts, references: readonly Reference[]): Promise<ReportMistake[]> {
  const { judged, recognizer } = parts;
  const byId = new Map(references.map((reference) => [reference.referenceId, reference]));
  const wrong = judged.queries
    .map((image, query) => ({ ...image, query }))
    .filter(({ recognition, query }) => !judged.correct[query]! && byId.has(recognition.referenceId))
    .sort(
      (a, b) =>
        Number(b.recognition.accepted) - Number(a.recognition.accepted) ||
        b.recognition.confidence - a.recognition.confidence,
    )
    .slice(0, SHOWN_MISTAKES);
  const pictures = await picturesOf(parts.source, new Set(wrong.map(({ recognition }) => recognition.name)));
  const pictured = async (id: ReferenceId): Promise<ReportImage | undefined> => {
    const jpeg = await recognizer.thumbnail(id);
    return jpeg === undefined ? undefined : { name: shortName(byId.get(id)?.label ?? String(id)), jpeg };
  };
  const mistakes: ReportMistake[] = [];
  for (const { recognition, query } of wrong) {
    const jpeg = pictures.get(recognition.name);
    const answer = await pictured(recognition.referenceId);
    if (jpeg === undefined || answer === undefined) continue;
    const positives = judged.truth.positives[query]!;
    const middle = judged.referenceIds[positives[positives.length >> 1] ?? -1];
    const right = middle === undefined ? undefined : await pictured(middle);
    const verdict = recognition.accepted ? 'Accepted' : `Not accepted (${recognition.rejectReason})`;
    mistakes.push({
      query: { name: shortName(recognition.name), jpeg },
      answer,
      ...(right === undefined ? {} : { right }),
      score: recognition.confidence,
      note: right === undefined ? `${verdict}; the place is not in the map.` : `${verdict}.`,
    });
  }
  return mistakes;
}
