import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import sharp from 'sharp';
import {
  evaluateRetrieval,
  type QueryAnswer,
  type RetrievalEvaluation,
} from '../../../src/evaluation/evaluateRetrieval.js';
import { demoPicture } from '../../../src/report/demoPicture.js';
import { encodePng } from '../../../src/report/encodePng.js';
import { htmlReport } from '../../../src/report/htmlReport.js';
import { ticks } from '../../../src/report/plotFrame.js';
import type { Outcome, ReportData } from '../../../src/report/ReportData.js';
import { alignTable, terminalTable } from '../../../src/report/terminalTable.js';

const COUNT = 60;

async function reportData(): Promise<ReportData> {
  const positives = Array.from({ length: COUNT }, (_, i) => (i < 55 ? [i] : []));
  const answers: QueryAnswer[] = positives.map((_, i) => ({
    ranked: [i % 9 === 4 ? (i + 30) % COUNT : i],
    score: ((i * 37) % 61) / 61,
    confidence: ((i * 37) % 61) / 61,
    accepted: i % 4 === 0,
  }));
  const jpeg = Uint8Array.from(
    await sharp({ create: { width: 120, height: 90, channels: 3, background: '#4477aa' } })
      .jpeg()
      .toBuffer(),
  );
  const outcome = (i: number): Outcome => (i % 4 !== 0 ? 'rejected' : i % 9 === 4 ? 'wrong' : 'right');
  return {
    title: 'A <b>drive</b> & more',
    subtitle: 'by "hand"',
    evaluation: evaluateRetrieval(answers, { rule: 'by hand', references: COUNT, positives }),
    recallRows: [{ label: 'two-stage <i>', recall: { '1': 0.5, '5': 0.75, '10': 1 } }],
    scoreName: 'confidence',
    latencyMs: { inference: answers.map((_, i) => 10 + (i % 7)), total: answers.map((_, i) => 12 + (i % 9)) },
    similarity: {
      queries: COUNT,
      references: COUNT,
      values: Float32Array.from(
        { length: COUNT * COUNT },
        (_, i) => 1 / (1 + Math.abs((i % COUNT) - Math.floor(i / COUNT))),
      ),
    },
    queries: answers.map(({ score }, i) => ({
      name: `image ${i} <x>`,
      outcome: outcome(i),
      position: [i * 2, Math.sin(i / 9) * 20],
      score,
      state: ['unknown', 'candidate', 'localized', 'lost'][Math.floor(i / 15)]!,
    })),
    references: answers.map((_, i) => ({ position: [i * 2, Math.sin(i / 9) * 20 + 1], placeId: 1 + (i >> 1) })),
    mistakes: [
      {
        query: { name: 'q', jpeg },
        answer: { name: 'a', jpeg },
        right: { name: 'r', jpeg },
        score: 0.9,
        note: 'Accepted.',
      },
    ],
    rejected: [{ name: 'image 3', place: '7', confidence: 0.2, reason: 'low_confidence', correct: false }],
    operatingPoints: [{ name: 'precision', threshold: 0.8 }],
    maxRssBytes: 123 * 2 ** 20,
  };
}

describe('htmlReport', () => {
  it('shows every part, once', async () => {
    const page = htmlReport(await reportData());
    for (const title of [
      'Recall',
      'Precision and recall',
      'Trajectory',
      'Similarity',
      'The drive, image by image',
      'Calibration',
      'Gaps',
      'Latency',
      'Places',
      'Worst mistakes',
      'Rejected closures',
    ])
      expect(page.split(`<h2>${title}</h2>`), title).to.have.length(2);
    expect(page).to.contain('123 MiB').and.to.contain('low_confidence').and.to.contain('>precision</text>');
  });

  it('shows how many key points agreed where pictures were compared, and no such column elsewhere', async () => {
    const data = await reportData();
    expect(htmlReport(data)).not.to.contain('inliers');
    const compared = { ...data.rejected[0]!, reason: 'geometry', inliers: 17 };
    const page = htmlReport({ ...data, rejected: [...data.rejected, compared] });
    expect(page).to.contain('<th class="n">inliers</th>').and.to.contain('<td class="n">17</td><td>geometry</td>');
  });

  it('draws no similarity of nothing', async () => {
    const data = await reportData();
    const similarity = { queries: 0, references: 3, values: new Float32Array() };
    expect(htmlReport({ ...data, similarity })).not.to.contain('<h2>Similarity</h2>');
  });

  it('is one file: no scripts, no addresses, nothing but data to load', async () => {
    const page = htmlReport(await reportData());
    expect(page).to.not.match(/<script|<link|@import|url\(|https?:/);
    for (const [, address] of page.matchAll(/(?:src|href)="([^"]{0,12})/g)) expect(address).to.match(/^data:image\//);
  });

  it('escapes what comes from outside', async () => {
    const page = htmlReport(await reportData());
    expect(page).to.not.match(/<b>drive|two-stage <i>|<x>/);
    expect(page).to.contain('A &#60;b&#62;drive&#60;/b&#62; &#38; more').and.to.contain('&#34;hand&#34;');
  });

  it('leaves out the parts that have no data, and is whole without any', async () => {
    const { evaluation } = await reportData();
    const plain: { -readonly [Key in keyof RetrievalEvaluation]: RetrievalEvaluation[Key] } = { ...evaluation };
    delete plain.calibration;
    delete plain.accepted;
    const page = htmlReport({
      title: 'empty',
      subtitle: '',
      evaluation: { ...plain, precisionRecall: { ...plain.precisionRecall, points: [] } },
      recallRows: [],
      scoreName: 'similarity',
      latencyMs: {},
      queries: [],
      references: [],
      mistakes: [],
      rejected: [],
      operatingPoints: [],
    });
    expect(page).to.not.match(/NaN|Infinity|undefined/);
    for (const title of ['Trajectory', 'Calibration', 'Gaps', 'Latency', 'Worst mistakes', 'Rejected closures'])
      expect(page).to.not.contain(`<h2>${title}</h2>`);
  });

  it('draws no coordinate that is no number, and gives the same bytes twice', async () => {
    const page = htmlReport(await reportData());
    expect(page).to.not.match(/NaN|Infinity|undefined/);
    expect(htmlReport(await reportData())).to.equal(page);
  });

  for (const [scheme, colours] of [
    ['light', { paper: 0xf6f7f9, right: 0x2a9d63, wrong: 0xd5453f, accent: 0x3366cc }],
    ['dark', { paper: 0x12161d, right: 0x43c385, wrong: 0xff6b64, accent: 0x7aa2ff }],
  ] as const)
    it(`is drawn by a browser (${scheme})`, async function () {
      this.timeout(120_000);
      const browser = ['chromium', 'chromium-browser', 'google-chrome'].find(
        (name) => spawnSync(name, ['--version']).status === 0,
      );
      if (browser === undefined) {
        console.warn('SKIPPED: the report in a browser; no chromium on this machine');
        this.skip();
      }
      const folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-report-'));
      try {
        const page = path.join(folder, 'report.html');
        const picture = path.join(folder, 'report.png');
        writeFileSync(page, htmlReport(await reportData()));
        const flags =
          '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking';
        const result = spawnSync(
          browser,
          [
            ...flags.split(' '),
            '--hide-scrollbars',
            `--blink-settings=preferredColorScheme=${scheme === 'dark' ? 0 : 1}`,
            '--window-size=1120,2800',
            `--screenshot=${picture}`,
            `file://${page}`,
          ],
          { timeout: 100_000, env: { ...process.env, HOME: folder } },
        );
        expect(result.status, String(result.stderr)).to.equal(0);
        const { data, info } = await sharp(picture).removeAlpha().raw().toBuffer({ resolveWithObject: true });
        expect(info.width).to.equal(1120);
        // The page's own colours, and those of right, wrong and the curve: style sheet and plots were understood.
        const seen = (colour: number): number => {
          const [red, green, blue] = [colour >> 16, (colour >> 8) & 255, colour & 255];
          let count = 0;
          for (let i = 0; i < data.length; i += 3)
            if (Math.abs(data[i]! - red) + Math.abs(data[i + 1]! - green) + Math.abs(data[i + 2]! - blue) < 12) count++;
          return count;
        };
        expect(seen(colours.paper), 'paper').to.be.greaterThan(100_000);
        expect(seen(colours.right), 'right').to.be.greaterThan(300);
        expect(seen(colours.wrong), 'wrong').to.be.greaterThan(50);
        expect(seen(colours.accent), 'bars').to.be.greaterThan(1000);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
});

describe('report parts', () => {
  it('encodes PNGs that another decoder reads back', async () => {
    const rgb = Uint8Array.from({ length: 7 * 5 * 3 }, (_, i) => (i * 37) & 255);
    const { data, info } = await sharp(encodePng(7, 5, rgb))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).to.deep.equal([7, 5, 3]);
    expect([...data]).to.deep.equal([...rgb]);
    expect(() => encodePng(7, 6, rgb)).to.throw(RangeError);
  });

  it('cuts axes at round values', () => {
    expect(ticks(0, 1)).to.deep.equal([0, 0.2, 0.4, 0.6000000000000001, 0.8, 1]);
    expect(ticks(0, 150)).to.deep.equal([0, 20, 40, 60, 80, 100, 120, 140]);
    expect(ticks(3, 3)).to.deep.equal([3]);
    for (const [low, high] of [
      [0, 7],
      [-3.2, 11],
      [1e-4, 9e-4],
    ] as const)
      expect(ticks(low, high).length).to.be.within(3, 11);
  });

  it('aligns tables and prints every figure', async () => {
    expect(
      alignTable([
        ['a', '1'],
        ['bbb', '22'],
      ]),
    ).to.equal('a     1\nbbb  22');
    const { evaluation, recallRows } = await reportData();
    const text = terminalTable(evaluation, recallRows, {});
    expect(text).to.contain('60 queries, 60 references; positives: by hand; 5 queries without');
    expect(text).to.match(/two-stage <i>\s+50.0 %\s+75.0 %\s+100.0 %/);
    expect(text).to.contain('expected calibration error').and.to.contain('longest gap');
  });

  it('composes the picture as one file', async () => {
    const { queries, references, mistakes } = await reportData();
    const { query, answer } = mistakes[0]!;
    const svg = demoPicture(
      [{ query, reference: answer, outcome: 'right', caption: 'image 1 <&>' }],
      queries,
      references,
    );
    expect(svg).to.not.match(/NaN|undefined|<&>/);
    const { width } = await sharp(Buffer.from(svg)).metadata();
    expect(width).to.be.greaterThan(1000);
  });
});
