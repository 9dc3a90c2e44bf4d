import { shownValue } from '../../core/shownValue.js';
import { messageOf, VprError } from '../../core/VprError.js';
import type { ByteSource } from './ByteSource.js';
import { ELEMENT_BYTES, type CheckpointTensor, type ElementType } from './Checkpoint.js';
import { safeProduct, StridedTensor } from './StridedTensor.js';

/** The cap of the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000;

const TYPES: Readonly<Record<string, ElementType>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  F64: 'float64',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U8: 'uint8',
  BOOL: 'bool',
};

function isNaturalList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && (item as number) >= 0);
}

/** True when the first bytes can be those of a safetensors file: a length, then a JSON object. */
export function looksLikeSafetensors(start: Uint8Array): boolean {
  return start.length > 8 && start[8] === 0x7b && start[7] === 0 && start[6] === 0 && start[5] === 0;
}

/**
 * Tensors of a safetensors file (u64 header length, JSON header, bytes without holes or overlaps).
 * Throws CHECKPOINT_INVALID.
 */
export function readSafetensors(source: ByteSource): Map<string, CheckpointTensor> {
  const invalid = (expected: string, got: string): VprError =>
    new VprError('CHECKPOINT_INVALID', `Expected ${expected}, got ${got} [${source.name}]`);
  const prefix = source.read(0, 8, 'the header length');
  const headerBytes = Number(new DataView(prefix.buffer).getBigUint64(0, true));
  if (headerBytes > MAX_HEADER_BYTES || headerBytes > source.size - 8)
    throw invalid(`a header of at most ${Math.min(MAX_HEADER_BYTES, source.size - 8)} bytes`, `${headerBytes} bytes`);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(source.read(8, headerBytes, 'the header')));
  } catch (error) {
    if (error instanceof VprError) throw error;
    throw invalid('a JSON header', messageOf(error));
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw invalid('a JSON object as header', shownValue(header, 40));
  const dataStart = 8 + headerBytes;
  const tensors = new Map<string, CheckpointTensor>();
  const ranges: { readonly key: string; readonly begin: number; readonly end: number }[] = [];
  for (const [key, value] of Object.entries(header as Record<string, unknown>)) {
    if (key === '__metadata__') continue;
    const entry = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
    const type = typeof entry['dtype'] === 'string' ? TYPES[entry['dtype']] : undefined;
    if (type === undefined) throw invalid(`a known dtype for ${key}`, String(entry['dtype']));
    const shape = entry['shape'];
    const range = entry['data_offsets'];
    if (!isNaturalList(shape) || !isNaturalList(range) || range.length !== 2)
      throw invalid(`shape and data_offsets of ${key}`, shownValue(value));
    const [begin, end] = range as [number, number];
    const elements = safeProduct(shape);
    if (elements === undefined || end - begin !== elements * ELEMENT_BYTES[type] || dataStart + end > source.size)
      throw invalid(
        `data_offsets that fit ${entry['dtype']} [${shape.join(', ')}] and the file for ${key}`,
        `${begin}...${end}`,
      );
    ranges.push({ key, begin, end });
    const storage = { source, offsetBytes: dataStart + begin, elements, elementType: type };
    tensors.set(key, new StridedTensor(storage, shape, { where: `${source.name}: ${key}` }));
  }
  ranges.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const range of ranges) {
    if (range.begin !== end)
      throw invalid(`tensor ${range.key} at ${end}, without hole or overlap`, `data_offsets from ${range.begin}`);
    end = range.end;
  }
  if (dataStart + end !== source.size) throw invalid(`${dataStart + end} bytes in all`, `${source.size}`);
  return tensors;
}
