/**
 * Runs the tests: formatting, lint and generated files first, then mocha under the ROS environment where there is one.
 * Ends with one line 'N passed, N failed'; --long runs the soaks, fuzzing and endurance instead.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');
const LONG = process.argv.includes('--long');
const SHORT_SPECS = ['unit', 'conformance', 'cli', 'ros'].map((name) => `dist/test/${name}/**/*.test.js`);
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

function check(name, command, args) {
  const startedMs = Date.now();
  const result = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  const ok = result.status === 0;
  if (ok) passed++;
  else failed++;
  process.stdout.write(`${ok ? 'ok' : 'FAILED'}  ${name} (${((Date.now() - startedMs) / 1000).toFixed(1)} s)\n`);
}

const bin = (name) => path.join(ROOT, 'node_modules/.bin', name);
if (!LONG) {
  check('lint and import directions', bin('eslint'), ['.']);
  check('formatting', bin('prettier'), ['--check', '--log-level', 'warn', '.']);
  check('generated files equal their sources', process.execPath, ['.ci/generated.mjs', '--check']);
  if (process.env.VPR_COLCON === '1')
    check('colcon builds a clean clone, and what it installs runs', 'bash', ['.ci/colcon-build.sh']);
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-test-'));
const report = path.join(folder, 'mocha.json');
const specs = (LONG ? LONG_SPECS : SHORT_SPECS).flatMap((spec) => ['--spec', spec]);
const mocha = spawnSync(
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
    ...specs,
  ],
  { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...rosEnvironment() } },
);
if (existsSync(report)) {
  const stats = JSON.parse(readFileSync(report, 'utf8'));
  passed += stats.passes;
  failed += stats.failures;
  skipped += stats.pending;
} else {
  process.stdout.write(`FAILED  mocha ended with ${mocha.status ?? mocha.signal} before its report was written\n`);
  failed++;
}
if (mocha.status !== 0 && failed === 0) failed++;
rmSync(folder, { recursive: true, force: true });
if (skipped > 0) process.stdout.write(`${skipped} skipped, each named above with its reason\n`);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
