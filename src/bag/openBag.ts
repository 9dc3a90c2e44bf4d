import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { load } from 'js-yaml';
import { messageOf, VprError } from '../core/VprError.js';
import type { BagFile, ProblemListener } from './BagFile.js';
import { MAX_TEXT_FILE_BYTES } from './bagLimits.js';
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

/** The files of a bag folder in order: those that metadata.yaml lists, or those with a bag's suffix by name. */
export async function bagFilesIn(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).sort();
  if (!names.includes('metadata.yaml')) return names.filter(hasBagSuffix).map((name) => path.join(folder, name));
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

async function openByHead(file: string, head: Buffer, onProblem: ProblemListener): Promise<BagFile> {
  const startsWith = (magic: Buffer): boolean => head.subarray(0, magic.length).equals(magic);
  if (startsWith(MCAP_MAGIC)) return McapFile.open(file, onProblem);
  if (startsWith(SQLITE_MAGIC)) return SqliteFile.open(file);
  if (startsWith(ROS1_MAGIC)) return Ros1File.open(file);
  throw new VprError(
    'BAG_INVALID',
    `Expected an mcap, sqlite3 or ROS 1 bag, got bytes that start with ${head.subarray(0, 8).toString('hex')} [${file}]`,
  );
}

/** Opens one bag file by its first bytes, whatever its name; one inside a .zstd file is unpacked for as long as it is open. */
export async function openBagFile(file: string, onProblem: ProblemListener): Promise<BagFile> {
  const head = await headOf(file);
  if (parseZstdFrame(head) === undefined) return openByHead(file, head, onProblem);
  const unpacked = await unpackZstdFile(file);
  try {
    const inner = await openByHead(unpacked.path, await headOf(unpacked.path), onProblem);
    return new UnpackedBagFile(file, inner, unpacked.remove);
  } catch (error) {
    await unpacked.remove();
    throw error;
  }
}

/** Opens a bag file, or all files of a bag folder in order. */
export async function openBag(file: string, onProblem: ProblemListener): Promise<readonly BagFile[]> {
  let paths: readonly string[];
  try {
    paths = (await stat(file)).isDirectory() ? await bagFilesIn(file) : [file];
  } catch (error) {
    throw error instanceof VprError ? error : fileError(error, file, 'a bag');
  }
  if (paths.length === 0) throw new VprError('BAG_INVALID', `Expected bag files in the folder, got none [${file}]`);
  const files: BagFile[] = [];
  try {
    for (const one of paths) files.push(await openBagFile(one, onProblem));
  } catch (error) {
    for (const open of files) await open.close();
    throw error;
  }
  return files;
}
