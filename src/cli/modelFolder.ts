import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { messageOf, VprError } from '../core/VprError.js';
import { OnnxExtractor } from '../inference/OnnxExtractor.js';
import type { GoldenVector, ModelManifest } from '../inference/ModelManifest.js';
import { MANIFEST_FILE, parseModelManifest, sha256OfFile } from '../inference/readModelManifest.js';
import { goldenVector } from '../inference/selfTest.js';

/** Seeds of the golden vectors that every model folder gets. */
const GOLDEN_SEEDS = [1, 2] as const;

/** The VprError for what the file system threw while a model was written; everything else passes through. */
function writeErrorOf(error: unknown, folder: string): unknown {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (syscall === undefined) return error;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new VprError('DISK_FULL', `Expected free space for the model, got a full disk [${folder}]`, {
      cause: error,
    });
  return new VprError(
    'FILE_NOT_WRITABLE',
    `Expected a folder for the model that can be written, got: ${messageOf(error)} [${folder}]`,
    { cause: error },
  );
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Removes what killed processes left in the folder, also under our own number: in a container every run may have the same. */
function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = Number(/^\.new-(\d+)$/.exec(name)?.[1]);
    if (pid === process.pid || (pid > 0 && !isRunning(pid)))
      rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}

function sync(file: string): void {
  const descriptor = openSync(file, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Gives whole files their names in `folder`, durably; the manifest last, so that it never tells of files that are to come. */
function publishFiles(newFolder: string, folder: string): void {
  const names = readdirSync(newFolder).sort((a, b) => Number(a === MANIFEST_FILE) - Number(b === MANIFEST_FILE));
  for (const name of names) {
    const file = path.join(folder, name);
    if (statSync(file, { throwIfNoEntry: false })?.isFile() === false)
      throw new VprError('FILE_NOT_WRITABLE', `Expected a regular file or none, got something else [${file}]`);
    sync(path.join(newFolder, name));
  }
  for (const name of names) renameSync(path.join(newFolder, name), path.join(folder, name));
  sync(folder);
}

/**
 * Makes or replaces the model in `folder`. `write` writes all files of it, under their final names, into the folder that it
 * is given; they take their places only after it is done. Until then the old model stays whole, and whoever has its files
 * mapped keeps them: a file that is written where it lies would be pulled from under ONNX Runtime. Returns what `write` does.
 * Throws FILE_NOT_WRITABLE, DISK_FULL and what `write` throws; then nothing of the new model is left.
 */
export async function replaceModelFolder<T>(folder: string, write: (newFolder: string) => Promise<T>): Promise<T> {
  const newFolder = path.join(folder, `.new-${process.pid}`);
  let isNew: boolean;
  try {
    isNew = mkdirSync(folder, { recursive: true }) !== undefined;
    removeLeftovers(folder);
    mkdirSync(newFolder);
  } catch (error) {
    throw writeErrorOf(error, folder);
  }
  try {
    const result = await write(newFolder);
    publishFiles(newFolder, folder);
    rmdirSync(newFolder);
    return result;
  } catch (error) {
    rmSync(newFolder, { recursive: true, force: true });
    if (isNew && readdirSync(folder).length === 0) rmdirSync(folder);
    throw writeErrorOf(error, folder);
  }
}

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
 * `seeds` by the CPU provider. Returns the manifest. Throws MODEL_INVALID where its own reader would refuse it (an empty name),
 * and what opening and running the graph throws.
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
  const draft: ModelManifest = { formatVersion: 2, name, architecture, files: described, ...rest, golden: [] };
  const manifest: ModelManifest = { ...draft, golden: await goldenVectors(folder, draft, seeds) };
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  // What its own reader refuses, nothing could open.
  parseModelManifest(text, MANIFEST_FILE);
  writeFileSync(path.join(folder, MANIFEST_FILE), text);
  return manifest;
}
