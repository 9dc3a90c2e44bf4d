/** The table of image encodings, transports and bags that the tests compare with independent decoders, from the test data. */
import { readFileSync } from 'node:fs';
import { BAGS } from '../dist/test/unit/bag/bagFixtures.js';

const read = (name) => JSON.parse(readFileSync(new URL(`../test/data/${name}`, import.meta.url), 'utf8'));

/** What the pixels of a transport are compared with, by the tolerance in levels of 255. */
const exactness = (tolerance) => (tolerance === 0 ? 'equal' : `within ${tolerance} of 255`);

export function encodingTable() {
  const { cases } = read('image/encodings.json');
  const { cases: inBags } = read('bag/bags.json');
  const rows = new Map();
  for (const index of inBags) {
    const { kind, encoding, format, isBigEndian, tolerance } = cases[index];
    const name = kind === 'raw' ? encoding : format;
    const key = `${kind} ${name}`;
    const row = rows.get(key) ?? { kind, name, orders: new Set(), tolerance: 0 };
    row.orders.add(kind === 'raw' ? (isBigEndian ? 'big' : 'little') : '-');
    row.tolerance = Math.max(row.tolerance, tolerance);
    rows.set(key, row);
  }
  const bags = BAGS.map(([name]) => `\`${name}\``).join(', ');
  const lines = [...rows.values()].map(({ kind, name, orders, tolerance }) => {
    const transport = kind === 'raw' ? 'Image' : 'CompressedImage';
    return `| ${name === '' ? '(empty)' : `\`${name.trim()}\``} | ${transport} | ${[...orders].sort().join(', ')} | ${exactness(tolerance)} | ${BAGS.length} of ${BAGS.length} |`;
  });
  return (
    `| encoding or format | transport | byte order | pixels against the golden | bags |\n| --- | --- | --- | --- | --- |\n${lines.join('\n')}\n\n` +
    `The bags, in \`test/data/bag\`, by other people's writers: ${bags}.`
  );
}
