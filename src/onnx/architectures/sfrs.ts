import * as op from '../graph/operators.js';
import { imageInput } from '../layers/imageInput.js';
import { Network } from '../layers/Network.js';
import { vgg16 } from '../layers/vgg16.js';
import { netVlad, pcaWhitening } from '../layers/vlad.js';
import type { Architecture, Preprocessing } from './Architecture.js';

/** get_transformer_test: resize of the PIL image; the channel means of MatConvNet's VGG-16, which takes values up to 255. */
const INPUT: Preprocessing = {
  height: 480,
  width: 640,
  resize: 'pil-bilinear',
  normalize: 'after-resize',
  mean: [0.48501960784313836, 0.4579568627450961, 0.4076039215686255],
  std: [1 / 255, 1 / 255, 1 / 255],
};

/** SFRS (Ge et al., arXiv:2006.03926) as yxgeee/OpenIBL, commit f3ef4fb: NetVLAD on VGG-16, whitened in its hub checkpoint. */
export const SFRS: Architecture = {
  name: 'sfrs',
  summary: 'SFRS: NetVLAD on VGG-16, trained by self-supervised similarities of regions',
  dimensions: [4096, 32768],
  hash: false,
  preprocessing: INPUT,
  paper: 'Ge et al., SFRS, arXiv:2006.03926',
  licence: 'MIT',
  source: 'https://github.com/yxgeee/OpenIBL',
  reported: {
    recallAt1: { 'Pitts30k-test': 89.4, 'MSLS-val': 69.2, 'Tokyo24/7': 81.0, Nordland: 16.1 },
    where: 'Table II of arXiv:2502.16601',
  },
  variant: { 'net_vlad.centroids': [64, 512], 'pca_layer.weight': [4096, 32768, 1, 1] },
  build(weights, options) {
    const net = new Network('sfrs', weights, options.precision, options.attention);
    const map = op.cast(vgg16(net, imageInput(net, options, INPUT), 'base_model.base'), 'float32');
    const full = netVlad(net, map, 'net_vlad');
    net.graph.output('descriptor', weights.has('pca_layer.weight') ? pcaWhitening(net, full, 'pca_layer') : full);
    weights.finish();
    return net.graph;
  },
};
