import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { architectureNamed } from '../../../src/onnx/architectures/architectures.js';
import { IMAGENET_MEAN, IMAGENET_STD } from '../../../src/onnx/architectures/imagenet.js';
import type { Architecture, BuildOptions } from '../../../src/onnx/architectures/Architecture.js';
import { writeModel } from '../../../src/onnx/graph/writeModel.js';
import { WeightReader } from '../../../src/onnx/layers/WeightReader.js';
import { formulaCheckpoint } from './formulaCheckpoint.js';

export const DATA = 'test/data/onnx';
/** The images of a golden: photographs for SelaVPR++, rendered ones for the others. */
export function imagesOf(golden: string): string[] {
  const folder = golden.startsWith('selavprpp') ? 'photographs' : 'images';
  return [0, 1, 2].map((i) => `${DATA}/${folder}/${i}.png`);
}

/** Rows of a NumPy file [n, D] f32. */
export function readRows(file: string): Float32Array[] {
  const bytes = readFileSync(file);
  const headerBytes = bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, 10 + headerBytes);
  const [rows, columns] = /'shape': \((\d+), (\d+)\)/.exec(header)!.slice(1).map(Number) as [number, number];
  if (!header.includes("'<f4'")) throw new Error(`Expected f32 [${file}]`);
  const data = new Float32Array(
    bytes.buffer.slice(bytes.byteOffset + 10 + headerBytes, bytes.byteOffset + bytes.length),
  );
  return Array.from({ length: rows }, (_, i) => data.subarray(i * columns, (i + 1) * columns));
}

/** The top left pixels of an image: [height, width, 3] bytes. */
export async function cropBytes(file: string, height: number, width: number): Promise<Uint8Array> {
  return sharp(file).removeAlpha().extract({ left: 0, top: 0, width, height }).raw().toBuffer();
}

/** The top left pixels of an image, normalised and not resized: [3, height, width] f32. */
export async function cropInput(file: string, height: number, width: number): Promise<Float32Array> {
  const bytes = await cropBytes(file, height, width);
  const pixels = height * width;
  const out = new Float32Array(3 * pixels);
  for (let c = 0; c < 3; c++)
    for (let i = 0; i < pixels; i++)
      out[c * pixels + i] = (bytes[i * 3 + c]! / 255 - IMAGENET_MEAN[c]!) / IMAGENET_STD[c]!;
  return out;
}

export interface BuiltModel {
  /** input: [3, H, W] normalised, or [H, W, 3] bytes where the graph normalises them itself. */
  run(input: Float32Array | Uint8Array): Promise<Record<string, Float32Array>>;
  close(): Promise<void>;
}

/** Builds a network on formula weights, by name or by its own builder, and opens it in ONNX Runtime. */
export async function buildModel(
  architecture: string | Pick<Architecture, 'name' | 'build'>,
  options: Partial<BuildOptions> & { readonly checkpoint?: string; readonly keep?: string } = {},
): Promise<BuiltModel> {
  const folder = options.keep ?? mkdtempSync(path.join(os.tmpdir(), 'vpr-onnx-'));
  const { name, build } = typeof architecture === 'string' ? architectureNamed(architecture)! : architecture;
  const weights = new WeightReader(formulaCheckpoint(options.checkpoint ?? name));
  const graph = build(weights, { precision: 'fp32', attention: 'fused', ...options });
  writeModel(graph, folder);
  const session = await InferenceSession.create(path.join(folder, 'model.onnx'), {
    executionMode: 'sequential',
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const shape = graph.inputs[0]!.shape;
  return {
    async run(input) {
      const image =
        input instanceof Float32Array ? new Tensor('float32', input, shape) : new Tensor('uint8', input, shape);
      const outputs = await session.run({ image });
      return Object.fromEntries(
        Object.entries(outputs).map(([name, value]) => [name, (value as Tensor).data as Float32Array]),
      );
    },
    async close() {
      await session.release();
      if (options.keep === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function maxDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Infinity;
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
}
