import Database from 'better-sqlite3';
import { MAX_MESSAGE_BYTES } from '../core/limits.js';
import { messageOf, VprError } from '../core/VprError.js';
import type { BagFile, BagMessage, BagTopic, ProblemListener } from './BagFile.js';
import { DamageTeller } from './DamageTeller.js';
import { openFile } from './openFile.js';

interface TopicRow {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly serialization_format: string;
}

interface MessageRow {
  readonly id: bigint;
  readonly topic: bigint;
  readonly timestamp: bigint;
  readonly bytes: bigint;
  readonly data: Buffer | null;
}

/** As ROS names them: package/msg/Name, or package/Name. */
const MESSAGE_TYPE = /^\w+\/(\w+\/)?\w+$/;

/** The file may come from anywhere: nothing in its schema is allowed to call functions, and each cell is looked at before it is used. */
function openDatabase(path: string): Database.Database {
  const database = new Database(path, { readonly: true, fileMustExist: true });
  database.pragma('trusted_schema = OFF');
  database.pragma('cell_size_check = ON');
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
    const counts = new Map(
      database
        .prepare<[], { id: number; count: number }>(
          'SELECT topic_id AS id, count(*) AS count FROM messages GROUP BY topic_id',
        )
        .all()
        .map(({ id, count }) => [id, count]),
    );
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
    const range = database
      .prepare<[], { first: bigint | null; last: bigint | null }>(
        'SELECT min(timestamp) AS first, max(timestamp) AS last FROM messages',
      )
      .safeIntegers()
      .get();
    this.startNs = range?.first ?? 0n;
    this.endNs = range?.last ?? 0n;
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
      throw new VprError('BAG_INVALID', `Expected a rosbag2 sqlite3 database, got ${messageOf(error)} [${path}]`, {
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
    try {
      const rows = database
        .prepare<bigint[], MessageRow>(
          `SELECT id, topic_id AS topic, timestamp, length(data) AS bytes,
                  CASE WHEN length(data) <= ${MAX_MESSAGE_BYTES} THEN data END AS data
           FROM messages WHERE topic_id IN (${ids.map(() => '?').join(', ')}) ORDER BY ${order}`,
        )
        .safeIntegers()
        .iterate(...ids.map(BigInt));
      for (const row of rows) {
        const topic = this.#topicById.get(Number(row.topic))!;
        if (!Buffer.isBuffer(row.data) || typeof row.timestamp !== 'bigint') {
          onProblem(
            new VprError(
              'MESSAGE_INVALID',
              `Expected a message of at most ${MAX_MESSAGE_BYTES} bytes with a time, got ${row.bytes} bytes; skipped it [${this.path}, ${topic.name}, id ${row.id}]`,
            ),
          );
          continue;
        }
        yield { topic, logTimeNs: row.timestamp, data: row.data };
      }
    } catch (error) {
      if (!(error instanceof Database.SqliteError)) throw error;
      tell(
        new VprError(
          'BAG_INVALID',
          `Expected a whole sqlite3 database, got ${error.message}; stopped there [${this.path}]`,
          {
            cause: error,
          },
        ),
      );
    } finally {
      database.close();
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
