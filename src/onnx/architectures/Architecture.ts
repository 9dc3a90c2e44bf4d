import type { GraphBuilder } from '../graph/GraphBuilder.js';
import type { AttentionKind, Precision } from '../layers/Network.js';
import type { WeightReader } from '../layers/WeightReader.js';

/** How an architecture's own evaluation makes its input; the words are those of the model manifest. */
export interface Preprocessing {
  readonly height: number;
  readonly width: number;
  readonly resize: 'bilinear-aa' | 'bilinear' | 'bicubic-aa' | 'pil-bilinear' | 'pil-bicubic' | 'none';
  readonly normalize: 'before-resize' | 'after-resize';
}

export interface BuildOptions {
  readonly precision: Precision;
  readonly attention: AttentionKind;
  /** Input size; the architecture's own where it is absent. */
  readonly height?: number;
  readonly width?: number;
  /** The graph takes resized bytes [1, H, W, 3] and normalises them itself. */
  readonly preprocessInside?: boolean;
}

/** One network that can be imported: what is known of it, and how its graph is made from its checkpoint. */
export interface Architecture {
  readonly name: string;
  /** One line: what it is. */
  readonly summary: string;
  /** D; a list where releases differ. */
  readonly dimensions: readonly number[];
  /** True when it has a 512-bit hash branch. */
  readonly hash: boolean;
  readonly preprocessing: Preprocessing;
  readonly paper: string;
  readonly licence: string;
  /** Where its authors publish code and weights. */
  readonly source: string;
  /** A remark for the reader of the table: what was repaired, what was not tried. */
  readonly remark?: string;
  /** Throws CHECKPOINT_* for weights of another network; GRAPH_INVALID is a bug. */
  build(weights: WeightReader, options: BuildOptions): GraphBuilder;
}
