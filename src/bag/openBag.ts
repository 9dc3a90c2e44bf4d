import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { load } from 'js-yaml';
import { messageOf, VprError, type VprErrorCode } from '../core/VprError.js';
import type { BagFile, ProblemListener } from './BagFile.js';
import { MAX_TEXT_FILE_BYTES } from './bagLimits.js';
import { copyWithoutWal, hasWal, usesWal } from './copyWithoutWal.js';
import { McapFile } from './McapFile.js';
import { fileError, openFile } from './openFile.js';
import { Ros1File } from './Ros1File.js';
import { SqliteFile } from './SqliteFile.js';
import { UnpackedBagFile } from './UnpackedBagFile.js';
import { unpackZstdFile } from './unpackZstdFile.js';
import { parseZstdFrame } from './zstdFrame.js';

const MCAP_MAGIC = Buffer.from('\x89MCAP0\r\n', 'latin1');
const SQLITE_MAGIC = Buffer.from('SQLite format 3\0', 'latin1');
const ROS1_MAGIC = Buffer.from('#ROSBAG V2.0', 'latin1');
const BAG_SUFFIX = /\.(mcap|db3|bag)(\.zstd?)?$/i;

export function hasBagSuffix(name: string): boolean {
  return BAG_SUFFIX.test(name);
}

/** The files that metadata.yaml lists, in its order. Throws BAG_INVALID where it lists none. */
async function listedFiles(folder: string, names: readonly string[]): Promise<readonly string[]> {
  const metadata = path.join(folder, 'metadata.yaml');
  const invalid = (got: string, cause?: unknown): VprError =>
    new VprError('BAG_INVALID', `Expected relative_file_paths in the bag's metadata, got ${got} [${metadata}]`, {
      cause,
    });
  if ((await stat(metadata)).size > MAX_TEXT_FILE_BYTES) throw invalid('a file of more than 256 MiB');
  let content: unknown;
  try {
    content = load(await readFile(metadata, 'utf8'));
  } catch (error) {
    throw invalid(messageOf(error).split('\n')[0]!, error);
  }
  const information = (content as { rosbag2_bagfile_information?: { relative_file_paths?: unknown } } | null)
    ?.rosbag2_bagfile_information;
  const listed = information?.relative_file_paths;
  if (!Array.isArray(listed)) throw invalid(listed === undefined ? 'none' : `a value of type ${typeof listed}`);
  return listed.map((name: unknown, i) => {
    // Not printed: YAML's aliases let a few hundred bytes stand for gigabytes of text.
    if (typeof name !== 'string' || name === '') throw invalid(`no file name in place ${i + 1}`);
    // Old rosbag2 wrote the folder's own name in front; a path that leaves the folder is nobody's honest work.
    const inside = path.join(folder, name);
    const own = names.includes(path.basename(name)) ? path.join(folder, path.basename(name)) : inside;
    if (path.relative(folder, own).startsWith('..')) throw invalid(`'${name}', which is outside the folder`);
    return own;
  });
}

interface BagFolder {
  readonly paths: readonly string[];
  /** Whether `paths` is the order of the recording. */
  readonly isOrdered: boolean;
  /** What is wrong with the metadata. */
  readonly problem?: VprError;
}

/** The files of a bag folder: those that metadata.yaml lists, or those with a bag's suffix where it is missing or damaged. */
async function bagFilesIn(folder: string): Promise<BagFolder> {
  const names = (await readdir(folder)).sort();
  const paths = names.filter(hasBagSuffix).map((name) => path.join(folder, name));
  if (!names.includes('metadata.yaml')) return { paths, isOrdered: false };
  try {
    return { paths: await listedFiles(folder, names), isOrdered: true };
  } catch (error) {
    if (!(error instanceof VprError) || paths.length === 0) throw error;
    const problem = new VprError(error.code, `${error.message}; took the bag files of the folder`, { cause: error });
    return { paths, isOrdered: false, problem };
  }
}

/** By their first messages, files without any last; where those are equal, by the numbers in their names. */
function inTimeOrder(files: readonly BagFile[]): readonly BagFile[] {
  const isEmpty = ({ topics }: BagFile): number => (topics.some(({ messageCount }) => messageCount > 0) ? 0 : 1);
  return files.toSorted(
    (a, b) =>
      isEmpty(a) - isEmpty(b) ||
      (a.startNs < b.startNs ? -1 : a.startNs > b.startNs ? 1 : 0) ||
      a.path.localeCompare(b.path, 'en', { numeric: true }),
  );
}

async function headOf(file: string): Promise<Buffer> {
  const { handle } = await openFile(file, 'a bag file');
  const head = Buffer.alloc(32);
  try {
    await handle.read(head, 0, head.length, 0);
  } finally {
    await handle.close();
  }
  return head;
}

function startsWith(head: Buffer, magic: Buffer): boolean {
  return head.subarray(0, magic.length).equals(magic);
}

async function openByHead(file: string, head: Buffer, onProblem: ProblemListener): Promise<BagFile> {
  if (startsWith(head, MCAP_MAGIC)) return McapFile.open(file, onProblem);
  if (startsWith(head, SQLITE_MAGIC)) return SqliteFile.open(file);
  if (startsWith(head, ROS1_MAGIC)) return Ros1File.open(file);
  throw new VprError(
    'BAG_INVALID',
    `Expected an mcap, sqlite3 or ROS 1 bag, got bytes that start with ${head.subarray(0, 8).toString('hex')} [${file}]`,
  );
}

/**
 * Opens one bag file by its first bytes, whatever its name. What is inside a .zstd file is unpacked for as long as it is
 * open, and a database that nobody writes to any more, but that asks for a log in its folder, is copied.
 */
export async function openBagFile(file: string, onProblem: ProblemListener): Promise<BagFile> {
  const head = await headOf(file);
  const isZstd = parseZstdFrame(head) !== undefined;
  const isCopied = !isZstd && startsWith(head, SQLITE_MAGIC) && usesWal(head) && !(await hasWal(file));
  if (!isZstd && !isCopied) return openByHead(file, head, onProblem);
  let unpacked;
  try {
    unpacked = await (isZstd ? unpackZstdFile(file) : copyWithoutWal(file));
  } catch (error) {
    // Without room for a copy it may still be read where it lies, if its folder can be written to.
    if (!isCopied || !(error instanceof VprError)) throw error;
    return openByHead(file, head, onProblem).catch(() => {
      throw error;
    });
  }
  try {
    const inner = await openByHead(unpacked.path, await headOf(unpacked.path), onProblem);
    return new UnpackedBagFile(file, inner, unpacked.remove);
  } catch (error) {
    await unpacked.remove();
    throw error;
  }
}

/** Errors that are one file's own: the others of the folder are read without it. */
const FILE_CODES: ReadonlySet<VprErrorCode> = new Set([
  'BAG_INVALID',
  'BAG_TRUNCATED',
  'FILE_MISSING',
  'FILE_UNREADABLE',
]);

/**
 * Opens a bag file, or all files of a bag folder in the order of their recording. A file of a folder that cannot be opened
 * is told and left out while there is another. Throws FILE_MISSING, FILE_UNREADABLE, FILE_NOT_WRITABLE, DISK_FULL,
 * BAG_INVALID or BAG_TRUNCATED.
 */
export async function openBag(file: string, onProblem: ProblemListener): Promise<readonly BagFile[]> {
  let folder: BagFolder;
  try {
    if (!(await stat(file)).isDirectory()) return [await openBagFile(file, onProblem)];
    folder = await bagFilesIn(file);
  } catch (error) {
    throw error instanceof VprError ? error : fileError(error, file, 'a bag');
  }
  const { paths, isOrdered, problem } = folder;
  if (paths.length === 0) throw new VprError('BAG_INVALID', `Expected bag files in the folder, got none [${file}]`);
  if (problem !== undefined) onProblem(problem);
  const files: BagFile[] = [];
  const refused: VprError[] = [];
  try {
    for (const one of paths)
      try {
        files.push(await openBagFile(one, onProblem));
      } catch (error) {
        if (!(error instanceof VprError) || !FILE_CODES.has(error.code)) throw error;
        refused.push(error);
      }
    if (files.length === 0) throw refused[0]!;
  } catch (error) {
    for (const open of files) await open.close();
    throw error;
  }
  for (const error of refused)
    onProblem(new VprError('BAG_INVALID', `${error.message}; left it out`, { cause: error }));
  return isOrdered ? files : inTimeOrder(files);
}
