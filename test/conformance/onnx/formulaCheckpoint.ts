import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Checkpoint, CheckpointTensor, ElementType } from '../../../src/onnx/checkpoint/Checkpoint.js';
import { randomWeight } from '../../../src/onnx/layers/RandomWeights.js';

/** Keys, types and shapes of an official state dict (test/data/onnx/NAME.keys.json), weights by formula. */
export function formulaCheckpoint(name: string): Checkpoint {
  const keys = JSON.parse(readFileSync(`test/data/onnx/${name}.keys.json`, 'utf8')) as Record<
    string,
    [ElementType, number[]]
  >;
  const tensors = new Map<string, CheckpointTensor>(
    Object.entries(keys).map(([key, [elementType, shape]]) => [
      key,
      { elementType, shape, readFloats: () => randomWeight(key, shape) },
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
