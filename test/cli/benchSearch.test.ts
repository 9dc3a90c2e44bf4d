import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readNpy, writeNpy } from '../../src/core/npy.js';
import { nearestByOracle } from '../unit/search/codeMaps.js';
import { uniformNumbers } from '../../src/core/mulberry32.js';
import { randomBytes, randomDescriptors } from '../unit/search/randomRows.js';

const VPR = path.resolve('bin/vpr.mjs');
const [N, Q, D, K] = [700, 6, 40, 20];

function benchSearch(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [VPR, 'bench', 'search', ...args, '--seconds', '0'], { encoding: 'utf8' });
}

describe('vpr bench search', () => {
  const random = uniformNumbers(31);
  const codes = randomBytes(N * 64, random);
  const queries = randomBytes(Q * 64, random);
  const descriptors = randomDescriptors(N, D, random);
  const queryDescriptors = randomDescriptors(Q, D, random);
  let folder = '';
  const file = (name: string): string => path.join(folder, name);
  const matrix = (name: string): number[][] => {
    const { shape, type, data } = readNpy(readFileSync(file(name)), name);
    expect(type).to.equal('<i4');
    return Array.from({ length: shape[0]! }, (_, row) =>
      Array.from(data as Int32Array).slice(row * shape[1]!, (row + 1) * shape[1]!),
    );
  };
  const codeArguments = (): string[] => ['--codes', file('codes.npy'), '--queries', file('queries.npy')];

  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-bench-search-'));
    writeFileSync(file('codes.npy'), writeNpy(codes, [N, 64]));
    writeFileSync(file('queries.npy'), writeNpy(queries, [Q, 64]));
    writeFileSync(file('descriptors.npy'), writeNpy(descriptors, [N, D]));
    writeFileSync(file('query_descriptors.npy'), writeNpy(queryDescriptors, [Q, D]));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('writes the exact ids and distances, and prints medians as JSON', () => {
    const out = file('out');
    const { status, stdout, stderr } = benchSearch(
      ...codeArguments(),
      '-k',
      String(K),
      '--threads',
      '1',
      '--out',
      out,
      '--json',
    );
    expect(stderr).to.equal('');
    expect(status).to.equal(0);
    const report = JSON.parse(stdout) as Record<string, number>;
    expect(report['references']).to.equal(N);
    expect(report['threads']).to.equal(1);
    expect(report['medianMs']).to.be.above(0);
    expect(report['p99Ms']).to.be.at.least(report['medianMs']!);
    const [ids, distances] = [matrix('out/ids.npy'), matrix('out/distances.npy')];
    expect(ids.length).to.equal(Q);
    for (let q = 0; q < Q; q++) {
      const wanted = nearestByOracle(codes, queries.slice(q * 64, (q + 1) * 64), K, [[0, N]]);
      expect(ids[q]).to.deep.equal([...wanted.positions]);
      expect(distances[q]).to.deep.equal([...wanted.distances]);
    }
    expect(existsSync(file('out/reranked_ids.npy'))).to.equal(false);
  });

  it('writes the shortlist re-ranked by similarity', () => {
    const out = file('reranked');
    const rows = ['--descriptors', file('descriptors.npy'), '--query-descriptors', file('query_descriptors.npy')];
    const { status, stdout } = benchSearch(...codeArguments(), ...rows, '-k', String(K), '--out', out, '--json');
    expect(status).to.equal(0);
    expect((JSON.parse(stdout) as { twoStage: { medianMs: number } }).twoStage.medianMs).to.be.above(0);
    const ids = matrix('reranked/ids.npy');
    matrix('reranked/reranked_ids.npy').forEach((reranked, q) => {
      expect([...reranked].sort((a, b) => a - b)).to.deep.equal([...ids[q]!].sort((a, b) => a - b));
      const similarity = reranked.map((row) => {
        let sum = 0;
        for (let i = 0; i < D; i++) sum += descriptors[row * D + i]! * queryDescriptors[q * D + i]!;
        return sum;
      });
      similarity.slice(1).forEach((value, i) => expect(value).to.be.at.most(similarity[i]! + 1e-6));
    });
  });

  it('makes its own arrays without files', () => {
    const { status, stdout } = benchSearch('--size', '500', '--dimension', '32', '--threads', '2', '-k', '10');
    expect(status).to.equal(0);
    expect(stdout).to.match(/^500 references, top 10, kernel [a-z-]+, 2 thread/);
    expect(stdout).to.match(/^two-stage {3}median [\d.]+ ms, p99 [\d.]+ ms/m);
  });

  it('refuses wrong files with exit code 1 and wrong words with 2, naming what was expected', () => {
    for (const [args, status, sentence] of [
      [['--codes', file('none.npy'), '--queries', file('queries.npy')], 1, 'none.npy'],
      [['--codes', file('descriptors.npy'), '--queries', file('queries.npy')], 1, 'Expected codes [N, 64] of |u1'],
      [
        [
          ...codeArguments(),
          '--descriptors',
          file('query_descriptors.npy'),
          '--query-descriptors',
          file('query_descriptors.npy'),
        ],
        1,
        '700 codes, got 6',
      ],
      [['--codes', file('codes.npy')], 2, '--codes and --queries together'],
      [[...codeArguments(), '--descriptors', file('descriptors.npy')], 2, '--query-descriptors together'],
      [[...codeArguments(), '-k', '1001'], 2, "in 1...1000 for --k, got '1001'"],
      [[...codeArguments(), '--kernel', 'fast'], 2, '--kernel'],
    ] as const) {
      const result = benchSearch(...args);
      expect(result.stderr, args.join(' ')).to.include(sentence);
      expect(result.status, args.join(' ')).to.equal(status);
    }
  });
});
