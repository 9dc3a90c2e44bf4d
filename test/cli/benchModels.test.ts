import { expect } from 'chai';
import type { ModelBenchRow } from '../../src/cli/commands/benchModels.js';
import { vpr } from './vpr.js';

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

  it('refuses names of no network, and counts that are none', () => {
    expect(vpr(['bench', 'models', 'resnet9000']).stderr).to.match(/Expected names of networks .*got 'resnet9000'/);
    for (const options of [['resnet9000'], ['gem', '--runs', '0'], ['gem', '--threads', '1.5']])
      expect(vpr(['bench', 'models', ...options]).status, options.join(' ')).to.equal(2);
  });
});
