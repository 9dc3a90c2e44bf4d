import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { CODE_BYTES } from '../core/binaryCode.js';
import { shownValue } from '../core/shownValue.js';
import { messageOf, VprError } from '../core/VprError.js';
import type { GoldenVector, ModelFile, ModelInput, ModelManifest } from './ModelManifest.js';

export const MANIFEST_FILE = 'model.json';
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_SIDE_PX = 8192;
const MAX_DIMENSION = 65_536;

type Fields = Readonly<Record<string, unknown>>;

/** Reads one field after the other and says what is wrong with which. */
class FieldReader {
  readonly #fields: Fields;
  readonly #where: string;
  readonly #prefix: string;

  constructor(value: unknown, where: string, prefix = '') {
    this.#where = where;
    this.#prefix = prefix;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.#error('an object', prefix.slice(0, -1) || 'the manifest', value);
    this.#fields = value as Fields;
  }

  #error(expected: string, name: string, value: unknown): VprError {
    const got = value === undefined ? 'nothing' : shownValue(value);
    return new VprError('MODEL_INVALID', `Expected ${expected} for ${name}, got ${got} [${this.#where}]`);
  }

  fail(expected: string, name: string): VprError {
    return this.#error(expected, this.#prefix + name, this.#fields[name]);
  }

  text(name: string): string {
    const value = this.#fields[name];
    if (typeof value !== 'string' || value === '') throw this.fail('a non-empty string', name);
    return value;
  }

  word<Word extends string>(name: string, words: readonly Word[]): Word {
    const value = this.#fields[name];
    if (!words.includes(value as Word)) throw this.fail(words.join(' | '), name);
    return value as Word;
  }

  integer(name: string, least: number, most: number): number {
    const value = this.#fields[name];
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most)
      throw this.fail(`an integer in ${least}...${most}`, name);
    return value;
  }

  numbers(name: string, length?: number): readonly number[] {
    const value = this.#fields[name];
    if (
      !Array.isArray(value) ||
      (length !== undefined && value.length !== length) ||
      !value.every((item) => typeof item === 'number' && Number.isFinite(item))
    )
      throw this.fail(length === undefined ? 'a list of numbers' : `${length} numbers`, name);
    return value as number[];
  }

  objects(name: string, least: number): readonly FieldReader[] {
    const value = this.#fields[name];
    if (!Array.isArray(value) || value.length < least) throw this.fail(`a list of at least ${least} objects`, name);
    return value.map((item, index) => new FieldReader(item, this.#where, `${this.#prefix}${name}[${index}].`));
  }

  object(name: string): FieldReader {
    return new FieldReader(this.#fields[name], this.#where, `${this.#prefix}${name}.`);
  }

  fields(name: string): Fields {
    const value = this.#fields[name];
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.fail('an object', name);
    return value as Fields;
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined;
  }

  /** A file's name without a path: a manifest must not reach outside its folder. */
  fileName(name: string): string {
    const value = this.text(name);
    if (value !== path.basename(value) || value.includes('\\') || value === '.' || value === '..')
      throw this.fail('a file name without a folder', name);
    return value;
  }
}

function readInput(reader: FieldReader): ModelInput {
  const triple = (name: string): readonly [number, number, number] => {
    const [r, g, b] = reader.numbers(name, 3) as [number, number, number];
    return [r, g, b];
  };
  const std = triple('std');
  if (!std.every((value) => value > 0)) throw reader.fail('3 positive numbers', 'std');
  return {
    name: reader.word('name', ['image']),
    layout: reader.word('layout', ['nchw-f32', 'nhwc-u8']),
    height: reader.integer('height', 1, MAX_SIDE_PX),
    width: reader.integer('width', 1, MAX_SIDE_PX),
    resize: reader.word('resize', ['bilinear-aa', 'bilinear', 'bicubic-aa', 'pil-bilinear', 'pil-bicubic', 'none']),
    normalize: reader.word('normalize', ['before-resize', 'after-resize']),
    mean: triple('mean'),
    std,
  };
}

function readFile(reader: FieldReader): ModelFile {
  const sha256 = reader.text('sha256');
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw reader.fail('64 lower-case hex digits', 'sha256');
  return {
    name: reader.fileName('name'),
    bytes: reader.integer('bytes', 1, Number.MAX_SAFE_INTEGER),
    sha256,
  };
}

function readGolden(reader: FieldReader): GoldenVector {
  const code = reader.text('code');
  if (!new RegExp(`^[0-9a-f]{${CODE_BYTES * 2}}$`).test(code))
    throw reader.fail(`${CODE_BYTES * 2} hex digits`, 'code');
  return {
    inputSeed: reader.integer('inputSeed', 0, 0xffffffff),
    descriptorHead: reader.numbers('descriptorHead'),
    code,
  };
}

function readBinarizer(reader: FieldReader): ModelManifest['binarizer'] {
  if (reader.word('kind', ['hash', 'projection']) === 'hash') return { kind: 'hash' };
  return {
    kind: 'projection',
    file: reader.fileName('file'),
    ...(reader.has('mean') ? { mean: reader.fileName('mean') } : {}),
  };
}

/** Parses a manifest's JSON. Throws MODEL_INVALID with the field's name. `where`: the file, for messages. */
export function parseModelManifest(json: string, where: string): ModelManifest {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new VprError('MODEL_INVALID', `Expected JSON, got text that does not parse: ${messageOf(error)} [${where}]`, {
      cause: error,
    });
  }
  const reader = new FieldReader(value, where);
  const formatVersion = reader.integer('formatVersion', 1, 2) as ModelManifest['formatVersion'];
  const files = reader.objects('files', 1).map(readFile);
  const manifest: ModelManifest = {
    formatVersion,
    name: reader.text('name'),
    architecture: reader.text('architecture'),
    files,
    input: readInput(reader.object('input')),
    descriptorDimension: reader.integer('descriptorDimension', 1, MAX_DIMENSION),
    binarizer: readBinarizer(reader.object('binarizer')),
    precision: reader.word('precision', ['fp32', 'fp16', 'int8']),
    licence: reader.text('licence'),
    provenance: reader.fields('provenance'),
    golden: reader.objects('golden', 0).map(readGolden),
  };
  if (manifest.binarizer.kind === 'projection') {
    const { file, mean } = manifest.binarizer;
    for (const needed of [file, ...(mean === undefined ? [] : [mean])])
      if (!files.some(({ name }) => name === needed))
        throw new VprError(
          'MODEL_INVALID',
          `Expected the binarizer's file among files (with its sha256), got '${needed}', which is not listed [${where}]`,
        );
  }
  return manifest;
}

/** Reads FOLDER/model.json. Throws FILE_MISSING or MODEL_INVALID. */
export function readModelManifest(folder: string): ModelManifest {
  const file = path.join(folder, MANIFEST_FILE);
  if (!existsSync(file))
    throw new VprError('FILE_MISSING', `Expected a model folder with ${MANIFEST_FILE}, got '${folder}' without it`);
  const { size } = statSync(file);
  if (size > MAX_MANIFEST_BYTES)
    throw new VprError(
      'MODEL_INVALID',
      `Expected at most ${MAX_MANIFEST_BYTES} bytes of manifest, got ${size} [${file}]`,
    );
  return parseModelManifest(readFileSync(file, 'utf8'), file);
}

/** SHA-256 of a file, hex. */
export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

/** Checks size and SHA-256 of every file of a model. Throws FILE_MISSING or MODEL_FILE_CHANGED naming the file. */
export async function verifyModelFiles(folder: string, manifest: ModelManifest): Promise<void> {
  for (const { name, bytes, sha256 } of manifest.files) {
    const file = path.join(folder, name);
    if (!existsSync(file)) throw new VprError('FILE_MISSING', `Expected the model's file ${name}, got none [${file}]`);
    const { size } = statSync(file);
    if (size !== bytes)
      throw new VprError('MODEL_FILE_CHANGED', `Expected ${bytes} bytes for ${name}, got ${size} [${file}]`);
    const found = await sha256OfFile(file);
    if (found !== sha256)
      throw new VprError('MODEL_FILE_CHANGED', `Expected sha256 ${sha256} for ${name}, got ${found} [${file}]`);
  }
}

/**
 * One number for the whole model: SHA-256 over name and sha256 of each file in order, and from format 2 on over what
 * becomes of an image before the network sees it, which changes descriptors as weights do. What a map remembers of the model
 * it was built with: models of format 1 keep the number that maps have of them.
 */
export function modelSha256(manifest: ModelManifest): string {
  const hash = createHash('sha256');
  for (const { name, sha256 } of manifest.files) hash.update(`${name}\0${sha256}\n`);
  if (manifest.formatVersion >= 2) {
    const { layout, height, width, resize, normalize, mean, std } = manifest.input;
    hash.update(JSON.stringify([layout, height, width, resize, normalize, mean, std]));
  }
  return hash.digest('hex');
}
