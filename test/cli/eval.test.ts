import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { popcount32 } from '../../src/hamming/scalarHamming.js';

const ROOT = path.resolve(import.meta.dirname, '../../..');

function vpr(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(ROOT, 'bin', 'vpr.mjs'), ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  return { status, stdout, stderr };
}

/** Rows of a little-endian .npy file of format 1.0. */
function readNpy(file: string): { shape: [number, number]; values: Float32Array | Uint8Array } {
  const bytes = readFileSync(file);
  const start = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, start);
  const [, rows, columns] = /\((\d+), (\d+)\)/.exec(header)!.map(Number) as [number, number, number];
  const body = Uint8Array.from(bytes.subarray(start));
  return { shape: [rows, columns], values: header.includes('f4') ? new Float32Array(body.buffer) : body };
}

describe('vpr eval', function () {
  this.timeout(240_000);
  let folder: string;
  let set: string;

  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-eval-'));
    set = path.join(folder, 'set');
    const small = ['--width', '160', '--height', '120', '--frames', '14', '--distance', '3'];
    const made = vpr('sample', 'render', '-o', set, '--seed', '3', '--set', ...small);
    expect(made.status, made.stderr).to.equal(0);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('prints one JSON object whose recall follows from the exported arrays and the ground truth', () => {
    const arrays = path.join(folder, 'arrays');
    const { status, stdout, stderr } = vpr('eval', set, '--json', '--export', arrays);
    expect(status, stderr).to.equal(0);
    const result = JSON.parse(stdout) as Record<string, unknown> & { recall: Record<string, number> };
    expect(result).to.deep.include({ queries: 14, references: 14, queriesWithoutPositives: 0 });
    const references = readNpy(path.join(arrays, 'reference_descriptors.npy'));
    const queries = readNpy(path.join(arrays, 'query_descriptors.npy'));
    expect(references.shape[0]).to.equal(14);
    expect(readNpy(path.join(arrays, 'reference_codes.npy')).shape).to.deep.equal([14, 64]);
    expect(readNpy(path.join(arrays, 'query_codes.npy')).shape).to.deep.equal([14, 64]);
    const { positives } = JSON.parse(readFileSync(path.join(set, 'ground_truth.json'), 'utf8')) as {
      positives: number[][];
    };
    const [, dimension] = references.shape;
    for (const n of [1, 5, 10]) {
      let found = 0;
      positives.forEach((row, query) => {
        const similarity = Array.from({ length: 14 }, (_, reference) => {
          let sum = 0;
          for (let i = 0; i < dimension; i++)
            sum += queries.values[query * dimension + i]! * references.values[reference * dimension + i]!;
          return { reference, sum };
        });
        const best = similarity.sort((a, b) => b.sum - a.sum).slice(0, n);
        if (best.some(({ reference }) => row.includes(reference))) found++;
      });
      // 14 references fit into the shortlist, so that two-stage and exact search are one.
      expect(result.recall[String(n)], `recall@${n}`).to.equal(found / 14);
      expect((result['recallExact'] as Record<string, number>)[String(n)]).to.equal(found / 14);
    }
    const again = JSON.parse(vpr('eval', set, '--json').stdout) as Record<string, unknown>;
    for (const one of [result, again] as Record<string, unknown>[]) {
      delete one['latencyMs'];
      delete one['memory'];
    }
    expect(again).to.deep.equal(result);
  });

  it('codes both sides as a map of the references would, or as the model does', () => {
    const many = path.join(folder, 'many');
    const small = ['--width', '96', '--height', '72', '--frames', '24', '--distance', '3'];
    const made = vpr('sample', 'render', '-o', many, '--seed', '4', '--set', ...small);
    expect(made.status, made.stderr).to.equal(0);
    const [fitted, own] = ['map', 'model'].map((codes) => {
      const arrays = path.join(folder, codes);
      const { status, stdout, stderr } = vpr('eval', many, '--json', '--codes', codes, '--export', arrays);
      expect(status, stderr).to.equal(0);
      const read = (name: string) => readNpy(path.join(arrays, name)).values;
      return {
        result: JSON.parse(stdout) as { codes: string; recallExact: object },
        descriptors: read('query_descriptors.npy'),
        bits: Array.from(read('reference_codes.npy')).reduce((sum, byte) => sum + popcount32(byte), 0),
        codes: read('query_codes.npy'),
      };
    });
    expect([fitted!.result.codes, own!.result.codes]).to.deep.equal(['map', 'model']);
    expect(fitted!.result.recallExact).to.deep.equal(own!.result.recallExact);
    expect(fitted!.descriptors).to.deep.equal(own!.descriptors);
    expect(fitted!.codes).not.to.deep.equal(own!.codes);
    // Of bits around the references' own mean, about half are set.
    expect(fitted!.bits / (24 * 512)).to.be.within(0.45, 0.55);
    // 14 references are too few for a code of their own.
    expect((JSON.parse(vpr('eval', set, '--json').stdout) as { codes: string }).codes).to.equal('model');
  });

  it('ranks no more references by two stages than the short list has', () => {
    const { stdout } = vpr('eval', set, '--shortlist', '1', '--codes', 'model', '--json');
    const result = JSON.parse(stdout) as { shortlist: number } & Record<
      'recall' | 'recallHash',
      Record<string, number>
    >;
    expect(result.shortlist).to.equal(1);
    expect(result.recall['1']).to.equal(result.recallHash['1']);
    expect(result.recall['10'], 'one is all there is').to.equal(result.recall['1']);
  });

  it('judges by poses and by frames, and writes the page', () => {
    const page = path.join(folder, 'report.html');
    const byPose = vpr('eval', set, '--distance', '5', '--angle', '40', '--report', page);
    expect(byPose.stdout, byPose.stderr).to.contain('within 5 m and 40 degrees').and.to.contain('two-stage');
    expect(readFileSync(page, 'utf8')).to.contain('<h2>Similarity</h2>').and.to.contain('<h2>Trajectory</h2>');
    const byFrame = vpr('eval', path.join(set, 'reference'), path.join(set, 'query'), '--frames', '0', '--json');
    expect((JSON.parse(byFrame.stdout) as { groundTruth: string }).groundTruth).to.equal('within 0 frames');
  });

  it('skips a damaged picture, says so, and keeps the indices of the others', () => {
    truncateSync(path.join(set, 'reference', '000004.jpg'), 300);
    const { status, stdout, stderr } = vpr('eval', set, '--json');
    expect(status).to.equal(0);
    expect(stderr).to.match(/^skipped: .*000004\.jpg/m);
    const result = JSON.parse(stdout) as { references: number; skipped: unknown; recall: Record<string, number> };
    expect(result.references).to.equal(14);
    expect(result.skipped).to.deep.equal({ references: 1, queries: 0 });
    expect(result.recall['5']).to.be.greaterThan(0.7);
  });

  it('counts a query that cannot be read as a miss, whatever it is judged by', () => {
    const damaged = path.join(folder, 'damaged');
    cpSync(set, damaged, { recursive: true });
    truncateSync(path.join(damaged, 'query', '000006.jpg'), 300);
    for (const rule of [[], ['--distance', '3'], ['--frames', '1']]) {
      const { stdout, stderr } = vpr('eval', damaged, '--json', ...rule);
      const result = JSON.parse(stdout) as { firstCorrectRank: (number | null)[]; recall: Record<string, number> };
      expect(result, stderr).to.deep.include({ queries: 14, queriesWithoutPositives: 0, unreadableQueries: 1 });
      expect(result.recall['10'], rule.join(' ')).to.be.at.most(13 / 14);
      expect(result.firstCorrectRank[6]).to.equal(null);
    }
    expect(vpr('eval', damaged).stdout).to.contain(
      '0 queries without; 1 unreadable, misses where their place is known',
    );
  });

  it('reads a cut-off bag as far as it goes, says where it ends, and ends with 1', () => {
    const bag = 'test/data/bag/mcap_truncated.mcap';
    const { status, stdout, stderr } = vpr('eval', bag, bag, '--frames', '0', '--json');
    expect(stderr).to.match(/^skipped: Expected the file to end with a footer, got its end inside a record;/m);
    expect((JSON.parse(stdout) as { references: number }).references).to.be.greaterThan(3);
    expect(status).to.equal(1);
  });

  it('ends with a sentence and exit code for what it cannot use', () => {
    const wrong = path.join(folder, 'wrong.json');
    writeFileSync(wrong, '{"positives": [[0], [99]]}');
    const noPictures = path.join(folder, 'none');
    mkdirSync(noPictures);
    writeFileSync(path.join(noPictures, 'a.jpg'), 'no picture');
    const page = path.join(folder, 'page.html');
    const both = ['--camera', 'front', '--camera', 'rear'];
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['eval'], 2, /Expected SET/],
      [['eval', set, '--n', 'x'], 2, /whole numbers/],
      [['eval', set, '--distance', '0'], 2, /Expected a number in 0\.001\.\.\.10000000 for --distance, got '0'/],
      [['eval', set, '--angle', '200'], 2, /for --angle, got '200'/],
      [['eval', set, '--frames', '-1'], 2, /--frames/],
      [['eval', set, '--shortlist', '1.5'], 2, /Expected a whole number of at least 1 for --shortlist, got '1.5'/],
      [['eval', path.join(folder, 'nowhere')], 1, /FILE_MISSING/],
      [['eval', folder], 1, /FOLDER_INVALID/],
      [['eval', set, '--ground-truth', wrong], 1, /14 queries.*GROUND_TRUTH_INVALID/],
      // Without a word of the damaged picture: nothing was read yet.
      [['eval', set, '--ground-truth', path.join(folder, 'none.json')], 1, /^vpr eval: .*FILE_UNREADABLE/],
      [['eval', set, '--report', path.join(folder, 'nowhere', 'page.html')], 1, /^vpr eval: .*FILE_NOT_WRITABLE/],
      [['eval', set, '--export', path.join(wrong, 'arrays')], 1, /^vpr eval: .*FILE_NOT_WRITABLE/],
      [['eval', noPictures, noPictures, '--frames', '0', '--report', page], 1, /got none of 1 .*BAG_NO_IMAGES/],
      [['sample', 'render', '--frames', '2', '-o', path.join(wrong, 'drive')], 1, /FILE_NOT_WRITABLE/],
      [['sample', 'render', '--frames', '2', '-o', path.join(set, 'query')], 1, /got one that holds 000000\.jpg/],
      [['sample', 'render', '--frames', '2', '--set', '--bag', ...both, '-o', page], 2, /one --camera with --set/],
      [['sample', 'render', '--frames', '2', ...both, '-o', page], 2, /Expected --bag with more than one --camera/],
    ];
    for (const [args, expected, sentence] of cases) {
      const { status, stdout, stderr } = vpr(...args);
      expect(status, args.join(' ')).to.equal(expected);
      expect(stderr).to.match(sentence);
      expect(stdout).to.equal('');
      expect(stderr, 'a sentence, not a stack').not.to.contain('    at ');
    }
    expect(existsSync(page)).to.equal(false);
  });
});

describe('vpr demo', function () {
  this.timeout(240_000);

  it('maps, recognises and reports a short drive', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-demo-'));
    try {
      const { status, stdout, stderr } = vpr('demo', '--frames', '24', '-o', folder, '--json');
      expect(status, stderr).to.equal(0);
      const result = JSON.parse(stdout) as { queries: number; references: number; recall: Record<string, number> };
      expect(result).to.deep.include({ queries: 24, references: 24 });
      expect(result.recall['10']).to.be.greaterThan(0.8);
      const page = readFileSync(path.join(folder, 'report.html'), 'utf8');
      expect(page).to.contain('<h2>Calibration</h2>').and.to.contain('<h2>Trajectory</h2>');
      expect(readFileSync(path.join(folder, 'picture.svg'), 'utf8')).to.contain('<image');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
