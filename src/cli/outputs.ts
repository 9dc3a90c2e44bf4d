import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { VprError } from '../core/VprError.js';
import { PlaceMap } from '../map/PlaceMap.js';

/** What went wrong with writing, as DISK_FULL or FILE_NOT_WRITABLE; anything that is no fault of the file system as it is. */
export function writeErrorOf(error: unknown, file: string): unknown {
  if (!(error instanceof Error) || error instanceof VprError) return error;
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (syscall === undefined) return error;
  return code === 'ENOSPC'
    ? new VprError('DISK_FULL', `Expected free space, got: ${message} [${file}]`, { cause: error })
    : new VprError('FILE_NOT_WRITABLE', `Expected a place that can be written, got: ${message} [${file}]`, {
        cause: error,
      });
}

/** Does what writes to a file or folder. Throws DISK_FULL, FILE_NOT_WRITABLE. */
export function writing<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw writeErrorOf(error, file);
  }
}

export function writeText(file: string, text: string): void {
  writing(file, () => writeFileSync(file, text));
}

// What follows is asked before the hours of work that the output is of.

/** Throws FILE_NOT_WRITABLE where a file cannot be written; leaves it, or its absence, as it is. */
export function probeFile(file: string): void {
  writing(file, () => {
    const exists = existsSync(file);
    closeSync(openSync(file, 'a'));
    if (!exists) rmSync(file);
  });
}

/** Makes a folder where there is none. Throws FILE_NOT_WRITABLE. */
export function probeFolder(folder: string): void {
  writing(folder, () => {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  });
}

/** Throws what opening a map for appending throws: MAP_LOCKED, FILE_NOT_WRITABLE, ... */
export function probeMap(file: string): void {
  PlaceMap.open(file, 'append').close();
}
