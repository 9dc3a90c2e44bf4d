import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import type { ModelBenchRow } from '../../src/cli/commands/benchModels.js';
import { vpr } from './vpr.js';

/** False also of a process that is dead and that nobody has asked for its end yet. */
function isRunning(pid: string): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('vpr bench models', function () {
  this.timeout(120_000);

  it('measures a network on random weights in a process of its own', () => {
    const { status, stdout, stderr } = vpr(['bench', 'models', 'gem', '--runs', '2', '--threads', '1', '--json']);
    expect(status, stderr).to.equal(0);
    const [row, ...more] = JSON.parse(stdout) as ModelBenchRow[];
    expect(more).to.deep.equal([]);
    expect(row).to.include({
      name: 'gem',
      threads: 1,
      runs: 2,
      input: '320 x 320',
      descriptorDimension: 2048,
      descriptorBytes: 8192,
    });
    expect(row!.minMs).to.be.above(0).and.at.most(row!.medianMs);
    expect(row!.maxMs).to.be.at.least(row!.medianMs);
    expect(row!.medianCpuMs).to.be.above(1);
    // Its 23.6 M weights at least, and not those of this process.
    expect(row!.peakResidentMiB).to.be.within(90, 1000);
  });

  it('leaves no files and no process behind when it is ended', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-bench-ended-'));
    try {
      const args = ['bin/vpr.mjs', 'bench', 'models', 'gem', '--runs', '1000000'];
      const bench = spawn(process.execPath, args, { stdio: 'ignore', env: { ...process.env, TMPDIR: folder } });
      const ended = once(bench, 'exit');
      const childrenOf = (pid: number): string[] =>
        readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
      while (childrenOf(bench.pid!).length === 0) await setTimeout(20);
      const [child] = childrenOf(bench.pid!);
      expect(readdirSync(folder)).to.have.length(1);
      bench.kill('SIGTERM');
      expect(await ended).to.deep.equal([null, 'SIGTERM']);
      expect(readdirSync(folder)).to.deep.equal([]);
      while (isRunning(child!)) await setTimeout(20);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('refuses names of no network, and counts that are none', () => {
    expect(vpr(['bench', 'models', 'resnet9000']).stderr).to.match(/Expected names of networks .*got 'resnet9000'/);
    for (const options of [['resnet9000'], ['gem', '--runs', '0'], ['gem', '--threads', '1.5']])
      expect(vpr(['bench', 'models', ...options]).status, options.join(' ')).to.equal(2);
  });
});
