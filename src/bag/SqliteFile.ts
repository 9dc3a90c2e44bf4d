import Database from 'better-sqlite3';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MAX_MESSAGE_BYTES } from '../core/limits.js';
import { VprError } from '../core/VprError.js';
import type { BagFile, BagMessage, BagTopic, ProblemListener } from './BagFile.js';
import { hasWal } from './copyWithoutWal.js';
import { DamageTeller } from './DamageTeller.js';
import { findIds } from './findIds.js';
import { openFile } from './openFile.js';

interface TopicRow {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly serialization_format: string;
}

interface MessageHead {
  readonly id: bigint;
  readonly topic: bigint;
  readonly timestamp: bigint;
  readonly bytes: bigint;
}

interface MessageData {
  readonly data: Buffer | null;
}

const HEAD_COLUMNS = 'id, topic_id AS topic, timestamp, length(data) AS bytes';
const DATA_COLUMN = `CASE WHEN length(data) <= ${MAX_MESSAGE_BYTES} THEN data END AS data`;

const ROWS_A_TURN = 1000;

function anyOf(topicIds: readonly number[]): string {
  return `topic_id IN (${topicIds.map(() => '?').join(', ')})`;
}

/** Codes of SQLite that are the folder's fault where it must make a file beside the database. */
const NOT_OPENED = /^SQLITE_(CANTOPEN|READONLY)/;

/** As ROS names them: package/msg/Name, or package/Name. */
const MESSAGE_TYPE = /^\w+\/(\w+\/)?\w+$/;

/** The file may come from anywhere: nothing in its schema is allowed to call functions, and each cell is looked at before it is used. */
function openDatabase(path: string): Database.Database {
  const database = new Database(path, { readonly: true, fileMustExist: true });
  database.pragma('trusted_schema = OFF');
  database.pragma('cell_size_check = ON');
  // SQLite refuses every table of a file that was cut off in front of one of them, unless the schema may be mended;
  // nothing is written through this connection.
  database.unsafeMode();
  database.pragma('writable_schema = ON');
  return database;
}

/** Throws RangeError where a name of rosbag2's tables stands for what is computed: a view may have rows without end. */
function checkTables(database: Database.Database): void {
  const computed = database
    .prepare<[], { what: string; name: string }>(
      `SELECT type AS what, name FROM pragma_table_list
         WHERE schema = 'main' AND name IN ('topics', 'messages') AND type <> 'table'
       UNION ALL SELECT 'computed column', t.name || '.' || c.name FROM pragma_table_list AS t, pragma_table_xinfo(t.name) AS c
         WHERE t.schema = 'main' AND t.name IN ('topics', 'messages') AND c.hidden <> 0`,
    )
    .get();
  if (computed !== undefined) throw new RangeError(`the ${computed.what} '${computed.name}' in place of a table's own`);
}

interface Survey {
  /** Messages by the id of their topic. */
  readonly counts: ReadonlyMap<number, number>;
  /** 0 where there are none. */
  readonly startNs: bigint;
  readonly endNs: bigint;
}

/** Counts the messages; of a damaged table those that can be found. */
function surveyMessages(database: Database.Database): Survey {
  try {
    const counts = database
      .prepare<[], { id: number; count: number }>(
        'SELECT topic_id AS id, count(*) AS count FROM messages GROUP BY topic_id',
      )
      .all();
    const range = database
      .prepare<[], { first: bigint | null; last: bigint | null }>(
        'SELECT min(timestamp) AS first, max(timestamp) AS last FROM messages',
      )
      .safeIntegers()
      .get();
    return {
      counts: new Map(counts.map(({ id, count }) => [id, count])),
      startNs: typeof range?.first === 'bigint' ? range.first : 0n,
      endNs: typeof range?.last === 'bigint' ? range.last : 0n,
    };
  } catch (error) {
    if (!(error instanceof Database.SqliteError) || !error.code.startsWith('SQLITE_CORRUPT')) throw error;
  }
  const counts = new Map<number, number>();
  let startNs: bigint | undefined;
  let endNs: bigint | undefined;
  database.exec('BEGIN');
  const heads = database
    .prepare<[bigint], MessageHead>(`SELECT ${HEAD_COLUMNS} FROM messages WHERE id = ?`)
    .safeIntegers();
  for (const id of findIds(database, () => undefined)) {
    let head: MessageHead | undefined;
    try {
      head = heads.get(id);
    } catch (error) {
      if (!(error instanceof Database.SqliteError)) throw error;
    }
    if (typeof head?.timestamp !== 'bigint') continue;
    const { topic, timestamp } = head;
    counts.set(Number(topic), (counts.get(Number(topic)) ?? 0) + 1);
    if (startNs === undefined || timestamp < startNs) startNs = timestamp;
    if (endNs === undefined || timestamp > endNs) endNs = timestamp;
  }
  return { counts, startNs: startNs ?? 0n, endNs: endNs ?? 0n };
}

/** rosbag2's sqlite3 storage: tables `topics` and `messages`. */
export class SqliteFile implements BagFile {
  readonly storage = 'sqlite3';
  readonly path: string;
  readonly topics: readonly BagTopic[];
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly #topicById: ReadonlyMap<number, BagTopic>;
  readonly #hasTimeIndex: boolean;
  /** What is wrong with the table of topics. */
  readonly #damage: readonly string[];
  readonly #teller = new DamageTeller();

  private constructor(path: string, database: Database.Database) {
    this.path = path;
    const rows = database
      .prepare<[], TopicRow>('SELECT id, name, type, serialization_format FROM topics ORDER BY id')
      .all();
    const { counts, startNs, endNs } = surveyMessages(database);
    this.startNs = startNs;
    this.endNs = endNs;
    this.#topicById = new Map(
      rows.map(({ id, name, type, serialization_format: encoding }) => [
        id,
        { name: String(name), type: String(type), encoding: String(encoding), messageCount: counts.get(id) ?? 0 },
      ]),
    );
    this.topics = [...this.#topicById.values()];
    const lost = [...counts].filter(([id]) => !this.#topicById.has(id)).reduce((sum, [, count]) => sum + count, 0);
    const pages = database.prepare("PRAGMA quick_check('topics')").pluck().all() as string[];
    this.#damage = [
      ...(lost === 0 ? [] : [`Expected a topic for each message, got ${lost} messages without one; skipped them`]),
      ...this.topics
        .filter(({ type }) => !MESSAGE_TYPE.test(type))
        .map(({ name, type }) => `Expected a message type for topic '${name}', got '${type}'; skipped it`),
      ...pages.filter((one) => one !== 'ok').map((one) => `Expected a whole table of topics, got: ${one}`),
    ];
    this.#hasTimeIndex = database
      .prepare<[], { name: string }>(
        "SELECT i.name FROM pragma_index_list('messages') AS i, pragma_index_info(i.name) AS c WHERE c.seqno = 0 AND c.name = 'timestamp'",
      )
      .all()
      .some(Boolean);
  }

  /** Throws FILE_MISSING, FILE_UNREADABLE, or BAG_INVALID when it is not such a database. */
  static async open(path: string): Promise<SqliteFile> {
    const { handle } = await openFile(path, 'a rosbag2 sqlite3 file');
    await handle.close();
    let database: Database.Database | undefined;
    try {
      database = openDatabase(path);
      checkTables(database);
      return new SqliteFile(path, database);
    } catch (error) {
      // Not the bag's fault otherwise: a native module that this Node cannot load.
      if (!(error instanceof Database.SqliteError || error instanceof RangeError)) throw error;
      if (error instanceof Database.SqliteError && NOT_OPENED.test(error.code) && (await hasWal(path)))
        throw new VprError(
          'FILE_UNREADABLE',
          `Expected a folder that may be written to, for a database with messages in the log beside it (-wal), got ${error.message}; copy both elsewhere [${path}]`,
          { cause: error },
        );
      throw new VprError('BAG_INVALID', `Expected a rosbag2 sqlite3 database, got ${error.message} [${path}]`, {
        cause: error,
      });
    } finally {
      database?.close();
    }
  }

  async *messages(topics: readonly BagTopic[], onProblem: ProblemListener): AsyncIterable<BagMessage> {
    const ids = [...this.#topicById].filter(([, topic]) => topics.includes(topic)).map(([id]) => id);
    const tell = this.#teller.once(onProblem);
    for (const sentence of this.#damage) tell(new VprError('BAG_INVALID', `${sentence} [${this.path}, topics]`));
    if (ids.length === 0) return;
    // Without the index that rosbag2 makes, sorting would copy every message: recording order is then the order.
    const order = this.#hasTimeIndex ? 'timestamp, id' : 'id';
    const database = openDatabase(this.path);
    let last: MessageHead | undefined;
    try {
      const rows = database
        .prepare<bigint[], MessageHead & MessageData>(
          `SELECT ${HEAD_COLUMNS}, ${DATA_COLUMN} FROM messages WHERE ${anyOf(ids)} ORDER BY ${order}`,
        )
        .safeIntegers()
        .iterate(...ids.map(BigInt));
      let read = 0;
      for (const row of rows) {
        // SQLite answers at once: without a pause no signal and no timer would get a turn.
        if (++read % ROWS_A_TURN === 0) await nextTurn();
        last = row;
        const message = this.#messageOf(row, row, onProblem);
        if (message !== undefined) yield message;
      }
    } catch (error) {
      if (!(error instanceof Database.SqliteError)) throw error;
      const sentence = `Expected a whole sqlite3 database, got ${error.message}; read what can be read of the rest, in the order of its ids`;
      tell(new VprError('BAG_INVALID', `${sentence} [${this.path}]`, { cause: error }));
      let read = 0;
      for (const message of this.#rest(database, ids, last, onProblem)) {
        if (++read % ROWS_A_TURN === 0) await nextTurn();
        yield message;
      }
    } finally {
      database.close();
    }
  }

  /** Messages of a damaged database that come after `last`, looked up one by one. */
  *#rest(
    database: Database.Database,
    topicIds: readonly number[],
    last: MessageHead | undefined,
    onProblem: ProblemListener,
  ): Generator<BagMessage> {
    const tell = this.#teller.once(onProblem);
    const tellGap = (first: bigint, end: bigint | undefined): void => {
      const ids =
        end === undefined ? `${first} and above` : first + 1n === end ? `${first}` : `${first} to ${end - 1n}`;
      tell(new VprError('BAG_INVALID', `Expected messages, got pages that cannot be read [${this.path}, ids ${ids}]`));
    };
    // One transaction, or each look-up would take and give back the lock of the file.
    database.exec('BEGIN');
    const heads = database
      .prepare<bigint[], MessageHead>(`SELECT ${HEAD_COLUMNS} FROM messages WHERE id = ? AND ${anyOf(topicIds)}`)
      .safeIntegers();
    const data = database.prepare<[bigint], MessageData>(`SELECT ${DATA_COLUMN} FROM messages WHERE id = ?`);
    for (const id of findIds(database, tellGap)) {
      let head: MessageHead | undefined;
      try {
        head = heads.get(id, ...topicIds.map(BigInt));
        if (head === undefined || (last !== undefined && !this.#isBehind(head, last))) continue;
        const message = this.#messageOf(head, data.get(id)!, onProblem);
        if (message !== undefined) yield message;
      } catch (error) {
        if (!(error instanceof Database.SqliteError)) throw error;
        if (head === undefined) tellGap(id, id + 1n);
        else {
          const sentence = `Expected a whole message, got ${error.message}; skipped it`;
          onProblem(new VprError('MESSAGE_INVALID', `${sentence} [${this.#where(head)}]`, { cause: error }));
        }
      }
    }
  }

  /** Whether a message comes after one up to which all were delivered. */
  #isBehind(head: MessageHead, last: MessageHead): boolean {
    if (!this.#hasTimeIndex || head.timestamp === last.timestamp) return head.id > last.id;
    return head.timestamp > last.timestamp;
  }

  #messageOf(head: MessageHead, { data }: MessageData, onProblem: ProblemListener): BagMessage | undefined {
    if (Buffer.isBuffer(data) && typeof head.timestamp === 'bigint')
      return { topic: this.#topicById.get(Number(head.topic))!, logTimeNs: head.timestamp, data };
    const sentence = `Expected a message of at most ${MAX_MESSAGE_BYTES} bytes with a time, got ${head.bytes} bytes; skipped it`;
    onProblem(new VprError('MESSAGE_INVALID', `${sentence} [${this.#where(head)}]`));
    return undefined;
  }

  #where({ topic, id }: MessageHead): string {
    return `${this.path}, ${this.#topicById.get(Number(topic))!.name}, id ${id}`;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
