import { closeSync, existsSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { Reference } from '../../core/reference.js';
import { VprError } from '../../core/VprError.js';
import { modelSha256, readModelManifest } from '../../inference/readModelManifest.js';
import type { MapBinarizer, MapMeta } from '../../map/MapMeta.js';
import { MapExaminer, type ExaminedReference } from '../../map/MapExaminer.js';
import { knownMeta, salvageMap } from '../../map/salvageMap.js';
import { UsageError, type Command } from '../Command.js';
import { NpyFile } from '../NpyFile.js';
import { writing } from '../outputs.js';
import { createProgress } from '../progress.js';

const COLUMNS = 'reference_id,place_id,session_id,camera,label,stamp_ns,x,y,z,qx,qy,qz,qw,thumbnail';

function csvText(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csvLine(record: Reference, thumbnail: string): string {
  const pose =
    record.pose === undefined ? Array<string>(7).fill('') : [...record.pose.position, ...record.pose.orientation];
  const { referenceId, placeId, sessionId, camera, label, stampNs } = record;
  return `${[referenceId, placeId, sessionId, csvText(camera), csvText(label), stampNs, ...pose, thumbnail].join(',')}\n`;
}

function modelOf(folder: string): Pick<MapMeta, 'modelName' | 'modelSha256'> {
  const manifest = readModelManifest(folder);
  return { modelName: manifest.name, modelSha256: modelSha256(manifest) };
}

/** projection.npy [512, D] and, where there is a mean, mean.npy [1, D]: what codes a query as the map's are. */
function exportProjection(
  folder: string,
  dimension: number,
  { projection, mean }: Extract<MapBinarizer, { kind: 'projection' }>,
): void {
  for (const [name, values] of Object.entries({ projection, mean })) {
    if (values === undefined) continue;
    const file = new NpyFile(path.join(folder, `${name}.npy`), '<f4', dimension);
    for (let row = 0; row < values.length; row += dimension) file.append(values.subarray(row, row + dimension));
    file.close();
  }
}

/** Writes references.csv, descriptors.npy, codes.npy, thumbnails/ and map.json; returns how many references were whole. */
function exportFolder(examiner: MapExaminer, folder: string, references: Iterable<ExaminedReference>): number {
  const meta = knownMeta(examiner);
  mkdirSync(path.join(folder, 'thumbnails'), { recursive: true });
  const descriptors = new NpyFile(path.join(folder, 'descriptors.npy'), '<f4', meta.descriptorDimension);
  const codes = new NpyFile(path.join(folder, 'codes.npy'), '|u1', 64);
  const csv = openSync(path.join(folder, 'references.csv'), 'w');
  writeSync(csv, `${COLUMNS}\n`);
  let whole = 0;
  for (const { referenceId, record, descriptor, code, thumbnail } of references) {
    if (record === undefined || descriptor === undefined || code === undefined) continue;
    const file = thumbnail === undefined ? '' : `thumbnails/${referenceId}.jpg`;
    if (thumbnail !== undefined) writeFileSync(path.join(folder, file), thumbnail);
    writeSync(csv, csvLine(record, file));
    descriptors.append(descriptor);
    codes.append(code);
    whole++;
  }
  closeSync(csv);
  descriptors.close();
  codes.close();
  const { binarizer, calibration, ...rest } = meta;
  if (binarizer.kind === 'projection') exportProjection(folder, meta.descriptorDimension, binarizer);
  const json = {
    ...rest,
    binarizer: binarizer.kind,
    lost: examiner.lostMeta,
    calibration: calibration === undefined ? null : (JSON.parse(calibration) as unknown),
  };
  writeFileSync(path.join(folder, 'map.json'), `${JSON.stringify(json, undefined, 2)}\n`);
  return whole;
}

export const command: Command = {
  name: 'map export',
  summary: 'Write what a map holds as CSV, NumPy arrays and JPEGs, or what is whole of a damaged map as a new map.',
  positionals: 'MAP [FOLDER]',
  positionalCount: [1, 2],
  options: {
    map: {
      type: 'string',
      value: 'FILE',
      description: 'write a new map of everything that is whole, instead of a folder',
    },
    model: {
      type: 'string',
      value: 'DIR',
      description: 'with --map: the model of a map whose own record of it is damaged',
    },
    json: { type: 'boolean', description: 'print one JSON object' },
  },
  details:
    'FOLDER gets references.csv, descriptors.npy [N, D] f32, codes.npy [N, 64] u8 (rows as in the CSV), thumbnails/ and map.json;\n' +
    'where the map has codes of its own also projection.npy [512, D] and mean.npy [1, D]: bit i = projection[i] . (descriptor - mean) >= 0.\n' +
    'Where the meta is damaged, what the descriptors tell is used, and map.json names the rest under "lost".\n' +
    'Damaged references are left out and counted; then the exit code is 1.',
  run(args) {
    const [file, folder] = args.positionals as [string, string?];
    const target = args.string('map');
    const model = args.string('model');
    if ((folder === undefined) === (target === undefined)) throw new UsageError('Expected either FOLDER or --map FILE');
    if (folder !== undefined && existsSync(path.join(folder, 'references.csv')))
      throw new VprError(
        'FILE_NOT_WRITABLE',
        `Expected a folder without an export, got one that has references.csv [${folder}]`,
      );
    const examiner = new MapExaminer(path.resolve(file));
    const progress = createProgress('export', undefined);
    let total = 0;
    const onProgress = (done: number, all: number): void => {
      total = all;
      progress.update(done, `of ${all}`);
    };
    try {
      const written =
        target === undefined
          ? writing(folder!, () => exportFolder(examiner, path.resolve(folder!), examiner.references(onProgress)))
          : salvageMap(examiner, target, { onProgress, ...(model === undefined ? {} : { model: modelOf(model) }) });
      progress.end();
      const result = {
        path: path.resolve(target ?? folder!),
        written,
        leftOut: total - written,
        problems: examiner.problems,
      };
      if (args.flag('json')) process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
      else {
        for (const { sentence } of examiner.problems.slice(0, 20)) process.stderr.write(`${sentence}\n`);
        process.stdout.write(
          `${written} references written to ${result.path}, ${result.leftOut} damaged ones left out\n`,
        );
      }
      return Promise.resolve(examiner.problems.length === 0 ? 0 : 1);
    } finally {
      progress.end();
      examiner.close();
    }
  },
};
