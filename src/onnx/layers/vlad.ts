import type { Value } from '../graph/GraphBuilder.js';
import * as op from '../graph/operators.js';
import { reshaped } from '../graph/lazyTensors.js';
import type { Tensor } from '../graph/Tensor.js';
import type { Network } from './Network.js';

/**
 * VLAD: sums of the residuals x_i - c_k weighted by shares, each normalised, then all together. Without a residual for each
 * pair: sum_i a_ki x_i - (sum_i a_ki) c_k. x: [n, C]; shares: [K, n]; centroids: [K, C]; returns [1, K * C], cluster-major,
 * L2-normalised.
 */
export function vlad(net: Network, x: Value, shares: Value, centroids: Tensor): Value {
  const mass = op.reduceSum(shares, [1]); // [K, 1]
  const given = op.multiply(mass, net.constantLike(mass, 'centroids', centroids));
  const residuals = op.subtract(op.matMul(shares, x), given);
  const [clusters, channels] = residuals.shape as [number, number];
  return op.l2Normalize(op.reshape(op.l2Normalize(residuals, [1]), [1, clusters * channels]), [1]);
}

/**
 * NetVLAD (Arandjelovic et al., arXiv:1511.07247): the shares of a pixel are the softmax of a 1x1 convolution, with a bias in
 * its second version. map: [1, C, H, W]; KEY.centroids [K, C], KEY.conv.weight [K, C, 1, 1]; returns [1, K * C].
 */
export function netVlad(net: Network, map: Value, key: string): Value {
  const [, channels, height, width] = map.shape as [number, number, number, number];
  const x = op.l2Normalize(op.transpose(op.reshape(map, [channels, height * width]), [1, 0]), [1]); // [n, C]
  const { weights } = net;
  const [clusters] = weights.shapeOf(`${key}.centroids`) as [number];
  const kernel = weights.take(`${key}.conv.weight`, [clusters, channels, 1, 1]); // [out, in, 1, 1]
  const bias = weights.has(`${key}.conv.bias`) ? weights.take(`${key}.conv.bias`, [clusters]) : undefined;
  const scores = net.dense(x, reshaped(kernel, [clusters, channels]), bias, { exact: true });
  const shares = op.transpose(op.softmax(scores, 1), [1, 0]); // [K, n]
  return vlad(net, x, shares, weights.take(`${key}.centroids`, [clusters, channels]));
}

/** PCA with whitening as checkpoints carry it, a 1x1 convolution KEY [out, D, 1, 1] with a bias. x: [1, D]; returns [1, out]. */
export function pcaWhitening(net: Network, x: Value, key: string): Value {
  const dimension = x.shape[1]!;
  const [out] = net.weights.shapeOf(`${key}.weight`) as [number];
  const weight = reshaped(net.weights.take(`${key}.weight`, [out, dimension, 1, 1]), [out, dimension]);
  const bias = net.weights.take(`${key}.bias`, [out]);
  return op.l2Normalize(net.dense(x, weight, bias, { exact: true }), [1]);
}
