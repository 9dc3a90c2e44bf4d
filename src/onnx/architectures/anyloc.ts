import * as op from '../graph/operators.js';
import { lazyFloats, readFloats } from '../graph/Tensor.js';
import { dinov2Value, VIT_GIANT, type VitSize } from '../layers/dinov2.js';
import { imageInput } from '../layers/imageInput.js';
import { Network } from '../layers/Network.js';
import { vlad } from '../layers/vlad.js';
import type { GraphBuilder } from '../graph/GraphBuilder.js';
import type { Weights } from '../layers/Weights.js';
import type { Architecture, BuildOptions, Preprocessing } from './Architecture.js';

/**
 * The demo keeps an image's own size, cut to multiples of 14; the papers' data sets are resized to 320 x 320 and cut to 308.
 * A session has one size, and no image is cut here.
 */
const INPUT: Preprocessing = { height: 308, width: 308, resize: 'bilinear-aa', normalize: 'after-resize' };
/** The demo's block, counted from 0. */
const LAYER = 31;

/**
 * VLAD of the values of block `layer` of a DINOv2 of any size, [1, K * D], each token assigned to the word nearest in angle.
 * Keys `backbone.*` and `vocabulary` [K, D].
 */
export function buildAnyLoc(weights: Weights, options: BuildOptions, size: VitSize, layer: number): GraphBuilder {
  const net = new Network('anyloc', weights, options.precision, options.attention);
  const image = imageInput(net, options, INPUT);
  const values = op.cast(dinov2Value(net, image, 'backbone', size, layer), 'float32');
  const x = op.l2Normalize(op.slice(values, 0, 1, values.shape[0]!), [1]); // [n, D]
  const [words] = weights.shapeOf('vocabulary') as [number];
  const vocabulary = weights.take('vocabulary', [words, size.width]);
  const directions = lazyFloats(vocabulary.shape, () => {
    const rows = Float32Array.from(readFloats(vocabulary));
    for (let word = 0; word < words; word++) {
      const row = rows.subarray(word * size.width, (word + 1) * size.width);
      const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
      row.forEach((value, i) => (row[i] = value / norm));
    }
    return rows;
  });
  const shares = op.oneHotOfLargest(net.dense(x, directions, undefined, { exact: true })); // [n, K]
  net.graph.output('descriptor', vlad(net, x, op.transpose(shares, [1, 0]), vocabulary));
  weights.finish();
  return net.graph;
}

/**
 * AnyLoc (Keetha et al., arXiv:2308.00688), AnyLoc-VLAD-DINOv2 as demo/anyloc_vlad_generate.py of commit f69501e: the value
 * facet of block 31 of DINOv2-G, each token assigned to the nearest word (cosine) of a given vocabulary.
 */
export const ANYLOC: Architecture = {
  name: 'anyloc',
  summary: 'AnyLoc: VLAD of the value facet of DINOv2-G/14 over a given vocabulary; nothing trained for places',
  dimensions: [49152],
  hash: false,
  preprocessing: INPUT,
  paper: 'Keetha et al., AnyLoc, arXiv:2308.00688',
  licence: 'BSD-3-Clause (DINOv2: Apache-2.0)',
  source:
    'https://github.com/facebookresearch/dinov2 (dinov2_vitg14_pretrain.pth), vocabularies: https://github.com/AnyLoc/AnyLoc',
  reported: {
    recallAt1: { 'MSLS-val': 68.7, 'Pitts250k-test': 87.2 },
    where: "Table 3 of EMVP's paper",
  },
  remark: '3.5 GB of weights; give the vocabulary (c_centers.pt) with --vocabulary',
  variant: { vocabulary: [32, VIT_GIANT.width] },
  build: (weights, options) => buildAnyLoc(weights, options, VIT_GIANT, LAYER),
};
