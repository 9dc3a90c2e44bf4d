import { copyFileSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import Database from 'better-sqlite3';
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

  it('reads up to a corrupted page and says so', async () => {
    const bytes = readFileSync(`${GOOD}/db3/db3.db3`);
    for (const page of [1, 5, 12, 30]) {
      const damaged = Buffer.from(bytes);
      damaged.fill(0xff, page * 4096 + 8, page * 4096 + 200);
      const { sentences, images } = await read(fileWith(damaged));
      if (images < WHOLE) expect(sentences.join(), `page ${page}`).to.match(/sqlite3 database, got|Expected/);
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
