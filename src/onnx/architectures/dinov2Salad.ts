import * as op from '../graph/operators.js';
import { embedPatches, VIT_BASE, VIT_EPSILON, vitBlock } from '../layers/dinov2.js';
import { imageInput } from '../layers/imageInput.js';
import { Network } from '../layers/Network.js';
import { salad, SALAD_8448 } from '../layers/salad.js';
import type { Architecture, Preprocessing } from './Architecture.js';

/** eval.py: torchvision's Resize of the PIL image. */
const INPUT: Preprocessing = { height: 322, width: 322, resize: 'pil-bilinear', normalize: 'after-resize' };

/** SALAD (Izquierdo and Civera, arXiv:2311.15937); checked against commit e593005 of the official code. */
export const SALAD: Architecture = {
  name: 'salad',
  summary: 'SALAD: optimal-transport aggregation of DINOv2-B/14',
  dimensions: [8448],
  hash: false,
  preprocessing: INPUT,
  paper: 'Izquierdo and Civera, SALAD, arXiv:2311.15937',
  licence: 'GPL-3.0',
  source: 'https://github.com/serizba/salad',
  build(weights, options) {
    const net = new Network('salad', weights, options.precision, options.attention);
    const key = 'backbone.model';
    let x = embedPatches(net, imageInput(net, options, INPUT), key, VIT_BASE);
    for (let i = 0; i < VIT_BASE.depth; i++) x = vitBlock(net, x, `${key}.blocks.${i}`, VIT_BASE);
    const tokens = op.cast(net.layerNorm(x, `${key}.norm`, VIT_EPSILON), 'float32');
    const patches = op.slice(tokens, 0, 1, tokens.shape[0]!);
    net.graph.output('descriptor', salad(net, patches, op.slice(tokens, 0, 0, 1), 'aggregator', SALAD_8448));
    weights.finish();
    return net.graph;
  },
};
