import type { Value } from '../graph/GraphBuilder.js';
import * as op from '../graph/operators.js';
import { bagOfQueries } from '../layers/bagOfQueries.js';
import { embedPatches, PATCH, VIT_BASE, vitBlock } from '../layers/dinov2.js';
import { imageInput } from '../layers/imageInput.js';
import { Network } from '../layers/Network.js';
import { resnet, resnet50Variant, sequentialResnetKeys } from '../layers/resnet.js';
import type { Architecture, Preprocessing } from './Architecture.js';

const ABOUT = {
  hash: false,
  paper: 'Ali-bey et al., BoQ, arXiv:2405.07364',
  licence: 'MIT',
  source: 'https://github.com/amaralibey/Bag-of-Queries',
} as const;

const KEYS = sequentialResnetKeys('backbone.net', 3);

/** The README's transform: bicubic with antialias on [0, 1], then normalised; overshoots are not clamped. */
const DINOV2_INPUT: Preprocessing = { height: 322, width: 322, resize: 'bicubic-aa', normalize: 'after-resize' };
const RESNET_INPUT: Preprocessing = { height: 384, width: 384, resize: 'bicubic-aa', normalize: 'after-resize' };

/** All twelve blocks, class token dropped, without the final norm, which is in the file and not used. */
function dinoFeatures(net: Network, image: Value): Value {
  const key = 'backbone.dino';
  let x = embedPatches(net, image, key, VIT_BASE);
  for (let i = 0; i < VIT_BASE.depth; i++) x = vitBlock(net, x, `${key}.blocks.${i}`, VIT_BASE);
  net.weights.ignore(`${key}.norm.weight`, `${key}.norm.bias`);
  const [count, width] = x.shape as [number, number];
  const patches = op.transpose(op.slice(x, 0, 1, count), [1, 0]);
  return op.reshape(patches, [1, width, image.shape[2]! / PATCH, image.shape[3]! / PATCH]);
}

export const BOQ_DINOV2: Architecture = {
  ...ABOUT,
  name: 'boq-dinov2',
  summary: 'Bag-of-Queries on DINOv2-B/14',
  dimensions: [12288],
  preprocessing: DINOV2_INPUT,
  reported: {
    recallAt1: { 'Pitts30k-test': 93.7, 'MSLS-val': 93.8, 'Tokyo24/7': 96.5, Nordland: 90.6 },
    where: 'Table II of arXiv:2502.16601',
  },
  variant: {},
  build(weights, options) {
    const net = new Network('boq-dinov2', weights, options.precision, options.attention);
    const features = dinoFeatures(net, imageInput(net, options, DINOV2_INPUT));
    net.graph.output('descriptor', bagOfQueries(net, op.cast(features, 'float32'), 'aggregator', 384, 32));
    weights.finish();
    return net.graph;
  },
};

export const BOQ_RESNET50: Architecture = {
  ...ABOUT,
  name: 'boq-resnet50',
  summary: 'Bag-of-Queries on ResNet-50 (three stages)',
  dimensions: [16384],
  preprocessing: RESNET_INPUT,
  reported: { recallAt1: { 'Pitts30k-test': 92.4, 'MSLS-val': 91.4 }, where: "the paper's tables 1 and 2" },
  variant: resnet50Variant(KEYS),
  build(weights, options) {
    const net = new Network('boq-resnet50', weights, options.precision, options.attention);
    const features = resnet(net, imageInput(net, options, RESNET_INPUT), KEYS);
    net.graph.output('descriptor', bagOfQueries(net, op.cast(features, 'float32'), 'aggregator', 512, 32));
    weights.finish();
    return net.graph;
  },
};
