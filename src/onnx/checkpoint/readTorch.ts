import { VprError } from '../../core/VprError.js';
import type { ByteSource } from './ByteSource.js';
import { ELEMENT_BYTES } from './Checkpoint.js';
import { PickleMachine } from './PickleMachine.js';
import { PickledStorage, type PickleValue } from './pickleValues.js';
import type { Storage } from './StridedTensor.js';
import { ZipArchive } from './ZipArchive.js';

/** A pickle of 1,600 keys has 200 kB; optimizer state makes it a few megabytes. */
const MAX_PICKLE_BYTES = 256 * 1024 * 1024;

/** The first pickle of a legacy file. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_PROTOCOL = 1001;

/** What torch.save saved, and where each of its storages lies. */
export interface TorchFile {
  readonly root: PickleValue;
  storageOf(storage: PickledStorage): Storage;
}

function invalid(source: ByteSource, expected: string, got: string): VprError {
  return new VprError('CHECKPOINT_INVALID', `Expected ${expected}, got ${got} [${source.name}]`);
}

/** PyTorch >= 1.6: a zip archive with NAME/data.pkl and one entry NAME/data/KEY for each storage. Throws CHECKPOINT_*. */
export function readTorchZip(source: ByteSource): TorchFile {
  const archive = new ZipArchive(source);
  const pickles = [...archive.entries.values()].filter(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
  const pickle = pickles[0];
  if (pickle === undefined || pickles.length > 1)
    throw invalid(source, 'one data.pkl in the archive (torch.save of weights)', `${pickles.length}`);
  if (pickle.bytes > MAX_PICKLE_BYTES)
    throw invalid(source, `a data.pkl of at most ${MAX_PICKLE_BYTES} bytes`, `${pickle.bytes}`);
  const prefix = pickle.name.slice(0, -'data.pkl'.length);
  const byteOrder = archive.entries.get(`${prefix}byteorder`);
  if (byteOrder !== undefined && byteOrder.bytes <= 16) {
    const order = new TextDecoder().decode(archive.read(byteOrder));
    if (order !== 'little') throw invalid(source, 'little-endian weights', order);
  }
  return {
    root: new PickleMachine(archive.read(pickle), `${source.name}: ${pickle.name}`).read(),
    storageOf({ key, elementType, elements }) {
      const entry = archive.entries.get(`${prefix}data/${key}`);
      if (entry === undefined) throw invalid(source, `a storage data/${key}`, 'none');
      if (elements * ELEMENT_BYTES[elementType] > entry.bytes)
        throw invalid(source, `${elements} elements of ${elementType} in data/${key}`, `${entry.bytes} bytes`);
      return { source, offsetBytes: entry.offsetBytes, elements, elementType };
    },
  };
}

/** True when the file begins with the pickled magic number of torch.save before 1.6. */
export function looksLikeLegacyTorch(start: Uint8Array): boolean {
  return start[0] === 0x80 && start[1] === 0x02 && start[2] === 0x8a && start[3] === 0x0a && start[4] === 0x6c;
}

/**
 * PyTorch < 1.6: pickles of magic number, protocol, system, the object, the storage keys; then for each key an i64 element
 * count and the bytes. Throws CHECKPOINT_*.
 */
export function readTorchLegacy(source: ByteSource): TorchFile {
  const head = source.read(0, Math.min(source.size, MAX_PICKLE_BYTES), 'the pickles of a legacy checkpoint');
  let at = 0;
  const next = (what: string): PickleValue => {
    const machine = new PickleMachine(head, `${source.name}: ${what}`, at);
    const value = machine.read();
    at = machine.end;
    return value;
  };
  if (next('magic number') !== LEGACY_MAGIC) throw invalid(source, "torch.save's magic number", 'another');
  if (next('protocol') !== LEGACY_PROTOCOL) throw invalid(source, `protocol ${LEGACY_PROTOCOL}`, 'another');
  const system = next('system');
  if (system instanceof Map && system.get('little_endian') === false)
    throw invalid(source, 'little-endian weights', 'big-endian');
  const root = next('object');
  const keys = next('storage keys');
  if (!Array.isArray(keys)) throw invalid(source, 'a list of storage keys', typeof keys);
  const known = storagesIn(root);
  const places = new Map<string, { readonly offsetBytes: number; readonly elements: number }>();
  for (const key of keys as readonly PickleValue[]) {
    const storage = typeof key === 'string' ? known.get(key) : undefined;
    if (typeof key !== 'string' || storage === undefined)
      throw invalid(source, 'keys of storages that tensors use', String(key).slice(0, 40));
    const count = source.read(at, 8, `the size of storage ${key}`);
    const elements = Number(new DataView(count.buffer).getBigInt64(0, true));
    const bytes = elements * ELEMENT_BYTES[storage.elementType];
    if (elements < 0 || !Number.isSafeInteger(bytes) || at + 8 + bytes > source.size)
      throw invalid(source, `${elements} elements for storage ${key}`, `a file of ${source.size} bytes`);
    if (elements < storage.elements)
      throw invalid(source, `${storage.elements} elements for storage ${key}`, `${elements}`);
    places.set(key, { offsetBytes: at + 8, elements });
    at += 8 + bytes;
  }
  return {
    root,
    storageOf({ key, elementType }) {
      const place = places.get(key);
      if (place === undefined) throw invalid(source, `a storage ${key}`, 'none');
      return { source, elementType, ...place };
    },
  };
}

/** Every storage that the object's tensors name, by key. Objects may be shared and nested: each is visited once. */
function storagesIn(root: PickleValue): Map<string, PickledStorage> {
  const storages = new Map<string, PickledStorage>();
  const seen = new Set<unknown>();
  const stack: unknown[] = [root];
  while (stack.length > 0) {
    const value = stack.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof PickledStorage) storages.set(value.key, value);
    else if (value instanceof Map) for (const item of value.values()) stack.push(item);
    else if (Array.isArray(value)) for (const item of value) stack.push(item);
    else if ('storage' in value) stack.push(value.storage);
  }
  return storages;
}
