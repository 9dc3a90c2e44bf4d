/**
 * Runs `make` for each item with up to `ahead` results under way, and gives the results to `take` in order.
 * Rendering holds the thread, encoding does not: with some pictures ahead the two overlap, in bounded memory.
 */
export async function inOrder<Item, Result>(
  items: Iterable<Item>,
  make: (item: Item) => Promise<Result>,
  take: (result: Result, item: Item) => Promise<void>,
  ahead = 6,
): Promise<void> {
  const waiting: { readonly item: Item; readonly result: Promise<Result> }[] = [];
  const takeFirst = async (): Promise<void> => {
    const first = waiting.shift();
    if (first !== undefined) await take(await first.result, first.item);
  };
  for (const item of items) {
    const result = make(item);
    // A failure is reported when its turn comes; until then it is not unhandled.
    result.catch(() => undefined);
    waiting.push({ item, result });
    if (waiting.length > ahead) await takeFirst();
  }
  while (waiting.length > 0) await takeFirst();
}
