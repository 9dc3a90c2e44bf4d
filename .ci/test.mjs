/**
 * Runs the tests: formatting, lint and generated files beside mocha, then mocha against the live node where there is a ROS.
 * Ends with one line 'N passed, N failed'; --long runs the soaks, fuzzing and endurance instead.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');
const LONG = process.argv.includes('--long');
const SPECS = ['unit', 'conformance', 'cli'].map((name) => `dist/test/${name}/**/*.test.js`);
const ROS_SPECS = ['dist/test/ros/**/*.test.js'];
const LONG_SPECS = ['dist/test/**/*.long.js'];

/** Variables that `.ci/ros2-from-pip.sh` left for a process that uses ROS; empty where there is none. */
function rosEnvironment() {
  const script = path.join(ROOT, '.ci/ros2-from-pip.sh');
  if (!existsSync(script)) return {};
  const printed = spawnSync('bash', [script, '--print-env'], { cwd: ROOT, encoding: 'utf8' });
  if (printed.status !== 0) return {};
  return Object.fromEntries(
    printed.stdout
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

let passed = 0;
let failed = 0;
let skipped = 0;

/** Runs a program; its output goes through as it comes, or in one piece at its end. Resolves to its exit code or signal. */
function run(command, args, { env = process.env, inOnePiece = false } = {}) {
  const child = spawn(command, args, {
    cwd: ROOT,
    env,
    stdio: ['ignore', ...Array(2).fill(inOnePiece ? 'pipe' : 'inherit')],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (output += text));
  return new Promise((resolve) =>
    child.on('close', (code, signal) => {
      process.stdout.write(output);
      resolve(code ?? signal);
    }),
  );
}

async function check(name, command, args) {
  const startedMs = Date.now();
  const ok = (await run(command, args, { inOnePiece: true })) === 0;
  if (ok) passed++;
  else failed++;
  process.stdout.write(`${ok ? 'ok' : 'FAILED'}  ${name} (${((Date.now() - startedMs) / 1000).toFixed(1)} s)\n`);
}

async function checks() {
  const bin = (name) => path.join(ROOT, 'node_modules/.bin', name);
  await check('lint and import directions', bin('eslint'), ['.']);
  await check('formatting', bin('prettier'), ['--check', '--log-level', 'warn', '.']);
  await check('generated files equal their sources', process.execPath, ['.ci/generated.mjs', '--check']);
  if (process.env.VPR_COLCON === '1')
    await check('colcon builds a clean clone, and what it installs runs', 'bash', ['.ci/colcon-build.sh']);
}

async function mocha(specs) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-test-'));
  const report = path.join(folder, 'mocha.json');
  const status = await run(
    process.execPath,
    [
      path.join(ROOT, 'node_modules/mocha/bin/mocha.js'),
      '--no-config',
      '--reporter',
      path.join(ROOT, '.ci/reporter.cjs'),
      '--reporter-option',
      `file=${report}`,
      '--timeout',
      '60000',
      '--forbid-only',
      '--exit',
      ...specs.flatMap((spec) => ['--spec', spec]),
    ],
    { env: { ...process.env, ...rosEnvironment() } },
  );
  if (existsSync(report)) {
    const stats = JSON.parse(readFileSync(report, 'utf8'));
    passed += stats.passes;
    failed += stats.failures;
    skipped += stats.pending;
    if (status !== 0 && stats.failures === 0) failed++;
  } else {
    process.stdout.write(`FAILED  mocha ended with ${status} before its report was written\n`);
    failed++;
  }
  rmSync(folder, { recursive: true, force: true });
}

if (LONG) {
  await mocha(LONG_SPECS);
} else {
  // The tests of the live node look at its delays: they have the machine for themselves.
  await Promise.all([checks(), mocha(SPECS)]);
  await mocha(ROS_SPECS);
}
if (skipped > 0) process.stdout.write(`${skipped} skipped, each named above with its reason\n`);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
