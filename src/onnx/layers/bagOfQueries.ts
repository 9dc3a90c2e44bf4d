import type { Value } from '../graph/GraphBuilder.js';
import { once, rowsOf } from '../graph/lazyTensors.js';
import * as op from '../graph/operators.js';
import { lazyFloats, readFloats, type Tensor } from '../graph/Tensor.js';
import type { Network } from './Network.js';

const EPSILON = 1e-5;
const QUERIES = 64;
const HEAD = 64;
const LAYERS = 2;

/** y = x weight^T + bias in f64. x: [n, in], weight: [out, in]. */
function affine(x: Float64Array, weight: Float32Array, bias: Float32Array): Float64Array {
  const out = bias.length;
  const inner = weight.length / out;
  const rows = x.length / inner;
  const y = new Float64Array(rows * out);
  for (let r = 0; r < rows; r++)
    for (let o = 0; o < out; o++) {
      let sum = bias[o]!;
      for (let i = 0; i < inner; i++) sum += x[r * inner + i]! * weight[o * inner + i]!;
      y[r * out + o] = sum;
    }
  return y;
}

interface QueryWeights {
  readonly queries: Tensor;
  readonly inWeight: Tensor;
  readonly inBias: Tensor;
  readonly outWeight: Tensor;
  readonly outBias: Tensor;
  readonly normScale: Tensor;
  readonly normBias: Tensor;
}

/**
 * The learned queries after their self-attention, norm_q(queries + self_attn(queries)): the same for every image, so it is
 * computed here, in f64. Returns [64, d].
 */
function refineQueries(weights: QueryWeights, d: number): Float64Array {
  const x = Float64Array.from(readFloats(weights.queries));
  const packed = affine(x, readFloats(weights.inWeight), readFloats(weights.inBias)); // [64, 3 d]: q, k, v
  const attended = new Float64Array(QUERIES * d);
  for (let head = 0; head < d / HEAD; head++) {
    const at = (row: number, part: number, i: number): number => packed[row * 3 * d + part * d + head * HEAD + i]!;
    for (let q = 0; q < QUERIES; q++) {
      const scores = Array.from({ length: QUERIES }, (_, k) => {
        let sum = 0;
        for (let i = 0; i < HEAD; i++) sum += at(q, 0, i) * at(k, 1, i);
        return sum / Math.sqrt(HEAD);
      });
      const largest = Math.max(...scores);
      const shares = scores.map((score) => Math.exp(score - largest));
      const total = shares.reduce((a, b) => a + b, 0);
      for (let i = 0; i < HEAD; i++) {
        let sum = 0;
        for (let k = 0; k < QUERIES; k++) sum += (shares[k]! / total) * at(k, 2, i);
        attended[q * d + head * HEAD + i] = sum;
      }
    }
  }
  const projected = affine(attended, readFloats(weights.outWeight), readFloats(weights.outBias));
  const scale = readFloats(weights.normScale);
  const bias = readFloats(weights.normBias);
  for (let q = 0; q < QUERIES; q++) {
    const row = projected.subarray(q * d, (q + 1) * d);
    for (let i = 0; i < d; i++) row[i]! += x[q * d + i]!;
    const mean = row.reduce((a, b) => a + b, 0) / d;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / d;
    for (let i = 0; i < d; i++) row[i] = ((row[i]! - mean) / Math.sqrt(variance + EPSILON)) * scale[i]! + bias[i]!;
  }
  return projected;
}

/** nn.MultiheadAttention's packed projection: rows are q, k, v. */
function packedProjection(net: Network, key: string, d: number) {
  return {
    weight: net.weights.take(`${key}.in_proj_weight`, [3 * d, d]), // [q; k; v, in]
    bias: net.weights.take(`${key}.in_proj_bias`, [3 * d]),
  };
}

/** nn.TransformerEncoderLayer, norm last: x = norm1(x + attention(x)); x = norm2(x + linear2(ReLU(linear1 x))). */
function encoderLayer(net: Network, x: Value, key: string): Value {
  const d = x.shape[1]!;
  const packed = packedProjection(net, `${key}.self_attn`, d);
  const among = net.selfAttention(x, packed.weight, packed.bias, d / HEAD);
  const attended = net.linear(among, `${key}.self_attn.out_proj`, d);
  const middle = net.layerNorm(op.add(x, attended), `${key}.norm1`, EPSILON);
  const hidden = op.relu(net.linear(middle, `${key}.linear1`, 4 * d));
  return net.layerNorm(op.add(middle, net.linear(hidden, `${key}.linear2`, d)), `${key}.norm2`, EPSILON);
}

/** Attention of the learned queries to the tokens, without a residual. Returns [64, d]. */
function attendToImage(net: Network, x: Value, key: string): Value {
  const d = x.shape[1]!;
  const own = packedProjection(net, `${key}.self_attn`, d);
  const learned: QueryWeights = {
    queries: net.weights.take(`${key}.queries`, [1, QUERIES, d]),
    inWeight: own.weight,
    inBias: own.bias,
    outWeight: net.weights.take(`${key}.self_attn.out_proj.weight`, [d, d]),
    outBias: net.weights.take(`${key}.self_attn.out_proj.bias`, [d]),
    normScale: net.weights.take(`${key}.norm_q.weight`, [d]),
    normBias: net.weights.take(`${key}.norm_q.bias`, [d]),
  };
  const cross = packedProjection(net, `${key}.cross_attn`, d);
  const projected = once(() =>
    Float32Array.from(
      affine(
        refineQueries(learned, d),
        readFloats(cross.weight).subarray(0, d * d),
        readFloats(cross.bias).subarray(0, d),
      ),
    ),
  );
  const queries = net.constantLike(x, 'queries', lazyFloats([QUERIES, d], projected));
  const keysAndValues = net.dense(x, rowsOf(cross.weight, d, 3 * d), rowsOf(cross.bias, d, 3 * d));
  const [k, v] = op.split(keysAndValues, 1, [d, d]) as [Value, Value];
  const attended = net.linear(net.attention(queries, k, v, d / HEAD), `${key}.cross_attn.out_proj`, d);
  return net.layerNorm(attended, `${key}.norm_out`, EPSILON);
}

/**
 * Bag-of-Queries aggregation (Ali-bey et al., arXiv:2405.07364): learned queries attend to the features of two encoder
 * layers. features: [1, C, H, W]; returns [1, d * rowDimension], L2-normalised.
 */
export function bagOfQueries(net: Network, features: Value, key: string, d: number, rowDimension: number): Value {
  const projected = net.conv(features, `${key}.proj_c`, d, 3, { padding: 1 });
  const [, , height, width] = projected.shape as [number, number, number, number];
  const tokens = op.transpose(op.reshape(projected, [d, height * width]), [1, 0]);
  let x = net.layerNorm(tokens, `${key}.norm_input`, EPSILON);
  const outputs: Value[] = [];
  for (let layer = 0; layer < LAYERS; layer++) {
    const block = `${key}.boqs.${layer}`;
    x = net.graph.scoped(`${block}.encoder`, () => encoderLayer(net, x, `${block}.encoder`));
    outputs.push(net.graph.scoped(block, () => attendToImage(net, x, block)));
  }
  // [2 * 64, d] as [d, 128]: the fully connected layer mixes queries, channel by channel.
  const mixed = op.transpose(op.concat(outputs as [Value, ...Value[]], 0), [1, 0]);
  const rows = net.linear(mixed, `${key}.fc`, rowDimension, { exact: true });
  return op.l2Normalize(op.reshape(rows, [1, d * rowDimension]), [1]);
}
