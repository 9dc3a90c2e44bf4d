import * as op from '../graph/operators.js';
import { lazyFloats, readFloats } from '../graph/Tensor.js';
import { imageInput } from '../layers/imageInput.js';
import { Network } from '../layers/Network.js';
import { vgg16 } from '../layers/vgg16.js';
import type { Architecture, Preprocessing } from './Architecture.js';

/** The code evaluates at native resolution (Pittsburgh: 480 x 640); a session has one size. */
const INPUT: Preprocessing = { height: 480, width: 640, resize: 'bilinear-aa', normalize: 'after-resize' };
const CHANNELS = 512;

/**
 * NetVLAD (Arandjelovic et al., arXiv:1511.07247) as Nanne/pytorch-NetVlad, commit def998e: VGG-16 to conv5_3 without its
 * ReLU, vladv2 = False (the assignment has no bias). Residual sums without a residual: sum_i a_ki x_i - (sum_i a_ki) c_k.
 */
export const NETVLAD: Architecture = {
  name: 'netvlad',
  summary: 'NetVLAD on VGG-16, 64 clusters, without whitening',
  dimensions: [32768],
  hash: false,
  preprocessing: INPUT,
  paper: 'Arandjelovic et al., NetVLAD, arXiv:1511.07247',
  licence: 'none stated',
  source: 'https://github.com/Nanne/pytorch-NetVlad',
  build(weights, options) {
    const net = new Network('netvlad', weights, options.precision, options.attention);
    const map = op.cast(vgg16(net, imageInput(net, options, INPUT), 'encoder'), 'float32');
    const count = map.shape[2]! * map.shape[3]!;
    const x = op.l2Normalize(op.transpose(op.reshape(map, [CHANNELS, count]), [1, 0]), [1]); // [n, C]
    const [clusters] = weights.shapeOf('pool.centroids') as [number];
    const centroids = weights.take('pool.centroids', [clusters, CHANNELS]);
    const kernel = weights.take('pool.conv.weight', [clusters, CHANNELS, 1, 1]); // [out, in, 1, 1]
    const assignment = lazyFloats([clusters, CHANNELS], () => readFloats(kernel));
    const shares = op.transpose(op.softmax(net.dense(x, assignment, undefined, { exact: true }), 1), [1, 0]); // [K, n]
    const mass = op.reduceSum(shares, [1]); // [K, 1]
    const residuals = op.subtract(op.matMul(shares, x), op.multiply(mass, net.graph.constant('centroids', centroids)));
    const flat = op.reshape(op.l2Normalize(residuals, [1]), [1, clusters * CHANNELS]); // cluster-major
    net.graph.output('descriptor', op.l2Normalize(flat, [1]));
    weights.finish();
    return net.graph;
  },
};
