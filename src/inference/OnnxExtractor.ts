import os from 'node:os';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { binarize, CODE_BITS, type BinaryCode } from '../core/binaryCode.js';
import type { Descriptor } from '../core/descriptor.js';
import { messageOf, VprError } from '../core/VprError.js';
import { ProjectionBinarizer } from './Binarizer.js';
import type { DescriptorExtractor, Extraction } from './DescriptorExtractor.js';
import type { ModelManifest } from './ModelManifest.js';

export interface SessionOptions {
  readonly provider: string;
  readonly deviceId: number;
  /** Threads of one inference; 0: cores - 1, at least 1. */
  readonly threads: number;
}

/** One core stays free for the thread that talks to ROS. */
export function inferenceThreads(wanted: number): number {
  return wanted > 0 ? wanted : Math.max(1, os.availableParallelism() - 1);
}

/**
 * The device is all that onnxruntime-node passes on to TensorRT: no precision, no cache of engines. And as it passes options at
 * all, ONNX Runtime reads none of the ORT_TENSORRT_* variables (microsoft/onnxruntime#18380, #26854).
 */
function providerOption({ provider, deviceId }: SessionOptions): InferenceSession.ExecutionProviderConfig {
  return provider === 'cuda' || provider === 'tensorrt' ? { name: provider, deviceId } : provider;
}

/** Norms of this range are the network's rounding, not a network that does not normalise. */
const NORM_TOLERANCE = 1e-2;

/** A network in ONNX Runtime, on one execution provider. run() blocks its thread: one worker owns it. */
export class OnnxExtractor implements DescriptorExtractor {
  readonly manifest: ModelManifest;
  readonly provider: string;
  readonly #session: InferenceSession;
  readonly #binarizer: ProjectionBinarizer | undefined;
  readonly #shape: readonly number[];

  private constructor(
    manifest: ModelManifest,
    provider: string,
    session: InferenceSession,
    binarizer: ProjectionBinarizer | undefined,
  ) {
    this.manifest = manifest;
    this.provider = provider;
    this.#session = session;
    this.#binarizer = binarizer;
    const { layout, height, width } = manifest.input;
    this.#shape = layout === 'nchw-f32' ? [1, 3, height, width] : [1, height, width, 3];
  }

  /** Opens the model's graph. Throws MODEL_INVALID where ONNX Runtime or the graph's inputs and outputs say no. */
  static async open(folder: string, manifest: ModelManifest, options: SessionOptions): Promise<OnnxExtractor> {
    const file = path.join(folder, manifest.files[0]!.name);
    const binarizer = ProjectionBinarizer.load(folder, manifest);
    let session: InferenceSession;
    try {
      session = await InferenceSession.create(file, {
        executionProviders: [providerOption(options)],
        intraOpNumThreads: inferenceThreads(options.threads),
        interOpNumThreads: 1,
        executionMode: 'sequential',
        graphOptimizationLevel: 'all',
        // Errors only: warnings of graph optimizers mean nothing to a user.
        logSeverityLevel: 3,
        // Spinning threads would take the cores from the camera driver between two images.
        extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
      });
    } catch (error) {
      throw new VprError(
        options.provider === 'cpu' ? 'MODEL_INVALID' : 'PROVIDER_UNAVAILABLE',
        `Expected a graph that ONNX Runtime can open with provider ${options.provider}, got: ${messageOf(error)} [${file}]`,
        { cause: error },
      );
    }
    const wanted = binarizer === undefined ? ['descriptor', 'hash'] : ['descriptor'];
    for (const name of wanted)
      if (!session.outputNames.includes(name))
        throw new VprError(
          'MODEL_INVALID',
          `Expected an output '${name}', got ${session.outputNames.join(', ')} [${file}]`,
        );
    if (session.inputNames.length !== 1 || session.inputNames[0] !== manifest.input.name)
      throw new VprError(
        'MODEL_INVALID',
        `Expected the one input '${manifest.input.name}', got ${session.inputNames.join(', ')} [${file}]`,
      );
    return new OnnxExtractor(manifest, options.provider, session, binarizer);
  }

  async extract(tensor: Float32Array | Uint8Array): Promise<Extraction> {
    const { input } = this.manifest;
    const isFloat = tensor instanceof Float32Array;
    if (isFloat !== (input.layout === 'nchw-f32') || tensor.length !== 3 * input.height * input.width)
      throw new RangeError(
        `Expected ${3 * input.height * input.width} values of ${input.layout}, got ${tensor.length} of ${isFloat ? 'f32' : 'u8'}`,
      );
    const feed = isFloat ? new Tensor('float32', tensor, this.#shape) : new Tensor('uint8', tensor, this.#shape);
    let outputs: InferenceSession.OnnxValueMapType;
    try {
      outputs = await this.#session.run({ [input.name]: feed });
    } catch (error) {
      throw new VprError(
        'MODEL_OUTPUT_INVALID',
        `Expected an answer of ${this.manifest.name} (${this.provider}), got: ${messageOf(error)}`,
        { cause: error },
      );
    }
    const descriptor = this.#floats(outputs['descriptor'], 'descriptor', this.manifest.descriptorDimension);
    checkDescriptor(descriptor, this.manifest.name);
    const code: BinaryCode =
      this.#binarizer === undefined
        ? binarize(this.#floats(outputs['hash'], 'hash', CODE_BITS))
        : this.#binarizer.encode(descriptor);
    return { descriptor, code };
  }

  #floats(value: InferenceSession.OnnxValueMapType[string] | undefined, name: string, length: number): Float32Array {
    const data = value instanceof Tensor ? value.data : undefined;
    if (!(data instanceof Float32Array) || data.length !== length)
      throw new VprError(
        'MODEL_OUTPUT_INVALID',
        `Expected ${length} f32 values for the output '${name}' of ${this.manifest.name}, got ${data === undefined ? 'none' : data.length}`,
      );
    return data;
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

/** Throws MODEL_OUTPUT_INVALID unless all values are finite and the norm is 1. */
function checkDescriptor(descriptor: Descriptor, name: string): void {
  let squares = 0;
  for (let i = 0; i < descriptor.length; i++) squares += descriptor[i]! * descriptor[i]!;
  // NaN and infinity both fail this comparison.
  if (!(Math.abs(Math.sqrt(squares) - 1) < NORM_TOLERANCE))
    throw new VprError(
      'MODEL_OUTPUT_INVALID',
      `Expected a descriptor of norm 1 from ${name}, got ${Math.sqrt(squares)}`,
    );
}
