import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
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
    // A pipe would give its reader an end, a link to a file that is not there would go in place of the file.
    const there = lstatSync(file, { throwIfNoEntry: false });
    if (there?.isSymbolicLink() === true && !existsSync(file)) return;
    if (there !== undefined && !statSync(file).isFile() && !statSync(file).isDirectory()) {
      accessSync(file, constants.W_OK);
      return;
    }
    closeSync(openSync(file, 'a'));
    if (there === undefined) rmSync(file);
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
