import { CODE_BITS, type BinaryCode } from '../core/binaryCode.js';
import { goldenBytes, goldenInput } from '../core/goldenInput.js';
import { VprError } from '../core/VprError.js';
import type { DescriptorExtractor } from './DescriptorExtractor.js';
import type { GoldenVector, ModelManifest } from './ModelManifest.js';

/** How far a provider may be from the golden vectors (CPU provider, fp32 arithmetic on another machine). */
export interface SelfTestTolerance {
  /** Largest difference of a descriptor value. */
  readonly descriptor: number;
  /** Bits of 512 that may differ. */
  readonly bits: number;
}

export interface SelfTestResult {
  readonly vectors: number;
  /** Worst over all vectors. */
  readonly descriptorDifference: number;
  readonly bitsDifferent: number;
  readonly tolerance: SelfTestTolerance;
}

/**
 * Stated tolerances. fp32: sums in another order. fp16 and reduced-precision GPU arithmetic (TF32): 11 bits of
 * mantissa through a deep network. int8: CPUs without VNNI saturate differently.
 */
export function toleranceOf(
  { precision, descriptorDimension }: Pick<ModelManifest, 'precision' | 'descriptorDimension'>,
  provider: string,
): SelfTestTolerance {
  // Values of a unit vector are about 1 / sqrt(D): what is little beside one of 1024 is as much as one of 49152.
  const scale = Math.min(1, Math.sqrt(1024 / descriptorDimension));
  const scaled = (descriptor: number, bits: number): SelfTestTolerance => ({
    descriptor: Number((descriptor * scale).toPrecision(2)),
    bits,
  });
  if (precision === 'int8') return scaled(2e-2, 26);
  if (precision === 'fp16' || provider !== 'cpu') return scaled(1e-2, 16);
  return scaled(1e-4, 4);
}

export function goldenTensor(manifest: ModelManifest, seed: number): Float32Array | Uint8Array {
  const { layout, height, width } = manifest.input;
  const length = 3 * height * width;
  return layout === 'nchw-f32' ? goldenInput(seed, length) : goldenBytes(seed, length);
}

/** What a provider answers to a seeded input, as model.json writes it. */
export async function goldenVector(extractor: DescriptorExtractor, seed: number): Promise<GoldenVector> {
  const { descriptor, code } = await extractor.extract(goldenTensor(extractor.manifest, seed));
  return {
    inputSeed: seed,
    descriptorHead: Array.from(descriptor.subarray(0, 16)),
    code: Buffer.from(code).toString('hex'),
  };
}

function bitsDifferent(a: BinaryCode, b: BinaryCode): number {
  let bits = 0;
  for (let i = 0; i < a.length; i++) for (let x = a[i]! ^ b[i]!; x !== 0; x &= x - 1) bits++;
  return bits;
}

/**
 * Runs every golden vector of the manifest. Throws MODEL_SELF_TEST_FAILED naming model and provider when one is beyond
 * the tolerance.
 */
export async function selfTest(extractor: DescriptorExtractor): Promise<SelfTestResult> {
  const { manifest, provider } = extractor;
  const tolerance = toleranceOf(manifest, provider);
  let descriptorDifference = 0;
  let worstBits = 0;
  for (const golden of manifest.golden) {
    const { descriptor, code } = await extractor.extract(goldenTensor(manifest, golden.inputSeed));
    const difference = golden.descriptorHead.reduce(
      (worst, value, i) => Math.max(worst, Math.abs(value - (descriptor[i] ?? Number.NaN))),
      0,
    );
    const bits = bitsDifferent(code, Buffer.from(golden.code, 'hex'));
    // Negated, so that NaN fails.
    if (!(difference <= tolerance.descriptor) || bits > tolerance.bits)
      throw new VprError(
        'MODEL_SELF_TEST_FAILED',
        `Expected provider ${provider} to answer as the model's golden vector (seed ${golden.inputSeed}) within ` +
          `${tolerance.descriptor} and ${tolerance.bits} of ${CODE_BITS} bits, got a difference of ` +
          `${difference.toExponential(2)} and ${bits} bits [${manifest.name}]`,
      );
    descriptorDifference = Math.max(descriptorDifference, difference);
    worstBits = Math.max(worstBits, bits);
  }
  return { vectors: manifest.golden.length, descriptorDifference, bitsDifferent: worstBits, tolerance };
}
