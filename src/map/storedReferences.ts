import { CODE_BYTES } from '../core/binaryCode.js';
import { VprError } from '../core/VprError.js';
import type { PlaceMap } from './PlaceMap.js';
import type { StoredReference } from './ReferenceWriter.js';

/** References whose descriptors are read together. */
const BATCH = 64;

/** Everything of every reference of a map, ascending, each part checked. Throws MAP_CORRUPT naming the reference. */
export function* storedReferences(map: PlaceMap): Generator<StoredReference> {
  const { dimension } = map;
  const records = map.references();
  for (const block of map.codes()) {
    for (let start = 0; start < block.referenceIds.length; start += BATCH) {
      const ids = block.referenceIds.subarray(start, start + BATCH);
      const descriptors = new Float32Array(ids.length * dimension);
      map.readDescriptors(ids, descriptors);
      for (let i = 0; i < ids.length; i++) {
        const record = records.next().value;
        if (record?.referenceId !== ids[i])
          throw new VprError(
            'MAP_CORRUPT',
            `Expected a record of reference ${ids[i]}, got ${record === undefined ? 'none' : `one of ${record.referenceId}`} [${map.path}]`,
          );
        const thumbnail = map.thumbnail(record.referenceId);
        yield {
          ...record,
          code: block.codes.slice((start + i) * CODE_BYTES, (start + i + 1) * CODE_BYTES),
          descriptor: descriptors.slice(i * dimension, (i + 1) * dimension),
          ...(thumbnail === undefined ? {} : { thumbnail }),
        };
      }
    }
  }
}
