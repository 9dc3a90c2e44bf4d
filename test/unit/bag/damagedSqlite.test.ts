import { copyFileSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import Database from 'better-sqlite3';
import { openImageSource } from '../../../src/bag/openImageSource.js';
import { fileWith, GOOD, inFolder, read, useFolder, WHOLE } from './bagFixtures.js';

describe('damaged sqlite3 files', () => {
  useFolder();
  const damage = (sql: string): string => {
    const file = inFolder('hostile.db3');
    copyFileSync(`${GOOD}/db3/db3.db3`, file);
    const database = new Database(file);
    database.unsafeMode(true);
    database.exec(sql);
    database.close();
    return file;
  };
  for (const [what, sql, code, sentence, images] of [
    ['no table of topics', 'DROP TABLE topics', 'BAG_INVALID', /got no such table: topics/, 0],
    ['no table of messages', 'DROP TABLE messages', 'BAG_INVALID', /got no such table: messages/, 0],
    [
      'a view of messages without end',
      `ALTER TABLE messages RENAME TO kept;
       CREATE VIEW messages AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)
         SELECT x AS id, 1 AS topic_id, x AS timestamp, zeroblob(100) AS data FROM n`,
      'BAG_INVALID',
      /^Expected a rosbag2 sqlite3 database, got the view 'messages' in place of a table's own \[/,
      0,
    ],
    [
      'a column of messages that is computed',
      `DROP TABLE messages;
       CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER,
         data BLOB GENERATED ALWAYS AS (zeroblob(500000000)))`,
      'BAG_INVALID',
      /got the computed column 'messages\.data' in place of a table's own/,
      0,
    ],
    [
      'topics without names',
      "UPDATE topics SET name = '', type = 7",
      'BAG_NO_IMAGES',
      /Expected a topic of sensor_msgs/,
      0,
    ],
    [
      'messages without bytes',
      'UPDATE messages SET data = 7 WHERE id % 2',
      'MESSAGE_INVALID',
      /with a time, got 1 bytes; skipped it/,
      31,
    ],
    [
      'messages that are text',
      "UPDATE messages SET data = 'x' WHERE id % 2",
      'MESSAGE_INVALID',
      /skipped it/,
      WHOLE - 1,
    ],
    [
      'empty messages',
      "UPDATE messages SET data = x''",
      'MESSAGE_INVALID',
      /Expected a 4-byte encapsulation header .*got 0 bytes/,
      0,
    ],
    [
      'a serialisation nobody knows',
      "UPDATE topics SET serialization_format = 'protobuf'",
      'BAG_NO_IMAGES',
      /Expected a topic of/,
      0,
    ],
  ] as const)
    it(`says what is wrong with ${what}`, async () => {
      const outcome = await read(damage(sql));
      expect(outcome.code).to.equal(code);
      expect(outcome.sentences[0]).to.match(sentence);
      if (what.startsWith('messages')) expect(outcome.images).to.be.greaterThan(20).and.lessThan(WHOLE);
      else expect(outcome.images).to.equal(images);
    });

  interface Leaf {
    readonly page: number;
    readonly pageBytes: number;
    /** Images among its messages. */
    readonly images: number;
  }

  /** The leaf pages of the table of messages. */
  const leavesOf = (file: string): readonly Leaf[] => {
    const database = new Database(file, { readonly: true });
    const imagesUpTo = database
      .prepare<[number], number>(
        `SELECT count(*) FROM (SELECT topic_id FROM messages ORDER BY id LIMIT ?)
         WHERE topic_id IN (SELECT id FROM topics WHERE type LIKE '%Image')`,
      )
      .pluck();
    let cells = 0;
    const leaves = database
      .prepare<[], { page: number; pageBytes: number; cells: number }>(
        `SELECT pageno AS page, pgsize AS pageBytes, ncell AS cells FROM dbstat
         WHERE name = 'messages' AND pagetype = 'leaf' ORDER BY path`,
      )
      .all()
      .map((leaf) => {
        const before = imagesUpTo.get(cells)!;
        cells += leaf.cells;
        return { page: leaf.page, pageBytes: leaf.pageBytes, images: imagesUpTo.get(cells)! - before };
      });
    database.close();
    expect(leaves.reduce((sum, { images }) => sum + images, 0)).to.equal(WHOLE);
    return leaves;
  };

  it('loses the messages of a leaf page whose header is damaged, or that is zero, and says so', async () => {
    const bytes = readFileSync(`${GOOD}/db3/db3.db3`);
    for (const { page, pageBytes, images: own } of leavesOf(`${GOOD}/db3/db3.db3`)) {
      const start = (page - 1) * pageBytes;
      const damages: ((page: Buffer) => unknown)[] = [
        (damaged) => (damaged[0]! ^= 0x40),
        (damaged) => (damaged[3]! ^= 0x40),
        (damaged) => damaged.fill(0),
      ];
      for (const [i, damage] of damages.entries()) {
        const damaged = Buffer.from(bytes);
        damage(damaged.subarray(start, start + pageBytes));
        const source = await openImageSource(fileWith(damaged));
        try {
          let images = 0;
          for await (const { position } of source) images = position + 1;
          expect(images, `page ${page}, damage ${i}`).to.equal(WHOLE - own);
          expect(source.summary.images).to.equal(images);
          expect(source.problems.first[0]!.message).to.match(
            /^Expected a whole sqlite3 database, got .*; read what can be read of the rest, in the order of its ids \[/,
          );
          expect(source.problems.first[1]!.message).to.match(
            /^Expected messages, got pages that cannot be read \[.*, ids \d+ (to \d+|and above)\]$/,
          );
        } finally {
          await source.close();
        }
      }
    }
  });

  it('loses the one image whose overflow page is damaged, and counts it', async () => {
    const file = damage(
      `UPDATE messages SET data = CAST(data || zeroblob(20000) AS BLOB)
         WHERE topic_id IN (SELECT id FROM topics WHERE type LIKE '%Image')`,
    );
    const database = new Database(file, { readonly: true });
    const pages = database
      .prepare<[], { page: number; pageBytes: number }>(
        "SELECT pageno AS page, pgsize AS pageBytes FROM dbstat WHERE name = 'messages' AND pagetype = 'overflow' AND path LIKE '%+000000' ORDER BY path",
      )
      .all();
    database.close();
    const { page, pageBytes } = pages[pages.length >> 1]!;
    const bytes = readFileSync(file);
    // The number of the page that goes on.
    bytes[(page - 1) * pageBytes]! ^= 0x80;
    const source = await openImageSource(fileWith(bytes));
    const positions: number[] = [];
    for await (const { position } of source) positions.push(position);
    await source.close();
    expect(positions).to.have.length(WHOLE - 1);
    // Its place is kept, as that of any picture that cannot be read.
    expect([positions.at(-1), source.pictures.met]).to.deep.equal([WHOLE - 1, WHOLE]);
    expect(source.problems.first.map(({ code }) => code)).to.deep.equal(['BAG_INVALID', 'MESSAGE_INVALID']);
    expect(source.problems.first[1]!.message).to.match(
      /^Expected a whole message, got .*; skipped it \[.*, \/.*, id \d+\]$/,
    );
  });

  it('reads what is left of a file that was cut off', async () => {
    const bytes = readFileSync(`${GOOD}/db3/db3.db3`);
    const leaves = leavesOf(`${GOOD}/db3/db3.db3`);
    const pageBytes = leaves[0]!.pageBytes;
    // The index of the times is gone each time; the second cut lies inside a page.
    for (const [pages, more] of [
      [16, 0],
      [22, 123],
      [30, 0],
    ] as const) {
      const left = leaves.filter(({ page }) => page <= pages).reduce((sum, { images }) => sum + images, 0);
      expect(left).to.be.within(10, WHOLE - 1);
      const { images, code } = await read(fileWith(bytes.subarray(0, pages * pageBytes + more)));
      expect([images, code]).to.deep.equal([left, 'BAG_INVALID']);
    }
  });

  for (const [table, least, sentence] of [
    ['topics', 0, /Expected a rosbag2 sqlite3 database, got |Expected a topic of sensor_msgs/],
    ['messages', 0, /Expected a (rosbag2|whole) sqlite3 database, got /],
    ['schema', WHOLE, undefined],
    ['metadata', WHOLE, undefined],
    ['message_definitions', WHOLE, undefined],
  ] as const)
    it(`reads or refuses a file with flipped bytes in the pages of table ${table}`, async () => {
      const bytes = readFileSync(`${GOOD}/db3/db3.db3`);
      const database = new Database(`${GOOD}/db3/db3.db3`, { readonly: true });
      const root = database
        .prepare<[string], { rootpage: number }>('SELECT rootpage FROM sqlite_master WHERE name = ?')
        .get(table)!.rootpage;
      const size = database.pragma('page_size', { simple: true }) as number;
      database.close();
      const seen: string[] = [];
      // The page's header and cell pointers one by one, the rest in steps.
      for (let at = 0; at < size; at += at < 24 ? 1 : 131) {
        const damaged = Buffer.from(bytes);
        damaged[(root - 1) * size + at]! ^= 0xff;
        const { images, sentences } = await read(fileWith(damaged));
        expect(images, `images with byte ${at} flipped`).to.be.at.least(least);
        if (images < WHOLE) expect(sentences, `byte ${at}`).not.to.be.empty;
        seen.push(...sentences);
      }
      if (sentence === undefined) expect(seen).to.deep.equal([]);
      else
        expect(
          seen.some((one) => sentence.test(one)),
          seen[0],
        ).to.equal(true);
    });
});
