import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { mulberry32 } from '../../../src/core/mulberry32.js';
import type { Checkpoint, CheckpointTensor, ElementType } from '../../../src/onnx/checkpoint/Checkpoint.js';

/** Keys, types and shapes of an official state dict, and weights by formula: test/data/onnx/formula_weights.py in TypeScript. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** [low, width] of the uniform distribution of a tensor. */
function valueRange(key: string, shape: readonly number[]): readonly [number, number] {
  const last = key.split('.').at(-1)!;
  if (last === 'running_var') return [0.5, 1];
  if (last === 'running_mean') return [-0.2, 0.4];
  if (last === 'gamma') return [0.1, 0.4];
  if (last === 'p') return [2.5, 1];
  if (['cls_token', 'pos_embed', 'mask_token', 'queries', 'centroids', 'dust_bin'].includes(last)) return [-0.5, 1];
  if (last === 'weight' || last === 'in_proj_weight') {
    if (shape.length === 1) return [0.6, 0.8];
    const fanIn = shape.slice(1).reduce((product, size) => product * size, 1);
    const bound = Math.sqrt(3 / fanIn);
    return [-bound, 2 * bound];
  }
  return [-0.1, 0.2];
}

export function formulaTensor(key: string, shape: readonly number[]): Float32Array {
  const count = shape.reduce((product, size) => product * size, 1);
  const [low, width] = valueRange(key, shape);
  const next = mulberry32(fnv1a(key));
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = low + width * (next() / 4294967296);
  return values;
}

/** The checkpoint of NAME.keys.json. */
export function formulaCheckpoint(name: string): Checkpoint {
  const keys = JSON.parse(readFileSync(`test/data/onnx/${name}.keys.json`, 'utf8')) as Record<
    string,
    [ElementType, number[]]
  >;
  const tensors = new Map<string, CheckpointTensor>(
    Object.entries(keys).map(([key, [elementType, shape]]) => [
      key,
      { elementType, shape, readFloats: () => formulaTensor(key, shape) },
    ]),
  );
  return { name, tensors, close: () => undefined };
}

/** Writes the float tensors of a checkpoint as a safetensors file, one at a time. */
export function writeSafetensors(file: string, checkpoint: Checkpoint): void {
  const header: Record<string, unknown> = {};
  let offset = 0;
  const floats = [...checkpoint.tensors].filter(([, tensor]) => tensor.elementType === 'float32');
  for (const [key, { shape }] of floats) {
    const bytes = 4 * shape.reduce((product, size) => product * size, 1);
    header[key] = { dtype: 'F32', shape, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const descriptor = openSync(file, 'w');
  try {
    for (const chunk of [length, json]) writeSync(descriptor, chunk);
    for (const [, tensor] of floats) {
      const values = tensor.readFloats();
      writeSync(descriptor, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
  } finally {
    closeSync(descriptor);
  }
}
