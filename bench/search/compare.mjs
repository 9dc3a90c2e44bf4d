/**
 * Two-stage search against FAISS and NumPy, in turn on the same seeded arrays, and the table of README.md.
 *
 *   npm run build && node bench/search/compare.mjs [--rounds 25] [--seconds 0.05] [--sizes 10000,100000,1000000]
 *     [--dimensions 2048,4096] [--node24] [--write]
 *
 * Makes its own Python venv (and, with --node24, its own Node.js 24) under .cache/bench-search; nothing else is
 * installed. All that is compared is held ready in processes of their own, which take turns of a few hundredths of a second: other work on
 * the machine then hits all of them alike. Every figure is the median over the rounds of a turn's median, with the middle half of
 * the rounds; ratios are taken within a round.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { AnsweringProcess } from '../../dist/bench/AnsweringProcess.js';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.join(HERE, '..', '..');
const CACHE = path.join(ROOT, '.cache', 'bench-search');
const PYTHON = path.join(CACHE, 'venv', 'bin', 'python');
const README = path.join(ROOT, 'README.md');

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '25' },
    seconds: { type: 'string', default: '0.05' },
    sizes: { type: 'string', default: '10000,100000,1000000' },
    dimensions: { type: 'string', default: '2048,4096' },
    node24: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const STORAGES = ['f32', 'f16', 'int8'];
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const cores = os.availableParallelism();
/** Calls of a turn at least, so that its median is one. */
const LEAST_RUNS = 5;
/** Turns and calls for the 99th percentile; fewer where a call takes milliseconds. */
const TAIL_TURNS = 5;
const TAIL_RUNS = (n) => (n >= 1_000_000 ? 300 : 2000);

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
const openPeer = (folder) => AnsweringProcess.open(PYTHON, [path.join(HERE, 'peer.py'), 'serve', folder]);
const openOurs = (node, folder, options) =>
  AnsweringProcess.open(node.binary, [path.join(HERE, 'searchProcess.mjs'), folder, JSON.stringify(options)]);

/** What `vpr bench search` finds in the folder's arrays, compared with FAISS and NumPy. Returns the number of answers. */
function check(node, folder, threads) {
  const file = (name) => path.join(folder, `${name}.npy`);
  const rows = existsSync(file('descriptors'))
    ? ['--descriptors', file('descriptors'), '--query-descriptors', file('query_descriptors')]
    : [];
  const arrays = ['--codes', file('codes'), '--queries', file('queries'), ...rows];
  const out = path.join(folder, 'out');
  const options = ['-k', '100', '--seconds', '0', '--threads', String(threads), '--out', out, '--json'];
  run(node.binary, [path.join(ROOT, 'bin', 'vpr.mjs'), 'bench', 'search', ...arrays, ...options]);
  return peer('check', folder, '--out', out).queries;
}

const quantile = (list, q) => [...list].sort((a, b) => a - b)[Math.round(q * (list.length - 1))];
const median = (list) => quantile(list, 0.5);
const digits = (ms) => (ms >= 10 ? ms.toFixed(1) : ms >= 1 ? ms.toFixed(2) : ms.toFixed(3));
/** Median (middle half). */
const spread = (list, text) => `${text(median(list))} (${text(quantile(list, 0.25))}-${text(quantile(list, 0.75))})`;
const cell = (list) => spread(list, digits);
const ratio = (peers, own) =>
  spread(
    peers.map((ms, i) => ms / own[i]),
    (value) => value.toFixed(2),
  );

/** Cells, { process, what, ms: [] }, take turns; each goes first in its turn. */
async function takeTurns(title, cells) {
  for (let round = 0; round < rounds; round++) {
    if (round % 5 === 0) note(`${title}, round ${round + 1} of ${rounds}`);
    for (let i = 0; i < cells.length; i++) {
      const { process, what, ms } = cells[(round + i) % cells.length];
      ms.push((await process.ask({ what, seconds, runs: LEAST_RUNS })).medianMs);
    }
  }
}

/** p99/p50 of many calls in a row, median of some turns. */
async function tailOf(process, what, n) {
  const ratios = [];
  for (let turn = 0; turn < TAIL_TURNS; turn++) {
    const { medianMs, p99Ms } = await process.ask({ what, seconds: 0, runs: TAIL_RUNS(n) });
    ratios.push(p99Ms / medianMs);
  }
  return median(ratios).toFixed(1);
}

async function inFolder(make, use) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-bench-search-'));
  const opened = [];
  const keep = async (process) => {
    opened.push(await process);
    return opened.at(-1);
  };
  try {
    peer('make', folder, ...make);
    return await use(folder, keep);
  } finally {
    for (const process of opened) process.close();
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
  return inFolder(['--n', n, '--queries', 100], async (folder, keep) => {
    const faiss = { process: await keep(openPeer(folder)), what: 'prefilter', ms: [] };
    const { faiss: version, faissOptions, numpy } = faiss.process.about;
    peerVersion = `FAISS ${version} (${faissOptions}), NumPy ${numpy}`;
    const own = [];
    for (const node of nodes) {
      const one = await keep(openOurs(node, folder, { threads: 1 }));
      const all = await keep(openOurs(node, folder, { threads: cores }));
      own.push({
        node,
        one: { process: one, what: 'prefilter', ms: [] },
        all: { process: all, what: 'prefilter', ms: [] },
        batch: { process: one, what: 'batch', ms: [] },
      });
    }
    await takeTurns(`prefilter, ${n} codes`, [faiss, ...own.flatMap(({ one, all, batch }) => [one, all, batch])]);
    const faissTail = await tailOf(faiss.process, 'prefilter', n);
    const rows = [];
    for (const { node, one, all, batch } of own) {
      const name = `${n.toLocaleString('en')} | ${node.name}, ${one.process.about.kernel}`;
      const times = [one.ms, all.ms, batch.ms, faiss.ms].map(cell).join(' | ');
      const ratios = `${ratio(faiss.ms, one.ms)} | ${ratio(faiss.ms, all.ms)} | ${ratio(one.ms, all.ms)}`;
      rows.push(`| ${name} | ${times} | ${ratios} | ${await tailOf(one.process, 'prefilter', n)}, ${faissTail} |`);
      checked += check(node, folder, cores);
    }
    if (n >= 1_000_000) streams.push(peer('stream', folder).GBs);
    return rows;
  });
}

/** One row per Node.js and storage of the float rows. */
function twoStageRows(n, dimension) {
  return inFolder(['--n', n, '--queries', 100, '--dimension', dimension], async (folder, keep) => {
    const python = await keep(openPeer(folder));
    const peers = { process: python, what: 'twoStage', ms: [] };
    const exact = { process: python, what: 'exact', ms: [] };
    const ways = [];
    for (const node of nodes)
      for (const cacheStorage of STORAGES) {
        const options = { threads: 1, cacheStorage };
        const warm = await keep(openOurs(node, folder, { ...options, cacheBytes: 2 ** 30 }));
        const cold = await keep(openOurs(node, folder, { ...options, cacheBytes: 0 }));
        const cells = [warm, cold].map((process) => ({ process, what: 'twoStage', ms: [] }));
        ways.push({ node, cacheStorage, warm: cells[0], cold: cells[1] });
      }
    const cells = ways.flatMap(({ warm, cold }) => [warm, cold]);
    await takeTurns(`two stages, ${n} x ${dimension}`, [peers, exact, ...cells]);
    const peersTail = await tailOf(python, 'twoStage', n);
    const rows = [];
    for (const { node, cacheStorage, warm, cold } of ways) {
      const name = `${n.toLocaleString('en')} x ${dimension} | ${node.name}, ${cacheStorage}`;
      const times = [warm.ms, cold.ms, peers.ms, exact.ms].map(cell).join(' | ');
      const ratios = `${ratio(peers.ms, warm.ms)} | ${ratio(exact.ms, warm.ms)}`;
      rows.push(`| ${name} | ${times} | ${ratios} | ${await tailOf(warm.process, 'twoStage', n)}, ${peersTail} |`);
    }
    for (const node of nodes) checked += check(node, folder, 1);
    return rows;
  });
}

lines.push(
  'Hamming prefilter, top 100 of 512-bit codes, milliseconds a query (median, middle half of the rounds):',
  '',
  `| codes | engine, kernel | 1 thread | ${cores} threads | a query of 8 | FAISS IndexBinaryFlat, 1 thread | FAISS / 1 thread | FAISS / ${cores} threads | 1 thread / ${cores} threads | p99/p50, ours, FAISS |`,
  '| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
);
for (const n of values.sizes.split(',').filter(Boolean).map(Number)) lines.push(...(await prefilterRows(n)));
lines.push(
  '',
  'Two stages on one thread (prefilter, then float re-rank of 100), milliseconds a query; cold: every row read from a file:',
  '',
  '| references | engine, rows | warm | cold | FAISS binary + NumPy re-rank | FAISS IndexFlatIP (exact) | FAISS + NumPy / warm | exact / warm | p99/p50, ours, FAISS + NumPy |',
  '| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
);
for (const dimension of values.dimensions.split(',').filter(Boolean).map(Number))
  lines.push(...(await twoStageRows(10_000, dimension)));
const bandwidth =
  streams.length > 0 ? ` One thread reads ${median(streams).toFixed(1)} GB/s of codes (NumPy max).` : '';
lines.push(
  '',
  `${os.cpus()[0].model}, ${cores} cores, load ${os.loadavg()[0].toFixed(1)} (cores in use while measuring); ${peerVersion};` +
    ` ${rounds} rounds of turns of ${seconds} s.${bandwidth} ${checked} answers were compared with FAISS and NumPy: all exact.` +
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
