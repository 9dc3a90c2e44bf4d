import type { GraphBuilder, Value } from '../graph/GraphBuilder.js';
import * as op from '../graph/operators.js';
import { imageInput } from '../layers/imageInput.js';
import { Network } from '../layers/Network.js';
import { resnet, resnet50Variant, sequentialResnetKeys } from '../layers/resnet.js';
import { vgg16 } from '../layers/vgg16.js';
import type { Weights } from '../layers/Weights.js';
import type { Architecture, BuildOptions, Preprocessing } from './Architecture.js';

/** Both evaluate at native resolution, which differs by data set; a session has one size, so this is a choice: --size. */
const INPUT: Preprocessing = { height: 512, width: 512, resize: 'bilinear-aa', normalize: 'after-resize' };

const KEYS = sequentialResnetKeys('backbone', 4);

function features(net: Network, image: Value): Value {
  if (net.weights.has('backbone.28.weight')) return vgg16(net, image, 'backbone');
  return resnet(net, image, KEYS);
}

function build(name: string, weights: Weights, options: BuildOptions): GraphBuilder {
  const net = new Network(name, weights, options.precision, options.attention);
  const map = op.cast(features(net, imageInput(net, options, INPUT)), 'float32');
  const [, channels, height, width] = map.shape as [number, number, number, number];
  const positions = op.reshape(op.l2Normalize(map, [1]), [channels, height * width]);
  const pooled = net.gem(op.transpose(positions, [1, 0]), 'aggregation.1.p');
  const [dimension] = weights.shapeOf('aggregation.3.weight') as [number];
  const projected = net.linear(pooled, 'aggregation.3', dimension, { exact: true });
  net.graph.output('descriptor', op.l2Normalize(projected, [1]));
  weights.finish();
  return net.graph;
}

/** CosPlace (Berton et al., arXiv:2204.02287); a ResNet or VGG-16, told from the keys; commit 33ce8d0. */
export const COSPLACE: Architecture = {
  name: 'cosplace',
  summary: 'CosPlace: GeM and a linear layer on ResNet-18/50/101/152 or VGG-16',
  dimensions: [2048, 1024, 512, 256, 128, 64, 32],
  hash: false,
  preprocessing: INPUT,
  paper: 'Berton et al., CosPlace, arXiv:2204.02287',
  licence: 'MIT',
  source: 'https://github.com/gmberton/CosPlace',
  reported: {
    recallAt1: { 'Pitts30k-test': 88.4, 'MSLS-val': 82.8, 'Tokyo24/7': 81.9, Nordland: 58.5 },
    where: 'Table II of arXiv:2502.16601, VGG-16, 512-d',
  },
  remark: 'keys are those of eigenplaces',
  variant: { ...resnet50Variant(KEYS), 'aggregation.3.weight': [2048, 2048] },
  build: (weights, options) => build('cosplace', weights, options),
};

/** EigenPlaces (Berton et al., arXiv:2308.10832): CosPlace's network, trained otherwise; commit a2969f7. */
export const EIGENPLACES: Architecture = {
  ...COSPLACE,
  name: 'eigenplaces',
  summary: "EigenPlaces: CosPlace's network, trained for other viewpoints",
  dimensions: [2048, 1024, 512, 256, 128],
  paper: 'Berton et al., EigenPlaces, arXiv:2308.10832',
  source: 'https://github.com/gmberton/EigenPlaces',
  reported: {
    recallAt1: { 'Pitts30k-test': 92.5, 'MSLS-val': 89.1, 'Tokyo24/7': 93.0, Nordland: 71.2 },
    where: 'Table II of arXiv:2502.16601, ResNet-50, 2048-d',
  },
  remark: 'keys are those of cosplace',
  build: (weights, options) => build('eigenplaces', weights, options),
};
