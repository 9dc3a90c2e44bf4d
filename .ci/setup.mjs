/**
 * Makes a bare clone ready: npm packages, compiled TypeScript and, with --ros, a ROS 2 for the tests.
 * Says each thing that it does; a step whose inputs have not changed since it last succeeded is left out.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');
const LEAST_NODE = [20, 20];

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

/** node-gyp downloads Node's headers unless it is told of those that came with this Node. */
function localHeaders() {
  const prefix = path.resolve(process.execPath, '../..');
  return existsSync(path.join(prefix, 'include/node/node_version.h')) ? { npm_config_nodedir: prefix } : {};
}

function run(command, args, what) {
  // Where a native package has no prebuilt binary for this system, node-gyp compiles it: on all cores, and with -O2,
  // which SQLite recommends and which takes half as long as the package's -O3.
  const env = { JOBS: 'max', CFLAGS: '-O2', CXXFLAGS: '-O2', ...localHeaders(), ...process.env };
  const result = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2], env });
  if (result.status !== 0) {
    say(`${what} failed: '${command} ${args.join(' ')}' ended with ${result.status ?? result.signal ?? result.error}`);
    process.exit(1);
  }
}

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

/** What a native module must have been made for. */
const ENGINE = `${process.versions.modules} ${process.platform} ${process.arch}`;

/** A digest of the engine, and of file contents (small files) or sizes and times (source trees, where reading all would cost more than it saves). */
function digestOf(files, byContent) {
  const hash = createHash('sha256');
  hash.update(`${ENGINE}\0`);
  for (const file of files) {
    hash.update(`${path.relative(ROOT, file)}\0`);
    if (byContent) hash.update(readFileSync(file));
    else {
      const { size, mtimeMs } = statSync(file);
      hash.update(`${size} ${mtimeMs}\0`);
    }
  }
  return hash.digest('hex');
}

function step({ name, stamp, files, byContent, product, message, action }) {
  const stampFile = path.join(ROOT, stamp);
  const digest = digestOf(files, byContent);
  if (existsSync(path.join(ROOT, product)) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === digest)
    return;
  say(message);
  const startedMs = Date.now();
  action();
  mkdirSync(path.dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, digest);
  say(`${name} done in ${((Date.now() - startedMs) / 1000).toFixed(0)} s`);
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1])) {
  say(`Expected Node ${LEAST_NODE.join('.')} or newer, got ${process.versions.node}`);
  process.exit(1);
}

step({
  name: 'npm packages',
  stamp: 'node_modules/.setup-stamp',
  files: ['package.json', 'package-lock.json', '.npmrc'].map((name) => path.join(ROOT, name)),
  byContent: true,
  product: 'node_modules/typescript',
  message: 'installing npm packages (a minute; longer where better-sqlite3 has no prebuilt binary and must compile)',
  // With NODE_ENV=production npm would leave the compiler out.
  action: () => run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], 'npm ci'),
});

step({
  name: 'TypeScript',
  stamp: 'dist/.setup-stamp',
  files: ['src', 'test', 'bench'].flatMap((name) => filesBelow(path.join(ROOT, name))).filter((f) => f.endsWith('.ts')),
  byContent: false,
  product: 'dist/src/cli/main.js',
  message: 'compiling TypeScript',
  action: () => run(process.execPath, ['node_modules/typescript/bin/tsc'], 'tsc'),
});

if (process.argv.includes('--ros')) {
  const script = path.join(ROOT, '.ci/ros2-from-pip.sh');
  const result = spawnSync('bash', [script], { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (result.status !== 0) {
    say(`no ROS 2 for the tests: ${path.basename(script)} ended with ${result.status ?? result.signal}`);
    if (process.env.VPR_REQUIRE_ROS === '1') process.exit(1);
  }
}
