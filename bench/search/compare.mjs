/**
 * Two-stage search against FAISS and NumPy, in turn on the same seeded arrays, and the table of README.md.
 *
 *   npm run build && node bench/search/compare.mjs [--rounds 3] [--seconds 1] [--sizes 10000,100000,1000000]
 *     [--dimensions 2048,4096] [--node24] [--write]
 *
 * Makes its own Python venv (and, with --node24, its own Node.js 24) under .cache/bench-search; nothing else is
 * installed. Every figure is the median over rounds of a round's median; the spread is the least and the greatest of
 * those; ratios are taken within a round, as the machine may be busy with other things.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.join(HERE, '..', '..');
const CACHE = path.join(ROOT, '.cache', 'bench-search');
const PYTHON = path.join(CACHE, 'venv', 'bin', 'python');
const README = path.join(ROOT, 'README.md');

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '1' },
    sizes: { type: 'string', default: '10000,100000,1000000' },
    dimensions: { type: 'string', default: '2048,4096' },
    node24: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const STORAGES = ['f32', 'f16', 'int8'];
const rounds = Number(values.rounds);
const cores = os.availableParallelism();

function run(command, args) {
  const text = execFileSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  });
  const last = text.trim().split('\n').at(-1);
  return last.startsWith('{') ? JSON.parse(last) : {};
}

function setUp() {
  mkdirSync(CACHE, { recursive: true });
  if (!existsSync(PYTHON)) execFileSync('python3', ['-m', 'venv', path.join(CACHE, 'venv')], { stdio: 'inherit' });
  run(PYTHON, ['-m', 'pip', 'install', '-q', '-r', path.join(HERE, 'requirements.txt')]);
  const nodes = [process.execPath];
  if (values.node24) {
    const folder = path.join(CACHE, 'node24');
    const binary = path.join(folder, 'node_modules', 'node', 'bin', 'node');
    if (!existsSync(binary)) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(path.join(folder, 'package.json'), '{"private":true,"allowScripts":{"node":true}}');
      execFileSync('npm', ['install', '--no-audit', '--no-fund', 'node@24'], { cwd: folder, stdio: 'inherit' });
    }
    nodes.push(binary);
  }
  return nodes.map((binary) => ({
    binary,
    name: `Node ${execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim().slice(1)}`,
  }));
}

const peer = (action, folder, ...rest) =>
  run(PYTHON, [path.join(HERE, 'peer.py'), action, folder, ...rest.map(String)]);
const ours = (node, folder, ...rest) => {
  const file = (name) => path.join(folder, `${name}.npy`);
  const rows = existsSync(file('descriptors'))
    ? ['--descriptors', file('descriptors'), '--query-descriptors', file('query_descriptors')]
    : [];
  const arrays = ['--codes', file('codes'), '--queries', file('queries'), ...rows];
  return run(node.binary, [
    path.join(ROOT, 'bin', 'vpr.mjs'),
    'bench',
    'search',
    ...arrays,
    '-k',
    '100',
    '--seconds',
    values.seconds,
    '--json',
    ...rest.map(String),
  ]);
};

const median = (list) => {
  const sorted = [...list].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};
const digits = (ms) => (ms >= 10 ? ms.toFixed(1) : ms >= 1 ? ms.toFixed(2) : ms.toFixed(3));
/** median (least...greatest) */
const cell = (list) => `${digits(median(list))} (${digits(Math.min(...list))}-${digits(Math.max(...list))})`;
const ratio = (peers, own) => `${median(peers.map((ms, i) => ms / own[i])).toFixed(2)}x`;

function inFolder(make, use) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-bench-search-'));
  try {
    peer('make', folder, ...make);
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const nodes = setUp();
const note = (text) => process.stderr.write(`${text}\n`);
const lines = [];
let checked = 0;
let peerVersion = '';
const streams = [];

/** One row per Node.js: its own figures beside the peers', all of the same rounds. */
function prefilterRows(n) {
  return inFolder(['--n', n, '--queries', 100], (folder) => {
    const peers = [];
    const own = nodes.map(() => ({ one: [], all: [], p99: [], batch: [], kernel: '' }));
    for (let round = 0; round < rounds; round++) {
      note(`prefilter, ${n} codes, round ${round + 1} of ${rounds}`);
      const timed = peer('time', folder, '--seconds', values.seconds);
      peerVersion = `FAISS ${timed.faiss} (${timed.faissOptions}), NumPy ${timed.numpy}`;
      peers.push(timed.prefilter.medianMs);
      nodes.forEach((node, i) => {
        const one = ours(node, folder, '--threads', 1, '--batch', 8);
        own[i].one.push(one.prefilter.medianMs);
        own[i].p99.push(one.prefilter.p99Ms / one.prefilter.medianMs);
        own[i].batch.push(one.batch.medianMsAQuery);
        own[i].kernel = one.kernel;
        own[i].all.push(ours(node, folder, '--threads', cores).prefilter.medianMs);
      });
      if (n >= 1_000_000) streams.push(peer('stream', folder).GBs);
    }
    nodes.forEach((node) => {
      const out = path.join(folder, 'out');
      ours(node, folder, '--threads', cores, '--seconds', 0, '--out', out);
      checked += peer('check', folder, '--out', out).queries;
    });
    return nodes.map((node, i) => {
      const { one, all, batch, kernel, p99 } = own[i];
      return `| ${n.toLocaleString('en')} | ${node.name}, ${kernel} | ${cell(one)} | ${cell(all)} | ${digits(median(batch))} | ${cell(peers)} | ${ratio(peers, one)} | ${ratio(peers, all)} | ${median(p99).toFixed(1)} |`;
    });
  });
}

/** One row per Node.js and storage of the float rows. */
function twoStageRows(n, dimension) {
  return inFolder(['--n', n, '--queries', 100, '--dimension', dimension], (folder) => {
    const [peers, exact] = [[], []];
    const ways = nodes.flatMap((node) =>
      STORAGES.map((storage) => ({
        node,
        storage,
        options: ['--threads', 1, '--storage', storage],
        warm: [],
        cold: [],
      })),
    );
    for (let round = 0; round < rounds; round++) {
      note(`two stages, ${n} x ${dimension}, round ${round + 1} of ${rounds}`);
      const timed = peer('time', folder, '--seconds', values.seconds);
      peers.push(timed.twoStage.medianMs);
      exact.push(timed.exact.medianMs);
      for (const { node, options, warm, cold } of ways) {
        warm.push(ours(node, folder, ...options).twoStage.medianMs);
        cold.push(ours(node, folder, ...options, '--cache-mb', 0).twoStage.medianMs);
      }
    }
    nodes.forEach((node) => {
      const out = path.join(folder, 'out');
      ours(node, folder, '--seconds', 0, '--out', out);
      checked += peer('check', folder, '--out', out).queries;
    });
    return ways.map(
      ({ node, storage, warm, cold }) =>
        `| ${n.toLocaleString('en')} x ${dimension} | ${node.name}, ${storage} | ${cell(warm)} | ${cell(cold)} | ${cell(peers)} | ${cell(exact)} | ${ratio(peers, warm)} | ${ratio(exact, warm)} |`,
    );
  });
}

lines.push(
  'Hamming prefilter, top 100 of 512-bit codes, milliseconds a query (median, least-greatest of the rounds):',
  '',
  `| codes | engine, kernel | 1 thread | ${cores} threads | a query of 8 | FAISS IndexBinaryFlat, 1 thread | 1 thread against FAISS | ${cores} threads against FAISS | p99/p50 |`,
  '| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
);
for (const n of values.sizes.split(',').map(Number)) lines.push(...prefilterRows(n));
lines.push(
  '',
  'Two stages on one thread (prefilter, then float re-rank of 100), milliseconds a query; cold: every row read from a file:',
  '',
  '| references | engine, rows | warm | cold | FAISS binary + NumPy re-rank | FAISS IndexFlatIP (exact) | against FAISS + NumPy | against exact |',
  '| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |',
);
for (const dimension of values.dimensions.split(',').filter(Boolean).map(Number))
  lines.push(...twoStageRows(10_000, dimension));
const bandwidth =
  streams.length > 0 ? ` One thread reads ${median(streams).toFixed(1)} GB/s of codes (NumPy max).` : '';
lines.push(
  '',
  `${os.cpus()[0].model}, ${cores} cores, load ${os.loadavg()[0].toFixed(1)} (cores in use while measuring); ${peerVersion};` +
    ` ${rounds} rounds.${bandwidth} ${checked} answers were compared with FAISS and NumPy: all exact.` +
    ' Made by `node bench/search/compare.mjs --node24 --write`.',
);

const table = lines.join('\n');
process.stdout.write(`${table}\n`);
if (values.write) {
  const text = readFileSync(README, 'utf8');
  const marked = /<!-- bench:search -->[\s\S]*<!-- \/bench:search -->/;
  if (!marked.test(text)) throw new Error('README.md has no <!-- bench:search --> markers');
  writeFileSync(
    README,
    text.replace(marked, () => `<!-- bench:search -->\n${table}\n<!-- /bench:search -->`),
  );
}
