import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';

/** Says how it was called, and leaves a compiler that makes the file that a build makes. */
const NPM = `#!/bin/sh
echo "$@" >> npm.log
mkdir -p node_modules/typescript/bin
cat > node_modules/typescript/bin/tsc <<'END'
const fs = require('node:fs');
fs.mkdirSync('dist/src/cli', { recursive: true });
fs.writeFileSync('dist/src/cli/main.js', '');
END
`;

const OTHER_ENGINE = "data:text/javascript,Object.defineProperty(process, 'arch', { value: 'another' })";

describe('.ci/setup.mjs', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'vpr-setup-'));
    for (const folder of ['.ci', 'bin']) mkdirSync(path.join(root, folder));
    copyFileSync('.ci/setup.mjs', path.join(root, '.ci/setup.mjs'));
    for (const name of ['package.json', 'package-lock.json', '.npmrc']) copyFileSync(name, path.join(root, name));
    writeFileSync(path.join(root, 'bin/npm'), NPM);
    chmodSync(path.join(root, 'bin/npm'), 0o755);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const setUp = (...options: string[]): readonly string[] => {
    const { status, stderr } = spawnSync(process.execPath, [...options, path.join(root, '.ci/setup.mjs')], {
      env: { ...process.env, NODE_ENV: 'production', PATH: `${root}/bin:${process.env['PATH']}` },
      encoding: 'utf8',
    });
    expect(status, stderr).to.equal(0);
    expect(existsSync(path.join(root, 'dist/src/cli/main.js'))).to.equal(true);
    return readFileSync(path.join(root, 'npm.log'), 'utf8').trim().split('\n');
  };

  it('installs the compiler whatever NODE_ENV says, once', () => {
    expect(setUp()[0]).to.match(/^ci --include=dev /);
    expect(setUp()).to.have.length(1);
  });

  it('installs the packages again for another engine', () => {
    setUp();
    expect(setUp('--import', OTHER_ENGINE)).to.have.length(2);
    expect(setUp('--import', OTHER_ENGINE)).to.have.length(2);
    expect(setUp()).to.have.length(3);
  });
});
