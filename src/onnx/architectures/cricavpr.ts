import type { Value } from '../graph/GraphBuilder.js';
import * as op from '../graph/operators.js';
import { rowsOf, scaledRows } from '../graph/lazyTensors.js';
import { embedPatches, PATCH, VIT_BASE, VIT_EPSILON, vitBlock } from '../layers/dinov2.js';
import { imageInput } from '../layers/imageInput.js';
import { ADAPTER_BASE, mulConvAdapter } from '../layers/mulConvAdapter.js';
import { Network } from '../layers/Network.js';
import type { Architecture, Preprocessing } from './Architecture.js';

/** The cuts of the pyramid are those of a grid of 16 x 16 patches. */
const INPUT: Preprocessing = { height: 224, width: 224, resize: 'bilinear-aa', normalize: 'before-resize' };
const WIDTH = 768;
const ENCODER_LAYERS = 2;
/** Of an adapter's result beside the MLP's. */
const ADAPTER_SHARE = 0.2;
const EPSILON = 1e-5;
const CUTS = [
  [0, 8, 16],
  [0, 5, 11, 16],
] as const;

/** Means of the pyramid's windows: 4 and 9 of them, row by row. grid: [16, 16, D]. */
function pyramid(net: Network, grid: Value): Value[] {
  const side = grid.shape[0]!;
  return CUTS.flatMap((cuts) => {
    const ends = [...cuts.slice(0, -1), side];
    const windows: Value[] = [];
    for (let row = 0; row + 1 < ends.length; row++)
      for (let column = 0; column + 1 < ends.length; column++) {
        const window = op.slice(op.slice(grid, 0, ends[row]!, ends[row + 1]!), 1, ends[column]!, ends[column + 1]!);
        const tokens = op.reshape(window, [window.shape[0]! * window.shape[1]!, WIDTH]);
        windows.push(net.gem(op.l2Normalize(tokens, [1]), 'aggregation.1.p'));
      }
    return windows;
  });
}

/**
 * A layer of the cross-image encoder, whose attention runs over the images of a batch. A robot's batch is one image, so the
 * softmax is over one element: attention is out_proj(v).
 */
function encoderLayer(net: Network, x: Value, key: string): Value {
  const weight = net.weights.take(`${key}.self_attn.in_proj_weight`, [3 * WIDTH, WIDTH]); // [q; k; v, in]
  const bias = net.weights.take(`${key}.self_attn.in_proj_bias`, [3 * WIDTH]);
  const v = net.dense(x, rowsOf(weight, 2 * WIDTH, 3 * WIDTH), rowsOf(bias, 2 * WIDTH, 3 * WIDTH));
  const attended = net.linear(v, `${key}.self_attn.out_proj`, WIDTH);
  const middle = net.layerNorm(op.add(x, attended), `${key}.norm1`, EPSILON);
  const hidden = op.gelu(net.linear(middle, `${key}.linear1`, 2048));
  return net.layerNorm(op.add(middle, net.linear(hidden, `${key}.linear2`, WIDTH)), `${key}.norm2`, EPSILON);
}

/** CricaVPR (Lu et al., arXiv:2402.19231) for single images: its answers to a batch depend on the batch. */
export const CRICAVPR: Architecture = {
  name: 'cricavpr',
  summary: 'CricaVPR on DINOv2-B/14, one image at a time',
  dimensions: [14 * WIDTH],
  hash: false,
  preprocessing: INPUT,
  paper: 'Lu et al., CricaVPR, arXiv:2402.19231',
  licence: 'MIT',
  source: 'https://github.com/Lu-Feng/CricaVPR',
  reported: {
    recallAt1: { 'Pitts30k-test': 94.9, 'MSLS-val': 90.0, 'Tokyo24/7': 93.0, Nordland: 90.7 },
    where: 'Table II of arXiv:2502.16601, 4096-d after PCA, Pitts30k with images of a place in one batch',
  },
  variant: {},
  remark: "the paper's figures correlate the images of a batch; a robot has one",
  build(weights, options) {
    const net = new Network('cricavpr', weights, options.precision, options.attention);
    const image = imageInput(net, options, INPUT);
    const [rows, columns] = [image.shape[2]! / PATCH, image.shape[3]! / PATCH];
    let x = embedPatches(net, image, 'backbone', VIT_BASE);
    for (let i = 0; i < VIT_BASE.depth; i++) {
      const key = `backbone.blocks.${i}`;
      // The adapter stands beside the MLP, under the same LayerScale.
      x = vitBlock(net, x, key, VIT_BASE, (normed, layerScale) =>
        mulConvAdapter(net, normed, `${key}.adapter`, ADAPTER_BASE, rows, columns, {
          scale: scaledRows(layerScale, () => new Float32Array(VIT_BASE.width).fill(ADAPTER_SHARE)),
        }),
      );
    }
    const tokens = op.cast(net.layerNorm(x, 'backbone.norm', VIT_EPSILON), 'float32');
    const side = Math.sqrt(tokens.shape[0]! - 1);
    const grid = op.reshape(op.slice(tokens, 0, 1, tokens.shape[0]!), [side, side, WIDTH]);
    let parts = op.concat([op.slice(tokens, 0, 0, 1), ...pyramid(net, grid)], 0); // [14, D]
    for (let i = 0; i < ENCODER_LAYERS; i++) parts = encoderLayer(net, parts, `encoder.layers.${i}`);
    net.graph.output('descriptor', op.l2Normalize(op.reshape(parts, [1, 14 * WIDTH]), [1]));
    weights.finish();
    return net.graph;
  },
};
