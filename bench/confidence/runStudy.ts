/**
 * node dist/bench/confidence/runStudy.js NAME MODEL [CACHE]: runs one study (or `all`) with a model and the confidence that
 * ships with it, and writes bench/confidence/results/NAME.json. Pictures and descriptors are kept in CACHE (.cache).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openStudy, type Study } from './openStudy.js';
import { studyCalibration } from './studyCalibration.js';
import { studyCorridor } from './studyCorridor.js';
import { studyCost } from './studyCost.js';
import { studyGeometry } from './studyGeometry.js';
import { studyOpenSet } from './studyOpenSet.js';
import { studyPrecision } from './studyPrecision.js';
import { studySeasons } from './studySeasons.js';
import { studySlam } from './studySlam.js';

const STUDIES: Readonly<Record<string, (study: Study) => object | Promise<object>>> = {
  calibration: studyCalibration,
  precision: studyPrecision,
  openSet: studyOpenSet,
  corridor: studyCorridor,
  slam: studySlam,
  seasons: studySeasons,
  geometry: studyGeometry,
  cost: studyCost,
};

const [name, modelPath, cache = '.cache'] = process.argv.slice(2);
if (name === undefined || modelPath === undefined || (name !== 'all' && STUDIES[name] === undefined))
  throw new RangeError(`Expected NAME MODEL [CACHE], NAME one of all, ${Object.keys(STUDIES).join(', ')}`);
const study = await openStudy(modelPath, cache);
const folder = path.join('bench', 'confidence', 'results');
mkdirSync(folder, { recursive: true });
for (const [title, run] of Object.entries(STUDIES)) {
  if (name !== 'all' && name !== title) continue;
  const startMs = performance.now();
  const result = await run(study);
  const { name: model } = study.library.model.manifest;
  const text = JSON.stringify({ model, fittedOn: study.confidence.fittedOn, result }, undefined, 2);
  writeFileSync(path.join(folder, `${title}.json`), `${text}\n`);
  console.log(
    `${title} (${((performance.now() - startMs) / 1000).toFixed(0)} s)\n${JSON.stringify(result, undefined, 1)}`,
  );
}
await study.library.model.extractor.close();
