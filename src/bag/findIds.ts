import Database from 'better-sqlite3';

const MAX_ID = 2n ** 63n - 1n;
/** Ids that are tried one by one behind a page that cannot be read: more messages than a page holds. */
const MAX_SINGLE_STEPS = 1000;

/**
 * Ids of the messages of a damaged database in order, from 0: each is looked up by itself, so that a page that cannot be
 * read costs what it leads to and no more. Gaps are told by their first id and the first one behind them; undefined: none.
 */
export function* findIds(
  database: Database.Database,
  onGap: (first: bigint, end: bigint | undefined) => void,
): Generator<bigint> {
  const nearest = database
    .prepare<[bigint], bigint>('SELECT id FROM messages WHERE id >= ? ORDER BY id LIMIT 1')
    .pluck()
    .safeIntegers();
  /** The first id from one on; 'none' behind the last; undefined where the pages on the way there are damaged. */
  const find = (from: bigint): bigint | 'none' | undefined => {
    try {
      const id = nearest.get(from) ?? 'none';
      // Pages that lead back would be read for ever.
      return id === 'none' || id >= from ? id : undefined;
    } catch (error) {
      if (!(error instanceof Database.SqliteError)) throw error;
      return undefined;
    }
  };
  for (let from = 0n; from <= MAX_ID;) {
    let id = find(from);
    if (id === undefined) {
      // A page further up may have led to millions: after some single steps they double, and the end is then closed in on.
      let bad = from;
      let good = from;
      for (let steps = 0, stride = 1n; id === undefined; steps++) {
        bad = good;
        if (steps >= MAX_SINGLE_STEPS) stride *= 2n;
        good += stride;
        if (good > MAX_ID) return onGap(from, undefined);
        id = find(good);
      }
      while (good - bad > 1n) {
        const middle = (good + bad) / 2n;
        const found = find(middle);
        if (found === undefined) bad = middle;
        else [good, id] = [middle, found];
      }
      onGap(from, id === 'none' ? undefined : id);
    }
    if (id === 'none') return;
    yield id;
    from = id + 1n;
  }
}
