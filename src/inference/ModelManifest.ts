import type { TensorInput } from '../core/tensorInput.js';

export interface ModelInput extends TensorInput {
  readonly name: 'image';
}

export interface ModelFile {
  /** Relative to the folder, no path separators. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** One golden vector: the seeded input (core/goldenInput.ts) and what the CPU provider answered. */
export interface GoldenVector {
  readonly inputSeed: number;
  /** First 16 values of the descriptor. */
  readonly descriptorHead: readonly number[];
  /** The code, 128 hex digits. */
  readonly code: string;
}

/** model.json: everything that is needed to run a network and to know it again. */
export interface ModelManifest {
  /** 2: the preprocessing in `input` is part of the model's identity; 1: its files alone are. */
  readonly formatVersion: 1 | 2;
  readonly name: string;
  readonly architecture: string;
  /** The first file is the graph. */
  readonly files: readonly ModelFile[];
  readonly input: ModelInput;
  /** D of the output `descriptor` [1, D]. */
  readonly descriptorDimension: number;
  /** hash: the network has a 512-wide output `hash`; projection: `binarizer` says which file of [512, D] f32 little-endian. */
  readonly binarizer:
    { readonly kind: 'hash' } | { readonly kind: 'projection'; readonly file: string; readonly mean?: string };
  readonly precision: 'fp32' | 'fp16' | 'int8';
  readonly licence: string;
  readonly provenance: Readonly<Record<string, unknown>>;
  readonly golden: readonly GoldenVector[];
}
