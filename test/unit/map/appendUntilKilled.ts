/**
 * Child process of the crash tests: appends to a map as fast as it can and says what was committed, one line a commit:
 * "<last reference id>". Arguments: map file.
 */
import { existsSync, writeSync } from 'node:fs';
import { PlaceMap } from '../../../src/map/PlaceMap.js';
import { sampleMeta, sampleReference } from './mapFixtures.js';

const file = process.argv[2]!;
const map = existsSync(file) ? PlaceMap.open(file, 'append') : PlaceMap.create(file, sampleMeta());
map.beginSession('run', `process ${process.pid}`);
for (;;) {
  const first = map.nextIds.referenceId;
  // 1 to 40 at once: small commits, and batches that fill the tail and seal it.
  const count = 1 + (first % 40);
  const ids = map.appendReferences(Array.from({ length: count }, (_, i) => sampleReference(first - 1 + i)));
  writeSync(1, `${ids[ids.length - 1]}\n`);
}
