import * as op from '../graph/operators.js';
import { dinov2, VIT_BASE } from '../layers/dinov2.js';
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
  reported: {
    recallAt1: { 'Pitts30k-test': 92.5, 'MSLS-val': 92.2, 'Tokyo24/7': 94.6, Nordland: 89.7 },
    where: 'Table II of arXiv:2502.16601',
  },
  remark: 'keys are those of salad-cm',
  variant: {},
  build(weights, options) {
    const net = new Network('salad', weights, options.precision, options.attention);
    const tokens = op.cast(dinov2(net, imageInput(net, options, INPUT), 'backbone.model', VIT_BASE), 'float32');
    const patches = op.slice(tokens, 0, 1, tokens.shape[0]!);
    net.graph.output('descriptor', salad(net, patches, op.slice(tokens, 0, 0, 1), 'aggregator', SALAD_8448));
    weights.finish();
    return net.graph;
  },
};

/** SALAD-CM (Izquierdo and Civera, arXiv:2407.02422): SALAD's network, trained otherwise; checked against commit f7c4e8f. */
export const SALAD_CM: Architecture = {
  ...SALAD,
  name: 'salad-cm',
  summary: "SALAD-CM: SALAD's network, trained with cliques of near places",
  paper: 'Izquierdo and Civera, CliqueMining, arXiv:2407.02422',
  source: 'https://github.com/serizba/cliquemining',
  reported: {
    recallAt1: { 'Pitts30k-test': 92.7, 'MSLS-val': 94.2, 'Tokyo24/7': 96.8, Nordland: 96.0 },
    where: 'Table II of arXiv:2502.16601',
  },
  remark: 'keys are those of salad',
};
