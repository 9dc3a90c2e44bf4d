import { statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { OnnxExtractor } from '../inference/OnnxExtractor.js';
import type { GoldenVector, ModelManifest } from '../inference/ModelManifest.js';
import { sha256OfFile } from '../inference/readModelManifest.js';
import { goldenVector } from '../inference/selfTest.js';

/** Seeds of the golden vectors that every model folder gets. */
const GOLDEN_SEEDS = [1, 2] as const;

async function goldenVectors(
  folder: string,
  manifest: ModelManifest,
  seeds: readonly number[],
): Promise<readonly GoldenVector[]> {
  if (seeds.length === 0) return [];
  const extractor = await OnnxExtractor.open(folder, manifest, { provider: 'cpu', deviceId: 0, threads: 0 });
  const vectors = [];
  try {
    for (const seed of seeds) vectors.push(await goldenVector(extractor, seed));
  } finally {
    await extractor.close();
  }
  return vectors;
}

/**
 * Writes FOLDER/model.json beside a graph that is already there: sizes and checksums of `files`, and golden vectors of
 * `seeds` by the CPU provider. Returns the manifest.
 */
export async function writeModelManifest(
  folder: string,
  files: readonly string[],
  description: Omit<ModelManifest, 'formatVersion' | 'files' | 'golden'>,
  seeds: readonly number[] = GOLDEN_SEEDS,
): Promise<ModelManifest> {
  const described = await Promise.all(
    files.map(async (name) => {
      const file = path.join(folder, name);
      return { name, bytes: statSync(file).size, sha256: await sha256OfFile(file) };
    }),
  );
  const { name, architecture, ...rest } = description;
  const draft: ModelManifest = { formatVersion: 1, name, architecture, files: described, ...rest, golden: [] };
  const manifest: ModelManifest = { ...draft, golden: await goldenVectors(folder, draft, seeds) };
  writeFileSync(path.join(folder, 'model.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}
