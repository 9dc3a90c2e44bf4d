import type { GraphBuilder, Value } from '../graph/GraphBuilder.js';
import * as op from '../graph/operators.js';
import { imageInput } from '../layers/imageInput.js';
import { Network } from '../layers/Network.js';
import { resnet, resnetBlocks } from '../layers/resnet.js';
import { vgg16 } from '../layers/vgg16.js';
import type { WeightReader } from '../layers/WeightReader.js';
import type { Architecture, BuildOptions, Preprocessing } from './Architecture.js';

/** Both evaluate at native resolution, which differs by data set; a session has one size, so this is a choice: --size. */
const INPUT: Preprocessing = { height: 512, width: 512, resize: 'bilinear-aa', normalize: 'after-resize' };

function features(net: Network, image: Value): Value {
  if (net.weights.has('backbone.28.weight')) return vgg16(net, image, 'backbone');
  const layers = [4, 5, 6, 7].map((i) => `backbone.${i}`);
  const keys = { conv1: 'backbone.0', bn1: 'backbone.1', layers };
  return resnet(net, image, keys, resnetBlocks(net, 'backbone.6'));
}

function build(name: string, weights: WeightReader, options: BuildOptions): GraphBuilder {
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

/** CosPlace (Berton et al., arXiv:2204.02287); ResNet-50, ResNet-101 and VGG-16, told from the keys; commit 33ce8d0. */
export const COSPLACE: Architecture = {
  name: 'cosplace',
  summary: 'CosPlace: GeM and a linear layer on ResNet-50/101 or VGG-16',
  dimensions: [2048, 1024, 512, 256, 128, 64, 32],
  hash: false,
  preprocessing: INPUT,
  paper: 'Berton et al., CosPlace, arXiv:2204.02287',
  licence: 'MIT',
  source: 'https://github.com/gmberton/CosPlace',
  remark: 'keys are those of eigenplaces',
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
  remark: 'keys are those of cosplace',
  build: (weights, options) => build('eigenplaces', weights, options),
};
