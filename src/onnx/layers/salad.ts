import type { Value } from '../graph/GraphBuilder.js';
import * as op from '../graph/operators.js';
import { floats, lazyFloats, readFloats } from '../graph/Tensor.js';
import type { Network } from './Network.js';

const ITERATIONS = 3;

export interface SaladSize {
  readonly clusters: number;
  readonly clusterDimension: number;
  readonly tokenDimension: number;
}

export const SALAD_8448: SaladSize = { clusters: 64, clusterDimension: 128, tokenDimension: 256 };

/** 1x1 convolution, ReLU, dropout, 1x1 convolution: KEY.0 and KEY.3, on tokens. x: [n, C]; returns [n, out]. */
export function pointwisePair(net: Network, x: Value, key: string, out: number): Value {
  const layer = (input: Value, name: string, size: number): Value => {
    const weight = net.weights.take(`${name}.weight`, [size, input.shape[1]!, 1, 1]); // [out, in, 1, 1]
    const matrix = lazyFloats([size, input.shape[1]!], () => readFloats(weight));
    return net.dense(input, matrix, net.weights.take(`${name}.bias`, [size]), { exact: true });
  };
  return layer(op.relu(layer(x, `${key}.0`, 512)), `${key}.3`, out);
}

/** What the class token says of the scene, KEY.token_features. classToken: [1, C]; returns [1, out], L2-normalised. */
export function sceneToken(net: Network, classToken: Value, key: string, out: number): Value {
  const hidden = op.relu(net.linear(classToken, `${key}.token_features.0`, 512, { exact: true }));
  return op.l2Normalize(net.linear(hidden, `${key}.token_features.2`, out, { exact: true }), [1]);
}

/**
 * SALAD aggregation (Izquierdo and Civera, arXiv:2311.15937, sec. 3): tokens are assigned to clusters by optimal transport
 * with a dust bin, three Sinkhorn iterations in the logarithm. tokens: [n, C]; classToken: [1, C].
 * Returns [1, tokenDimension + clusters * clusterDimension], L2-normalised.
 */
export function salad(net: Network, tokens: Value, classToken: Value, key: string, size: SaladSize): Value {
  const { clusters, clusterDimension, tokenDimension } = size;
  const count = tokens.shape[0]!;
  const features = pointwisePair(net, tokens, `${key}.cluster_features`, clusterDimension); // [n, l]
  const scores = op.transpose(pointwisePair(net, tokens, `${key}.score`, clusters), [1, 0]); // [m, n]
  const dustBin = net.weights.take(`${key}.dust_bin`, []);
  const dustRow = lazyFloats([1, count], () => new Float32Array(count).fill(readFloats(dustBin)[0]!));
  const augmented = op.concat([scores, net.constantLike(scores, 'dust_bin', dustRow)], 0); // [m + 1, n]
  const norm = -Math.log(count + clusters);
  const logA = net.graph.constant(
    'log_a',
    floats([...new Array<number>(clusters).fill(norm), norm + Math.log(count - clusters)], [clusters + 1, 1]),
  );
  let u: Value | undefined;
  let v: Value | undefined;
  for (let i = 0; i < ITERATIONS; i++) {
    const rows = v === undefined ? augmented : op.add(augmented, v);
    u = op.subtract(logA, op.reduceLogSumExp(rows, [1])); // [m + 1, 1]
    v = op.subtract(op.negate(op.reduceLogSumExp(op.add(augmented, u), [0])), -norm); // [1, n]
  }
  const plan = op.exponential(op.subtract(op.add(op.add(augmented, u!), v!), norm));
  const assigned = op.matMul(op.slice(plan, 0, 0, clusters), features); // [m, l]
  // The official order is l-major: element l * m + j is dimension l of cluster j.
  const local = op.reshape(op.transpose(op.l2Normalize(assigned, [1]), [1, 0]), [1, clusters * clusterDimension]);
  return op.l2Normalize(op.concat([sceneToken(net, classToken, key, tokenDimension), local], 1), [1]);
}
