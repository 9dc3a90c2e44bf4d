import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { NewReference } from '../../../src/core/reference.js';
import { quaternionFromYaw } from '../../../src/core/pose.js';
import { l2Normalize } from '../../../src/core/descriptor.js';
import type { MapMeta } from '../../../src/map/MapMeta.js';
import { uniformNumbers } from '../../../src/core/mulberry32.js';

/** A folder that vanishes when `use` is done. */
export function withFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(path.join(tmpdir(), 'vpr-map-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function sampleMeta(changes: Partial<MapMeta> = {}): MapMeta {
  return {
    modelName: 'sample-model',
    modelSha256: 'ab'.repeat(32),
    descriptorDimension: 16,
    storage: 'f32',
    mapFrame: 'map',
    poseKind: 'mapFromBase',
    childFrame: 'base_link',
    binarizer: { kind: 'model' },
    ...changes,
  };
}

/** Reference number i (from 0) of a made-up session: every field set, every third without a thumbnail, every fifth without a pose. */
export function sampleReference(i: number, dimension = 16, seed = 1): NewReference {
  const random = uniformNumbers(seed * 1_000_003 + i);
  return {
    placeId: 1 + Math.floor(i / 2),
    label: `image ${i} \u00e4\u{1F916}`,
    camera: i % 2 === 0 ? 'front' : 'rear',
    stampNs: 1_700_000_000_123_456_789n + BigInt(i) * 500_000_000n,
    ...(i % 5 === 4
      ? {}
      : { pose: { position: [i * 0.5, 2 - i / 3, 0] as const, orientation: quaternionFromYaw(i * 0.01) } }),
    code: Uint8Array.from({ length: 64 }, () => Math.floor(random() * 256)),
    descriptor: l2Normalize(Float32Array.from({ length: dimension }, () => random() - 0.5)),
    ...(i % 3 === 2 ? {} : { thumbnail: Uint8Array.from({ length: 50 + (i % 7) }, () => Math.floor(random() * 256)) }),
  };
}

export function sampleReferences(count: number, dimension = 16, seed = 1): NewReference[] {
  return Array.from({ length: count }, (_, i) => sampleReference(i, dimension, seed));
}
