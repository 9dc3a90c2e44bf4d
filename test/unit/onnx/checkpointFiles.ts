/** Checkpoint files as bytes, made here: what torch.save writes, and what it never would. */

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([Buffer.from('X'), length, bytes]);
};

const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(5);
  bytes[0] = 0x4a;
  bytes.writeInt32LE(value, 1);
  return bytes;
};

const wide = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(10);
  bytes[0] = 0x8a;
  bytes[1] = 8;
  bytes.writeBigInt64LE(value, 2);
  return bytes;
};

const global = (module: string, name: string): Buffer => Buffer.from(`c${module}\n${name}\n`);
const tuple = (...items: readonly Buffer[]): Buffer => Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')]);
const number = (value: number | bigint): Buffer => (typeof value === 'bigint' ? wide(value) : int(value));

export interface TensorSpec {
  readonly key: string;
  readonly storage: string;
  readonly type?: string;
  readonly elements: number | bigint;
  readonly offset?: number;
  readonly shape: readonly (number | bigint)[];
  readonly strides: readonly (number | bigint)[];
}

function tensor(spec: TensorSpec): Buffer {
  const { storage, type = 'FloatStorage', elements, offset = 0, shape, strides } = spec;
  const id = tuple(text('storage'), global('torch', type), text(storage), text('cpu'), number(elements));
  const args = tuple(
    Buffer.concat([id, Buffer.from('Q')]),
    int(offset),
    tuple(...shape.map(number)),
    tuple(...strides.map(number)),
    Buffer.from([0x89]),
    Buffer.concat([global('collections', 'OrderedDict'), Buffer.from(')R')]),
  );
  return Buffer.concat([global('torch._utils', '_rebuild_tensor_v2'), args, Buffer.from('R')]);
}

/** {key: tensor, ...}, wrapped in dictionaries named by `wrappers`, then `extra` items beside the innermost wrapper. */
export function stateDictPickle(
  tensors: readonly TensorSpec[],
  wrappers: readonly string[] = [],
  extra: readonly (readonly [string, Buffer])[] = [],
): Buffer {
  const items = tensors.flatMap((spec) => [text(spec.key), tensor(spec)]);
  let dictionary = Buffer.concat([
    global('collections', 'OrderedDict'),
    Buffer.from(')R('),
    ...items,
    Buffer.from('u'),
  ]);
  for (const wrapper of wrappers)
    dictionary = Buffer.concat([
      Buffer.from('}('),
      ...extra.flatMap(([key, value]) => [text(key), value]),
      text(wrapper),
      dictionary,
      Buffer.from('u'),
    ]);
  return Buffer.concat([Buffer.from([0x80, 2]), dictionary, Buffer.from('.')]);
}

/** numpy.float64(x) as torch.save pickles it: scalar(dtype('f8', 0, 1) with a state, bytes). */
export function numpyScalar(): Buffer {
  const dtype = Buffer.concat([
    global('numpy', 'dtype'),
    tuple(text('f8'), int(0), int(1)),
    Buffer.from('R'),
    tuple(int(3), text('<'), Buffer.from('NNN'), int(-1), int(-1), int(0)),
    Buffer.from('b'),
  ]);
  const bytes = Buffer.concat([global('_codecs', 'encode'), tuple(text('abcdefgh'), text('latin1')), Buffer.from('R')]);
  return Buffer.concat([global('numpy.core.multiarray', 'scalar'), tuple(dtype, bytes), Buffer.from('R')]);
}

/** pickle that would run a command: os.system('...') by REDUCE. */
export function commandPickle(): Buffer {
  return Buffer.concat([
    Buffer.from([0x80, 2]),
    global('posix', 'system'),
    tuple(text('echo harmless')),
    Buffer.from('R.'),
  ]);
}

export interface ZipFileSpec {
  readonly name: string;
  readonly data: Uint8Array;
  /** Overrides for hostile archives. */
  readonly method?: number;
  readonly claimedBytes?: number;
  readonly localOffset?: number;
}

/** A zip archive of stored entries. */
export function zip(files: readonly ZipFileSpec[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, method = 0, claimedBytes = data.length, localOffset = offset } of files) {
    const nameBytes = Buffer.from(name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(method, 8);
    local.writeUInt32LE(data.length, 18);
    local.writeUInt32LE(claimedBytes, 22);
    local.writeUInt16LE(nameBytes.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(method === 0 ? claimedBytes : data.length, 20);
    entry.writeUInt32LE(claimedBytes, 24);
    entry.writeUInt16LE(nameBytes.length, 28);
    entry.writeUInt32LE(localOffset, 42);
    parts.push(local, nameBytes, Buffer.from(data));
    directory.push(entry, nameBytes);
    offset += local.length + nameBytes.length + data.length;
  }
  const directoryBytes = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directoryBytes.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, directoryBytes, end]);
}

export const floatBytes = (values: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

export function torchZip(pickle: Buffer, storages: Readonly<Record<string, Uint8Array>>): Buffer {
  return zip([
    { name: 'archive/data.pkl', data: pickle },
    { name: 'archive/byteorder', data: Buffer.from('little') },
    ...Object.entries(storages).map(([key, data]) => ({ name: `archive/data/${key}`, data })),
  ]);
}

/** A file of torch.save before 1.6. */
export function torchLegacy(pickle: Buffer, storages: Readonly<Record<string, Uint8Array>>): Buffer {
  const magic = Buffer.from([0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e]);
  const protocol = Buffer.from([0x80, 2, 0x4d, 0xe9, 0x03, 0x2e]);
  const system = Buffer.concat([
    Buffer.from([0x80, 2]),
    Buffer.from('}('),
    text('little_endian'),
    Buffer.from([0x88]),
    Buffer.from('u.'),
  ]);
  const keys = Buffer.concat([
    Buffer.from([0x80, 2]),
    Buffer.from(']('),
    ...Object.keys(storages).map(text),
    Buffer.from('e.'),
  ]);
  const blobs = Object.values(storages).flatMap((data) => {
    const count = Buffer.alloc(8);
    count.writeBigInt64LE(BigInt(data.length / 4));
    return [count, Buffer.from(data)];
  });
  return Buffer.concat([magic, protocol, system, pickle, keys, ...blobs]);
}

/** A safetensors file; the header may say anything. */
export function safetensors(header: unknown, data: Uint8Array): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.from(data)]);
}
