import * as op from '../graph/operators.js';
import { imageInput } from '../layers/imageInput.js';
import { Network } from '../layers/Network.js';
import { vgg16 } from '../layers/vgg16.js';
import { netVlad, pcaWhitening } from '../layers/vlad.js';
import type { Architecture, Preprocessing } from './Architecture.js';

/** The code evaluates at native resolution (Pittsburgh: 480 x 640); a session has one size. */
const INPUT: Preprocessing = { height: 480, width: 640, resize: 'bilinear-aa', normalize: 'after-resize' };

/**
 * NetVLAD (Arandjelovic et al., arXiv:1511.07247) as Nanne/pytorch-NetVlad, commit def998e: VGG-16 to conv5_3 without its
 * ReLU. With WPCA.0 in the checkpoint it is the global descriptor of Patch-NetVLAD (QVPR/Patch-NetVLAD, commit 39ab4e4).
 */
export const NETVLAD: Architecture = {
  name: 'netvlad',
  summary: 'NetVLAD on VGG-16, 64 clusters; with PCA whitening where the checkpoint has it',
  dimensions: [32768, 4096, 512, 128],
  hash: false,
  preprocessing: INPUT,
  paper: 'Arandjelovic et al., NetVLAD, arXiv:1511.07247',
  licence: 'none stated (Patch-NetVLAD: MIT)',
  source: 'https://github.com/Nanne/pytorch-NetVlad, whitened: https://github.com/QVPR/Patch-NetVLAD',
  reported: {
    recallAt1: { 'Pitts30k-test': 81.9, 'MSLS-val': 53.1, 'Tokyo24/7': 60.6, Nordland: 6.4 },
    where: 'Table II of arXiv:2502.16601',
  },
  variant: { 'pool.centroids': [64, 512] },
  build(weights, options) {
    const net = new Network('netvlad', weights, options.precision, options.attention);
    const map = op.cast(vgg16(net, imageInput(net, options, INPUT), 'encoder'), 'float32');
    const full = netVlad(net, map, 'pool');
    net.graph.output('descriptor', weights.has('WPCA.0.weight') ? pcaWhitening(net, full, 'WPCA.0') : full);
    weights.finish();
    return net.graph;
  },
};
