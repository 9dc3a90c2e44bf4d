/**
 * Runs the recognition table: the default model and the fixed filters by `vpr eval`, the peers by peers.py, the long
 * shortlists by distractors.ts; writes results.json, from which `npm run generate` makes the tables.
 *
 *   npm run build && node bench/peers/compare.mjs --data ../shared/data --python VENV/bin/python [--keep-peers]
 *
 * --keep-peers: takes the peers' lines from the committed results.json, as they do not depend on this repository's models.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const HERE = import.meta.dirname;
const ROOT = path.join(HERE, '..', '..');
const RESULTS = path.join(HERE, 'results.json');
const DEFAULT_MODEL = path.join(ROOT, 'models', 'default');
const vpr = path.join(ROOT, 'bin', 'vpr.mjs');

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: path.join(ROOT, '..', 'shared', 'data') },
    python: { type: 'string', default: 'python3' },
    'keep-peers': { type: 'boolean', default: false },
  },
});
const sets = path.join(values.data, 'sets');

function output(command, args) {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 26 });
}

/**
 * {set: {twoStage, exact, code: [R@1, R@5]}} of a model folder; shortlist max(10, 10 % of the references); codes: map, as
 * `vpr map build` fits them to the references, or model.
 */
function evaluate(model, codes) {
  return Object.fromEntries(
    readdirSync(sets).map((set) => {
      const references = readdirSync(path.join(sets, set, 'reference')).length;
      const shortlist = String(Math.max(10, Math.round(references / 10)));
      const options = ['--model', model, '--codes', codes, '--shortlist', shortlist, '--json'];
      const result = JSON.parse(output(process.execPath, [vpr, 'eval', path.join(sets, set), ...options]));
      const pair = (recall) => [recall['1'], recall['5']];
      const { recall, recallExact, recallHash } = result;
      return [set, { twoStage: pair(recall), exact: pair(recallExact), code: pair(recallHash) }];
    }),
  );
}

/** {peer: {set: [R@1, R@5]}} */
function peers() {
  const table = {};
  for (const line of output(values.python, [path.join(HERE, 'peers.py'), '--data', values.data]).split('\n')) {
    if (!line.startsWith('{')) continue;
    const { set, peer, r1, r5 } = JSON.parse(line);
    (table[peer] ??= {})[set] = [r1, r5];
  }
  return table;
}

/** Two-stage R@1 by shortlist, exact float search and code alone, with the pool's first 12,000 images as distractors. */
function amongDistractors() {
  const script = path.join(ROOT, 'dist', 'bench', 'peers', 'distractors.js');
  return JSON.parse(output(process.execPath, [script, sets, path.join(values.data, 'train-pool'), DEFAULT_MODEL]));
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'fixed-filters-'));
try {
  output(process.execPath, [vpr, 'model', 'build-default', '-o', folder]);
  const { name, files } = JSON.parse(readFileSync(path.join(DEFAULT_MODEL, 'model.json'), 'utf8'));
  const results = {
    model: { name, sha256: files.find((file) => file.name === 'model.onnx').sha256 },
    default: evaluate(DEFAULT_MODEL, 'map'),
    ownCodes: evaluate(DEFAULT_MODEL, 'model'),
    fixedFilters: evaluate(folder, 'map'),
    peers: values['keep-peers'] ? JSON.parse(readFileSync(RESULTS, 'utf8')).peers : peers(),
    distractors: amongDistractors(),
  };
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 1)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
