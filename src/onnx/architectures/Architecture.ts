import type { GraphBuilder } from '../graph/GraphBuilder.js';
import type { AttentionKind, Precision } from '../layers/Network.js';
import type { Weights } from '../layers/Weights.js';

/** How an architecture's own evaluation makes its input; the words are those of the model manifest. */
export interface Preprocessing {
  readonly height: number;
  readonly width: number;
  readonly resize: 'bilinear-aa' | 'bilinear' | 'bicubic-aa' | 'pil-bilinear' | 'pil-bicubic' | 'none';
  readonly normalize: 'before-resize' | 'after-resize';
  /** Of RGB in [0, 1]; ImageNet's where absent. */
  readonly mean?: readonly [number, number, number];
  readonly std?: readonly [number, number, number];
}

/** What a paper says, not what was measured here: no weights were at hand. */
export interface ReportedRecall {
  /** Recall@1 in percent, by data set. */
  readonly recallAt1: Readonly<Record<string, number>>;
  /** Where it is reported, and of which form where that is not plain. */
  readonly where: string;
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
  readonly reported?: ReportedRecall;
  /**
   * Tensors whose presence or shape decides between forms of the network, as in the form that `dimensions` names first: what
   * is known of it without a checkpoint (parameters, operations, time) is known of this form.
   */
  readonly variant: Readonly<Record<string, readonly number[]>>;
  /** A remark for the reader of the table: what was repaired, what was not tried. */
  readonly remark?: string;
  /** Throws CHECKPOINT_* for weights of another network; GRAPH_INVALID is a bug. */
  build(weights: Weights, options: BuildOptions): GraphBuilder;
}
