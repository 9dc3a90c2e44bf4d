/** The tables that are made of results.json and the default model's provenance. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..', '..');

/** As the README of the shared data states them, for comparison with the peers as implemented here: R@1, R@5. */
const STATED = {
  'A, as stated (pixels)': {
    'nordland-seasons': [0.316, 0.524],
    'corridor-indoor': [0.369, 0.604],
    'gardens-point-lateral': [0.345, 0.645],
    'rtabmap-indoor-loop': [0.389, 0.667],
  },
  'B, as stated (SqueezeNet)': {
    'nordland-seasons': [0.16, 0.33],
    'corridor-indoor': [0.847, 0.973],
    'gardens-point-lateral': [0.84, 0.98],
    'rtabmap-indoor-loop': [0.944, 1],
  },
  'C, as stated (EfficientNet-Lite0)': {
    'nordland-seasons': [0.338, 0.548],
    'corridor-indoor': [0.766, 0.955],
    'gardens-point-lateral': [0.81, 0.97],
    'rtabmap-indoor-loop': [0.944, 0.972],
  },
};
const PEER_NAMES = {
  pixels: 'patch-normalised pixels',
  hog: 'HOG',
  'orb-bow': 'ORB bag of words',
  squeezenet: 'SqueezeNet',
  'efficientnet-lite0': 'EfficientNet-Lite0',
};
const SETS = Object.keys(STATED['A, as stated (pixels)']);

const readJson = (...parts) => JSON.parse(readFileSync(path.join(ROOT, ...parts), 'utf8'));
const short = (value) => (value >= 1 ? '1.0' : value.toFixed(3).replace(/^0/, ''));
const pair = ([r1, r5]) => `${short(r1)} / ${short(r5)}`;
const row = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');

/** R@1 / R@5 on the shared sets: default model, fixed filters, peers. */
export function recognitionTable() {
  const results = readJson('bench', 'peers', 'results.json');
  const { name, files } = readJson('models', 'default', 'model.json');
  if (!files.some(({ sha256 }) => sha256 === results.model.sha256))
    throw new Error('bench/peers/results.json is of another model than models/default: run bench/peers/compare.mjs');
  const of = (bySet) => SETS.map((set) => pair(bySet[set]));
  const stage = (bySet, key) => SETS.map((set) => pair(bySet[set][key]));
  return table(
    ['descriptor', ...SETS],
    [
      [`**${name}**, two stages`, ...stage(results.default, 'twoStage')],
      ['exact float search', ...stage(results.default, 'exact')],
      ['code alone', ...stage(results.default, 'code')],
      ["two stages, the model's own codes", ...stage(results.ownCodes, 'twoStage')],
      ["code alone, the model's own", ...stage(results.ownCodes, 'code')],
      ['fixed filters, two stages', ...stage(results.fixedFilters, 'twoStage')],
      ...Object.entries(results.peers).map(([peer, bySet]) => [PEER_NAMES[peer], ...of(bySet)]),
      ...Object.entries(STATED).map(([peer, bySet]) => [peer, ...of(bySet)]),
    ],
  );
}

/** Two-stage R@1 by shortlist with the pool's images among the references. */
export function shortlistTable() {
  const { distractors } = readJson('bench', 'peers', 'results.json');
  const lists = [10, 20, 50, 100, 200];
  return table(
    ['set', 'codes', ...lists.map(String), 'exact float', 'code'],
    distractors.map(({ set, codes, twoStage, exact, code }) => [
      set,
      codes === 'map' ? 'fitted to the map' : "the model's own",
      ...lists.map((length) => short(twoStage[length])),
      short(exact),
      short(code),
    ]),
  );
}

/** R@1 on the held-out part of the training pool, and the code alone under each binarizer. */
export function heldOutTable() {
  const { heldOutRecallAt1: heldOut } = readJson('models', 'default', 'model.json').provenance;
  return table(
    ['set', 'float', 'code', 'two stages'],
    Object.entries(heldOut).map(([set, r]) => [set, short(r.float), short(r.code), short(r.twoStage)]),
  );
}

/** Code-only R@1 on the held-out part under each binarizer; the triples of `tried` are float, code, two-stage R@1. */
export function hashTable() {
  const { codeHead, tried } = readJson('models', 'default', 'model.json').provenance.heads;
  const sets = Object.keys(Object.values(tried.code)[0]);
  return table(
    ['code', ...sets, 'mean, two stages'],
    Object.entries(tried.code).map(([name, bySet]) => [
      name === codeHead ? `${name} (shipped)` : name,
      ...sets.map((set) => short(bySet[set][1])),
      short(bySet.mean[2]),
    ]),
  );
}

/** The code under domain shift: models/training/domain_shift.json; groups without labels show only what the shortlist keeps. */
export function domainShiftTable() {
  const shift = readJson('models', 'training', 'domain_shift.json');
  const groups = Object.keys(Object.values(shift)[0]).filter((name) => name !== 'mean');
  const percent = (value) => (100 * value).toFixed(1);
  return table(
    ['code', 'code R@1', 'loss, mean', 'loss, worst group', ...groups.map((group) => `kept, ${group}`), 'kept, mean'],
    Object.entries(shift).map(([name, { mean, ...byGroup }]) => [
      name,
      short(mean.code),
      percent(mean.loss),
      percent(mean.worstLoss),
      ...groups.map((group) => percent(byGroup[group].kept)),
      percent(mean.kept),
    ]),
  );
}

/** Short schedules of models/training/ablation.json: what the groups and the seed change on the held-out part. */
export function ablationTable() {
  const runs = readJson('models', 'training', 'ablation.json');
  const sets = Object.keys(runs[0].heldOut);
  return table(
    ['trained on', 'seed', ...sets],
    runs.map(({ name, seed, heldOut }) => [name, String(seed), ...sets.map((set) => short(heldOut[set]))]),
  );
}

/** Two-stage R@1 on the held-out part of each trunk alone (models/training/trunks.json) and of the shipped model. */
export function trunksTable() {
  const { heldOutRecallAt1 } = readJson('models', 'default', 'model.json').provenance;
  const sets = Object.keys(heldOutRecallAt1);
  const row = (name, seeds, steps, heldOut) => [name, seeds, steps, ...sets.map((set) => short(heldOut[set].twoStage))];
  return table(
    ['trunk', 'seeds of its phases', 'steps', ...sets],
    [
      ...readJson('models', 'training', 'trunks.json').map(({ name, seeds, steps, heldOut }) =>
        row(name, seeds.join(', '), steps.join(' + '), heldOut),
      ),
      row('both (shipped)', '', '', heldOutRecallAt1),
    ],
  );
}

/** R@1 of views of held-out images: models/training/held_out_views.json. */
export function heldOutViewsTable() {
  const networks = readJson('models', 'training', 'held_out_views.json');
  const sets = Object.keys(Object.values(networks)[0]).filter((set) => set !== 'mean');
  return table(
    ['network', ...sets, 'mean', 'mean, code', 'mean, two stages'],
    Object.entries(networks).map(([name, bySet]) => [
      name,
      ...sets.map((set) => short(bySet[set].float)),
      ...['float', 'code', 'twoStage'].map((stage) => short(bySet.mean[stage])),
    ]),
  );
}
