import { execFile } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import sharp from 'sharp';
import { PlaceMap } from '../../src/map/PlaceMap.js';
import { bagOf, IMAGE, imageMessage, POSE, poseMessage, useFolder } from '../unit/bag/bagFixtures.js';

const run = promisify(execFile);

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function vpr(...args: readonly string[]): Promise<Outcome> {
  try {
    const { stdout, stderr } = await run(process.execPath, ['bin/vpr.mjs', ...args], { maxBuffer: 64 * 2 ** 20 });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

interface ReplayJson {
  readonly images: { readonly processed: number; readonly skipped: number; readonly skippedByCode: object };
  readonly map: { readonly references: number };
  readonly answers: readonly { readonly state: string; readonly confidence: number; readonly rejectReason: string }[];
  readonly evaluation?: {
    readonly recall: Readonly<Record<string, number>>;
    readonly queries: number;
    readonly queriesWithoutPositives: number;
  };
}

/** The report without what may differ between two runs. */
function comparable(json: string): Record<string, unknown> {
  const { latency, memory, ...rest } = JSON.parse(json) as Record<string, unknown>;
  expect(latency).to.be.an('object');
  expect(memory).to.be.an('object');
  return rest;
}

describe('vpr replay', function () {
  this.timeout(240_000);
  useFolder();
  let folder: string;
  let first: string;
  let second: string;
  let images: string;

  before(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-replay-'));
    [first, second, images] = ['first', 'second', 'images'].map((name) => path.join(folder, name)) as [
      string,
      string,
      string,
    ];
    const render = (...more: readonly string[]) =>
      vpr('sample', 'render', '--seed', '7', '--frames', '16', '--width', '160', '--height', '120', ...more);
    for (const outcome of [
      await render('--bag', '-o', first),
      await render('--bag', '--drive', '1', '--left', '0', '-o', second),
      await render('-o', images),
    ])
      expect(outcome.code, outcome.stderr).to.equal(0);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('maps a first drive, localizes a second in it, and judges itself', async () => {
    const map = path.join(folder, 'town.vprmap');
    const truth = '/ground_truth/odom';
    const built = await vpr('replay', first, '--mode', 'mapping', '--map', map, '--pose-topic', truth, '--json');
    expect(built.code, built.stderr).to.equal(0);
    expect((JSON.parse(built.stdout) as ReplayJson).map.references).to.equal(16);
    const args = ['replay', second, '--map', map, '--ground-truth-topic', truth, '--odometry-topic', '/odom'];
    const outcome = await vpr(...args, '--positive-distance', '8', '--json');
    expect(outcome.code, outcome.stderr).to.equal(0);
    const report = JSON.parse(outcome.stdout) as ReplayJson;
    expect(report.images).to.include({ processed: 16, skipped: 0 });
    expect(report.map.references, 'localization leaves the map as it is').to.equal(16);
    expect(report.evaluation!.queries).to.equal(16);
    expect(report.evaluation!.recall['1']).to.be.greaterThan(0.6);
    for (const { confidence } of report.answers) expect(confidence).to.be.within(0, 1);
    const again = await vpr(...args, '--positive-distance', '8', '--json');
    expect(comparable(again.stdout)).to.deep.equal(comparable(outcome.stdout));
    const page = path.join(folder, 'report.html');
    expect((await vpr(...args, '--report', page)).code).to.equal(0);
    const html = readFileSync(page, 'utf8');
    // One page, whichever command writes it: what a replay knows is all on it.
    for (const title of ['Precision and recall', 'Trajectory', 'Similarity', 'Calibration', 'Gaps', 'Places'])
      expect(html).to.contain(`<h2>${title}</h2>`);
    for (const preset of ['precision', 'balanced', 'recall'])
      expect(html).to.match(new RegExp(`<circle class="mark"[^>]*/><text[^>]*>${preset}</text>`));
    const text = await vpr(...args);
    expect(text.stdout)
      .to.match(/^images +16 processed, 0 skipped$/m)
      .and.to.match(/^recall +@1 /m);
  });

  it('ignores recent images in slam mode', async () => {
    const outcome = await vpr('replay', first, '--mode', 'slam', '--set', 'exclude_recent_s=1000', '--json');
    const { answers } = JSON.parse(outcome.stdout) as ReplayJson;
    expect(answers.map(({ rejectReason }) => rejectReason)).to.deep.equal([
      'empty_map',
      ...Array.from({ length: 15 }, () => 'recent'),
    ]);
  });

  it('judges a map that grows by what could be answered: what it held before, not what is too recent', async () => {
    const truth = ['--ground-truth-topic', '/ground_truth/odom', '--positive-distance', '8', '--json'];
    const alone = await vpr('replay', first, '--mode', 'slam', '--set', 'exclude_recent_s=1000', ...truth);
    expect((JSON.parse(alone.stdout) as ReplayJson).evaluation, alone.stderr).to.deep.include({
      queries: 16,
      queriesWithoutPositives: 16,
    });
    const map = path.join(folder, 'grown.vprmap');
    const built = await vpr('replay', first, '--mode', 'mapping', '--map', map, '--pose-topic', '/ground_truth/odom');
    expect(built.code, built.stderr).to.equal(0);
    const laps = path.join(folder, 'laps.json');
    writeFileSync(laps, JSON.stringify({ positives: Array.from({ length: 8 }, (_, i) => [i]) }));
    const ranges = ['--references', '1-8', '--queries', '9-16'];
    const refused = await vpr('replay', second, '--map', map, '--mode', 'slam', '--ground-truth', laps, ...ranges);
    expect(refused.code).to.equal(1);
    expect(refused.stderr).to.contain('Expected a new map').and.to.contain('16 references');
    const grown = await vpr('replay', second, '--map', map, '--mode', 'slam', ...truth);
    const { evaluation } = JSON.parse(grown.stdout) as ReplayJson;
    expect(evaluation).to.deep.include({ queries: 16, queriesWithoutPositives: 0 });
    expect(evaluation!.recall['1']).to.be.greaterThan(0.6);
  });

  it('grows no map by poses of another frame, and says when the truth is in one', async () => {
    const map = path.join(folder, 'framed.vprmap');
    const grow = (drive: string, topic: string, ...more: readonly string[]) =>
      vpr('replay', drive, '--mode', 'mapping', '--map', map, '--limit', '4', '--pose-topic', topic, ...more);
    const built = await grow(first, '/ground_truth/odom');
    expect(built.code, built.stderr).to.equal(0);
    const info = JSON.parse((await vpr('map', 'info', map, '--json')).stdout) as object;
    expect(info).to.include({ mapFrame: 'map', childFrame: 'base_link', references: 4 });
    const sentence =
      /mapFromBase in frame 'map' of 'base_link', got mapFromBase in frame 'odom' of 'base_link' .*POSES_INVALID/;
    const drifting = ['--pose-topic', '/odom', '--limit', '4'];
    for (const refused of [
      await grow(second, '/odom'),
      await vpr('map', 'append', second, map, ...drifting),
      await vpr('map', 'append', images, map),
    ]) {
      expect(refused.code).to.equal(1);
      expect(refused.stderr).to.match(refused.stderr.includes('mapFromCamera') ? /got mapFromCamera/ : sentence);
    }
    expect((await vpr('map', 'append', second, map, ...drifting, '--set', 'map_frame=map')).code).to.equal(0);
    const judged = await vpr('replay', second, '--map', map, '--ground-truth-topic', '/odom', '--limit', '2');
    expect(judged.code).to.equal(0);
    expect(judged.stderr).to.contain("Expected true poses in the map's frame 'map', got 'odom'");
    const truth = await vpr(
      'replay',
      second,
      '--map',
      map,
      '--ground-truth-topic',
      '/ground_truth/odom',
      '--limit',
      '2',
    );
    expect(truth.stderr).not.to.contain('Expected');
  });

  it('refuses ranges that the stream does not have', async () => {
    const laps = path.join(folder, 'beyond.json');
    writeFileSync(laps, JSON.stringify({ positives: Array.from({ length: 4 }, () => []) }));
    const args = ['replay', images, '--mode', 'slam', '--ground-truth', laps, '--references', '1-4', '--queries'];
    const beyond = await vpr(...args, '97-100');
    expect(beyond.code).to.equal(1);
    expect(beyond.stderr).to.match(/Expected images in 1\.\.\.16 for --queries, got 97-100 .*GROUND_TRUTH_INVALID/);
    const common = await vpr(...args, '4-7');
    expect(common.code).to.equal(2);
    expect(common.stderr).to.contain('without a common image');
  });

  it('compares pictures where it is asked to, and measures turns where it knows the camera', async () => {
    const map = path.join(folder, 'compared.vprmap');
    const built = await vpr('replay', first, '--mode', 'mapping', '--map', map, '--pose-topic', '/ground_truth/odom');
    expect(built.code, built.stderr).to.equal(0);
    const answersOf = async (...more: readonly string[]) => {
      const args = ['replay', first, '--map', map, '--set', 'loop_closure.debounce_s=0', ...more, '--json'];
      const outcome = await vpr(...args);
      expect(outcome.code, outcome.stderr).to.equal(0);
      return (
        JSON.parse(outcome.stdout) as {
          answers: { camera: string; closure: boolean; inliers?: number; verified?: true }[];
        }
      ).answers;
    };
    const plain = await answersOf();
    for (const answer of plain) expect(answer).not.to.have.property('inliers');
    const compared = await answersOf('--set', 'geometric_check=true');
    // The same drive again: every picture is that of a reference.
    for (const { inliers } of compared) expect(inliers).to.be.greaterThan(40);
    for (const answer of compared) expect(answer, 'the camera is not known').not.to.have.property('verified');
    const { camera } = compared[0]!;
    const known = ['--set', `cameras=${camera}`, '--set', `cameras.${camera}.focal_length=0.8`];
    const measured = await answersOf('--set', 'geometric_check=true', '--set', 'preset=recall', ...known);
    const closures = measured.filter(({ closure }) => closure);
    expect(closures.length).to.be.greaterThan(0);
    for (const { verified } of closures) expect(verified).to.equal(true);
  });

  it('counts accepted matches in the map only where it is asked to', async () => {
    const map = path.join(folder, 'counted.vprmap');
    const built = await vpr('replay', first, '--mode', 'mapping', '--map', map, '--pose-topic', '/ground_truth/odom');
    expect(built.code, built.stderr).to.equal(0);
    const stale = async (): Promise<number[]> => {
      const { stdout } = await vpr('map', 'info', map, '--stale', '--json');
      return (JSON.parse(stdout) as { staleReferences: { referenceId: number }[] }).staleReferences.map(
        ({ referenceId }) => referenceId,
      );
    };
    const all = Array.from({ length: 16 }, (_, i) => i + 1);
    expect(await stale()).to.deep.equal(all);
    const args = ['replay', second, '--map', map, '--odometry-topic', '/odom', '--set', 'preset=recall', '--json'];
    const uncounted = await vpr(...args);
    expect(uncounted.code, uncounted.stderr).to.equal(0);
    expect(await stale(), 'a replay leaves the map as it is').to.deep.equal(all);
    const counted = await vpr(...args, '--count-matches');
    expect(counted.code, counted.stderr).to.equal(0);
    const answers = (JSON.parse(counted.stdout) as { answers: { accepted: boolean; referenceId: number }[] }).answers;
    const matched = new Set(answers.filter(({ accepted }) => accepted).map(({ referenceId }) => referenceId));
    expect(matched.size).to.be.greaterThan(0);
    expect(await stale()).to.deep.equal(all.filter((id) => !matched.has(id)));
  });

  it('tries where its outputs go before it plays, and prints its result before it writes them', async () => {
    const map = path.join(folder, 'locked.vprmap');
    const built = await vpr('replay', first, '--mode', 'mapping', '--map', map, '--pose-topic', '/ground_truth/odom');
    expect(built.code, built.stderr).to.equal(0);
    const damaged = path.join(folder, 'unreadable');
    mkdirSync(damaged);
    writeFileSync(path.join(damaged, 'a.jpg'), 'no picture');
    const none = await vpr('replay', damaged, '--map', map);
    expect([none.code, none.stdout]).to.deep.equal([1, '']);
    expect(none.stderr).to.match(/^skipped: .*\nvpr replay: Expected an image that can be used, got none of 1 /);
    const truth = ['--ground-truth-topic', '/ground_truth/odom'];
    const judged = ['replay', second, '--map', map, ...truth, '--limit', '2'];
    const writer = PlaceMap.open(map, 'append');
    try {
      for (const [args, sentence] of [
        [['replay', damaged, '--map', map, '--count-matches'], /^vpr replay: .*MAP_LOCKED/],
        [['tune', second, '--map', map, ...truth], /^vpr tune: .*MAP_LOCKED/],
      ] as const) {
        const locked = await vpr(...args);
        expect([locked.code, locked.stdout]).to.deep.equal([1, '']);
        expect(locked.stderr).to.match(sentence);
      }
    } finally {
      writer.close();
    }
    const unwritable = await vpr(...judged, '--report', path.join(folder, 'nowhere', 'page.html'));
    expect([unwritable.code, unwritable.stdout]).to.deep.equal([1, '']);
    expect(unwritable.stderr).to.match(/^vpr replay: .*FILE_NOT_WRITABLE/);
    // It can be opened, so that only the writing fails.
    const full = await vpr(...judged, '--report', '/dev/full');
    expect(full.code).to.equal(1);
    expect(full.stdout).to.match(/^recall +@1 /m);
    expect(full.stderr).to.match(/^vpr replay: .*DISK_FULL/);
  });

  it('takes no reference while the view stays the same', async () => {
    const standing = path.join(folder, 'standing');
    const names = readdirSync(images)
      .filter((name) => name.endsWith('.jpg'))
      .sort();
    expect(names.length).to.equal(16);
    mkdirSync(standing);
    // Eight times one view, then another eight times.
    for (let i = 0; i < 16; i++)
      copyFileSync(path.join(images, names[i < 8 ? 0 : 12]!), path.join(standing, `${String(i).padStart(3, '0')}.jpg`));
    const references = async (limit: string): Promise<number> => {
      const args = ['--mode', 'mapping', '--set', `keyframe.max_similarity=${limit}`, '--json'];
      const outcome = await vpr('replay', standing, ...args);
      expect(outcome.code, outcome.stderr).to.equal(0);
      return (JSON.parse(outcome.stdout) as ReplayJson).map.references;
    };
    expect(await references('1'), 'by time alone').to.equal(16);
    expect(await references('0.99')).to.equal(2);
  });

  it('skips a damaged image, says so, and goes on', async () => {
    const damaged = path.join(folder, 'damaged');
    cpSync(images, damaged, { recursive: true });
    const names = (await vpr('replay', damaged, '--json')).stdout;
    const [third] = (JSON.parse(names) as { answers: { name: string }[] }).answers.slice(2) as [{ name: string }];
    truncateSync(path.join(damaged, path.basename(third.name)), 500);
    const outcome = await vpr('replay', damaged, '--mode', 'slam', '--json');
    expect(outcome.code, outcome.stderr).to.equal(0);
    expect((JSON.parse(outcome.stdout) as ReplayJson).images).to.deep.equal({
      processed: 15,
      skipped: 1,
      skippedByCode: { IMAGE_INVALID: 1 },
    });
  });

  it('judges every image by its own row of the ground truth, whatever is damaged before it', async () => {
    const names = readdirSync(images)
      .filter((name) => name.endsWith('.jpg'))
      .sort()
      .filter((_, i) => i % 4 === 0);
    const mapped = path.join(folder, 'mapped');
    mkdirSync(mapped);
    const messages: [string, string, Uint8Array][] = [['/pose', POSE, poseMessage(NaN, 1, 1)]];
    for (const [i, name] of names.entries()) {
      copyFileSync(path.join(images, name), path.join(mapped, name));
      const { data, info } = await sharp(path.join(images, name))
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true });
      const message = imageMessage({ width: info.width, height: info.height, pixels: data, stampS: 2 + i });
      messages.push(['/camera', IMAGE, i === 1 ? message.subarray(0, 30) : message]);
    }
    messages.push(['/pose', POSE, poseMessage(0, 1, 9)]);
    const map = path.join(folder, 'mapped.vprmap');
    const built = await vpr('map', 'build', mapped, map, '--set', 'keyframe.interval_s=0', '--codes', 'model');
    expect(built.code, built.stderr).to.equal(0);
    const truth = path.join(folder, 'rows.json');
    writeFileSync(truth, JSON.stringify({ positives: names.map((_, i) => [i]) }));
    const bag = path.join(folder, 'damaged.mcap');
    copyFileSync(await bagOf(messages), bag);
    const args = ['replay', bag, '--map', map, '--ground-truth', truth, '--odometry-topic', '/pose'];
    const outcome = await vpr(...args, '--set', 'temporal_filter=none', '--json');
    expect(outcome.code, outcome.stderr).to.equal(0);
    const { images: counted, evaluation } = JSON.parse(outcome.stdout) as ReplayJson;
    expect(counted).to.deep.equal({ processed: 3, skipped: 1, skippedByCode: { MESSAGE_INVALID: 1 } });
    // The fourth has positives too: without an answer it is a miss.
    expect(evaluation).to.deep.include({ queries: 4, unreadableQueries: 1 });
    expect(evaluation!.recall['1']).to.equal(3 / 4);
  });

  it('ends with exit code 1 and a sentence on bad data', async () => {
    const truncated = path.join(folder, 'truncated.db3');
    writeFileSync(truncated, 'SQLite format 3\0');
    const model = path.join(folder, 'model');
    cpSync('models/default', model, { recursive: true });
    const bytes = readFileSync(path.join(model, 'model.onnx'));
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(path.join(model, 'model.onnx'), bytes);
    const renamed = path.join(folder, 'renamed.vprmap');
    const built = await vpr('replay', first, '--mode', 'mapping', '--map', renamed, '--limit', '2', '--json');
    expect(built.code, built.stderr).to.equal(0);
    const notAMap = path.join(folder, 'not.vprmap');
    copyFileSync('package.json', notAMap);
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['replay', path.join(folder, 'none.mcap')], /FILE_MISSING/],
      [['replay', truncated], /BAG_(INVALID|TRUNCATED)/],
      [['replay', first, '--model', model], /Expected sha256 [0-9a-f]{64} for model\.onnx.*MODEL_FILE_CHANGED/],
      [['replay', first, '--map', path.join(folder, 'none.vprmap')], /MAP_MISSING/],
      [['replay', first, '--map', notAMap], /MAP_CORRUPT/],
      [['replay', first, '--ground-truth-topic', '/nothing'], /TOPIC_MISSING/],
      [['replay', first, '--ground-truth', path.join(folder, 'none.json')], /FILE_UNREADABLE/],
      [['replay', first, '--mode', 'mapping', '--map', '/proc/none/x.vprmap'], /FILE_NOT_WRITABLE|FILE_MISSING|MAP_/],
    ];
    for (const [args, sentence] of cases) {
      const outcome = await vpr(...args);
      expect(outcome.code, `${args.join(' ')}: ${outcome.stderr}`).to.equal(1);
      expect(outcome.stderr).to.match(sentence);
      expect(outcome.stderr, 'a sentence, not a stack').not.to.contain('    at ');
    }
  });

  it('ends with exit code 2 on wrong words', async () => {
    for (const args of [
      ['replay'],
      ['replay', first, '--mode', 'localization'],
      ['replay', first, '--mode', 'flying'],
      ['replay', first, '--set', 'top_k=many'],
      ['replay', first, '--set', 'execution_providers=abacus'],
      ['replay', first, '--report', path.join(folder, 'page.html')],
      ['replay', first, '--limit', '-1'],
      ['replay', first, '--ground-truth-topic', '/ground_truth', '--positive-distance', '0'],
      ['replay', first, '--ground-truth', path.join(images, 'poses.csv'), '--references', '1-8'],
    ])
      expect((await vpr(...args)).code, args.join(' ')).to.equal(2);
  });
});

describe('vpr model', function () {
  this.timeout(120_000);
  it('shows, verifies and measures the default model', async () => {
    const info = await vpr('model', 'info', '--json');
    expect((JSON.parse(info.stdout) as { golden: unknown[] }).golden).to.have.length.greaterThan(0);
    const verified = await vpr('model', 'verify', '--json');
    expect(verified.code, verified.stderr).to.equal(0);
    expect((JSON.parse(verified.stdout) as { bitsDifferent: number }).bitsDifferent).to.be.at.most(4);
    const bench = await vpr('model', 'bench', '--runs', '2', '--threads', '1', '--json');
    expect((JSON.parse(bench.stdout) as { results: { p50: number }[] }).results[0]!.p50).to.be.greaterThan(0);
  });
});
