import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Any object of a study's JSON. */
type Figures = Readonly<Record<string, unknown>>;

interface StudyFile {
  readonly model: string;
  readonly fittedOn: string;
  readonly result: Readonly<Record<string, Figures>>;
}

const text = (value: unknown): string => (Array.isArray(value) ? value.map(text).join(' ... ') : String(value));

/** A table with a row for each object; its columns are [title, path of keys]. */
function table(rows: readonly (readonly [string, Figures])[], columns: readonly (readonly [string, string])[]): string {
  const cell = (row: Figures, keys: string): string => {
    let value: unknown = row;
    for (const key of keys.split('.')) value = (value as Figures | undefined)?.[key];
    return value === undefined ? '' : text(value);
  };
  const lines = [
    ['', ...columns.map(([title]) => title)],
    ['---', ...columns.map(() => '---')],
    ...rows.map(([name, row]) => [name, ...columns.map(([, keys]) => cell(row, keys))]),
  ];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const CALIBRATION = ['filtered', 'oneImage', 'similarity'].flatMap((kind) => {
  const title = { filtered: 'filter', oneImage: 'one image', similarity: 'raw similarity' }[kind]!;
  return [
    [`ECE, ${title}`, `${kind}.expectedCalibrationError`],
    ['95 %', `${kind}.interval`],
    ['Brier', `${kind}.brier`],
  ] as const;
});

const PRECISION = [
  ['queries', 'off.queries'],
  ['R@1 off', 'off.recallAt1'],
  ['R@1 on', 'on.recallAt1'],
  ['R@100P off', 'off.recallAt100Precision'],
  ['R@100P on', 'on.recallAt100Precision'],
  ['R@99P off', 'off.recallAt99Precision'],
  ['R@99P on', 'on.recallAt99Precision'],
  ['AUC off', 'off.areaUnderCurve'],
  ['AUC on', 'on.areaUnderCurve'],
] as const;

const OPEN_SET = [
  ['target', 'target'],
  ['negatives', 'negatives'],
  ['accepted', 'accepted'],
  ['FPR', 'falsePositiveRate'],
  ['of the target', 'ofTarget'],
  ['right and accepted, of those in the map', 'rightAccepted'],
] as const;

const CORRIDOR = ['map of both', 'map of the first'].flatMap((map) => [
  [`${map}: wrong answers`, `${map}.wrongAnswers`] as const,
  ['wrong closures', `${map}.wrongClosures`] as const,
  ['right closures', `${map}.rightClosures`] as const,
]);

const GEOMETRY = [
  ...(['recallAt100Precision', 'recallAt99Precision', 'areaUnderCurve', 'expectedCalibrationError'] as const).flatMap(
    (figure) => {
      const title = {
        recallAt100Precision: 'R@100P',
        recallAt99Precision: 'R@99P',
        areaUnderCurve: 'AUC',
        expectedCalibrationError: 'ECE',
      }[figure];
      return [[`${title} off`, `off.${figure}`] as const, ['on', `on.${figure}`] as const];
    },
  ),
  ...['precision', 'balanced', 'recall'].flatMap((preset) => [
    [`${preset}: wrong closures off`, `off.closures.${preset}.wrong`] as const,
    ['on', `on.closures.${preset}.wrong`] as const,
    ['right off', `off.closures.${preset}.right`] as const,
    ['on', `on.closures.${preset}.right`] as const,
  ]),
];

/** The Markdown of each study that has been run: results/<name>.json. */
export function confidenceTables(folder: string): string {
  const read = <T>(name: string): T | undefined => {
    const file = path.join(folder, `${name}.json`);
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined;
  };
  const sections: string[] = [];
  const add = (title: string, name: string, show: (result: StudyFile['result']) => string): void => {
    const study = read<StudyFile>(name);
    if (study === undefined) return;
    sections.push(
      `### ${title}\n\n${show(study.result)}\n\nModel ${study.model}, confidence fitted on ${study.fittedOn}.`,
    );
  };
  add('Calibration', 'calibration', (result) => table(Object.entries(result), CALIBRATION));
  add('Recall at precision, temporal filter off and on', 'precision', (result) => {
    const bag = result['rtabmap loop bag, slam'] as { on?: Figures } | undefined;
    const closures = `Loop closures sent in the bag at the default settings: ${text(bag?.on?.['closures'])}, of which right: ${text(bag?.on?.['rightClosures'])}.`;
    return `${table(Object.entries(result), PRECISION)}\n\n${closures}`;
  });
  add('Open set', 'openSet', (result) =>
    table(
      Object.entries(result).flatMap(([filter, presets]) =>
        Object.entries(presets).map(([preset, row]) => [`${preset}, ${filter}`, row as Figures] as const),
      ),
      OPEN_SET,
    ),
  );
  add('Streets that look alike', 'corridor', (result) => table(Object.entries(result), CORRIDOR));
  const graph = read<{ worlds: Record<string, Figures> } & Figures>('poseGraph');
  if (graph !== undefined) {
    const columns = [
      ['closures', 'closures'],
      ['odometry ATE, m', 'odometryAteM'],
      ['graph ATE, m', 'graphAteM'],
    ] as const;
    const summary = `Mean ${text(graph['meanOdometryAteM'])} m -> ${text(graph['meanGraphAteM'])} m: ${text(graph['ratioOfMeans'])} times lower; the worst town ${text(graph['worstRatio'])} times.`;
    sections.push(`### Pose graph\n\n${table(Object.entries(graph.worlds), columns)}\n\n${summary}`);
  }
  add('Maps of several lights', 'seasons', (result) =>
    table(Object.entries(result['maps'] as Record<string, Figures>), [
      ['references', 'references'],
      ['queries', 'queries'],
      ['R@1', 'recallAt1'],
      ['R@1, filter', 'recallAt1Filtered'],
    ]),
  );
  add('Comparing pictures, `geometric_check` off and on', 'geometry', (result) => {
    const turns = result['turns']!;
    const cost = result['cost']!;
    return [
      table(Object.entries(result['figures'] as Record<string, Figures>), GEOMETRY),
      `Turns measured of ${text(turns['measured'])} of ${text(turns['pairs'])} pairs of pictures taken within 3 m: error ${text(turns['medianErrorDeg'])} degrees in the median, ${text(turns['p68ErrorDeg'])} at 68 %, ${text(turns['p95ErrorDeg'])} at 95 %.`,
      `Processor time of an image of 320 x 240 pixels: ${text(cost['meanMs'])} ms in the mean.`,
    ].join('\n\n');
  });
  add('Cost', 'cost', (result) =>
    table(Object.entries(result), [
      ['frames', 'frames'],
      ['p50, ms', 'p50Ms'],
      ['p99, ms', 'p99Ms'],
    ]),
  );
  return sections.join('\n\n');
}
