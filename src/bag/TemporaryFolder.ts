import { rmSync } from 'node:fs';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { messageOf, VprError } from '../core/VprError.js';

/** Left free on the disk of temporary files. */
const SPARE_BYTES = 64 * 1024 * 1024;
/** They end a process without its 'exit' event. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const folders = new Set<string>();

function removeAll(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
}

function endBySignal(signal: NodeJS.Signals): void {
  // Where others listen too, they say what the signal means: the folders go when the process does.
  if (process.listenerCount(signal) > 1) return;
  removeAll();
  unwatch();
  process.kill(process.pid, signal);
}

function watch(): void {
  process.on('exit', removeAll);
  for (const signal of SIGNALS) process.on(signal, endBySignal);
}

function unwatch(): void {
  process.off('exit', removeAll);
  for (const signal of SIGNALS) process.off(signal, endBySignal);
}

/** A folder in TMPDIR for one bag, which is gone at the latest when this process ends, unless by SIGKILL. */
export class TemporaryFolder {
  readonly path: string;
  /** Bytes that may be written there. */
  readonly room: number;
  /** The bag, for error sentences. */
  readonly #file: string;

  private constructor(folder: string, room: number, file: string) {
    this.path = folder;
    this.room = room;
    this.#file = file;
  }

  /** file: the bag. The caller removes the folder. Throws FILE_NOT_WRITABLE. */
  static async make(file: string): Promise<TemporaryFolder> {
    let folder: string | undefined;
    try {
      folder = await mkdtemp(path.join(tmpdir(), 'vpr-bag-'));
      if (folders.size === 0) watch();
      folders.add(folder);
      const { bavail, bsize } = await statfs(folder);
      return new TemporaryFolder(folder, bavail * bsize - SPARE_BYTES, file);
    } catch (error) {
      if (folder !== undefined) await remove(folder);
      throw new VprError(
        'FILE_NOT_WRITABLE',
        `Expected a folder in ${tmpdir()} (TMPDIR) for a copy of the bag, got ${messageOf(error)} [${file}]`,
        { cause: error },
      );
    }
  }

  /** needed: "1000 bytes". */
  full(needed: string, cause?: unknown): VprError {
    return new VprError(
      'DISK_FULL',
      `Expected ${needed} of free space in ${tmpdir()} for the unpacked bag, got ${Math.max(0, this.room)} [${this.#file}]`,
      { cause },
    );
  }

  readonly remove = (): Promise<void> => remove(this.path);
}

async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  folders.delete(folder);
  if (folders.size === 0) unwatch();
}
