import type { BinaryCode } from '../core/binaryCode.js';
import type { Descriptor } from '../core/descriptor.js';
import type { ModelManifest } from './ModelManifest.js';

export interface Extraction {
  readonly descriptor: Descriptor;
  readonly code: BinaryCode;
}

/** An open network: input tensor in, descriptor and code out. One session, owned by the one worker. */
export interface DescriptorExtractor {
  readonly manifest: ModelManifest;
  /** Execution provider that really runs: cpu, cuda, tensorrt. */
  readonly provider: string;
  /** tensor: as manifest.input says, [1,3,H,W] f32 normalised or [1,H,W,3] u8. Throws MODEL_OUTPUT_INVALID on NaN. */
  extract(tensor: Float32Array | Uint8Array): Promise<Extraction>;
  close(): Promise<void>;
}
