import { GraphBuilder, MICROSOFT_DOMAIN, type Value } from '../graph/GraphBuilder.js';
import * as op from '../graph/operators.js';
import { lazyFloats, halves, readFloats, type Tensor } from '../graph/Tensor.js';
import { once, scaledRows, transposed } from '../graph/lazyTensors.js';
import { quantizeRows, zeroPoints } from '../graph/quantizeRows.js';
import type { Weights } from './Weights.js';

export type Precision = 'fp32' | 'fp16' | 'int8';
/** fused: ONNX Runtime's Attention and MultiHeadAttention; plain: standard operators, for engines that know no others. */
export type AttentionKind = 'fused' | 'plain';

export interface ConvBnOptions extends op.ConvOptions {
  /** Epsilon of the batch normalisation. */
  readonly epsilon: number;
}

/**
 * A graph under construction with the weights that it takes: the layers that all networks share, each folded and laid out as
 * ONNX Runtime runs it fastest. Token matrices are [N, D]: the batch is one image.
 */
export class Network {
  readonly graph: GraphBuilder;
  readonly weights: Weights;
  readonly precision: Precision;
  readonly attentionKind: AttentionKind;

  constructor(name: string, weights: Weights, precision: Precision, attentionKind: AttentionKind) {
    this.graph = new GraphBuilder(name);
    this.weights = weights;
    this.precision = precision;
    this.attentionKind = attentionKind;
  }

  /** A constant of the type of `x`. */
  constantLike(x: Value, name: string, tensor: Tensor): Value {
    return this.graph.constant(name, x.dataType === 'float16' ? halves(tensor) : tensor);
  }

  /**
   * x weight^T + bias. x: [N, in]; weight: [out, in] as PyTorch stores it; bias: [out]. Quantized where the network is int8,
   * unless `exact`: heads decide bits, and cost nothing beside the backbone.
   */
  dense(x: Value, weight: Tensor, bias?: Tensor, options: { readonly exact?: boolean } = {}): Value {
    const biasValue = bias === undefined ? undefined : this.constantLike(x, 'bias', bias);
    if (this.precision !== 'int8' || options.exact === true || x.dataType !== 'float32')
      return op.gemm(x, this.constantLike(x, 'weight', weight), biasValue);
    const out = weight.shape[0]!;
    const { values, scales } = quantizeRows(weight);
    const inputs = [
      x,
      this.graph.constant('weight_int8', values),
      this.graph.constant('weight_scale', scales),
      this.graph.shared(`zero:${out}`, 'zero_points', () => zeroPoints(out)),
      biasValue,
    ];
    const shape = [x.shape[0]!, out];
    return this.graph.node('DynamicQuantizeMatMul', inputs, [{ dataType: 'float32', shape }], {}, MICROSOFT_DOMAIN)[0]!;
  }

  /** nn.Linear by key: KEY.weight [out, in], KEY.bias [out]. `scale`: [out], LayerScale folded into both. */
  linear(
    x: Value,
    key: string,
    out: number,
    options: { readonly scale?: Tensor; readonly exact?: boolean; readonly bias?: boolean } = {},
  ): Value {
    const weight = this.weights.take(`${key}.weight`, [out, x.shape[1]!]); // [out, in]
    const bias = options.bias === false ? undefined : this.weights.take(`${key}.bias`, [out]);
    const { scale } = options;
    if (scale === undefined) return this.dense(x, weight, bias, options);
    const factors = once(() => readFloats(scale));
    return this.dense(x, scaledRows(weight, factors), bias && scaledRows(bias, factors), options);
  }

  layerNorm(x: Value, key: string, epsilon: number): Value {
    const size = x.shape.at(-1)!;
    return op.layerNorm(
      x,
      this.constantLike(x, 'scale', this.weights.take(`${key}.weight`, [size])),
      this.constantLike(x, 'bias', this.weights.take(`${key}.bias`, [size])),
      epsilon,
    );
  }

  /**
   * A convolution and the batch normalisation behind it as one: w' = w g, b' = (b - mean) g + beta with
   * g = gamma / sqrt(variance + epsilon). weight: [out, in / groups, kH, kW].
   */
  foldedConv(
    convKey: string,
    bnKey: string,
    shape: readonly [number, number, number, number],
    options: { readonly epsilon: number; readonly bias: boolean },
  ): { readonly weight: Tensor; readonly bias: Tensor } {
    const out = shape[0];
    const weight = this.weights.take(`${convKey}.weight`, shape);
    const convBias = options.bias ? this.weights.take(`${convKey}.bias`, [out]) : undefined;
    const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((name) =>
      this.weights.take(`${bnKey}.${name}`, [out]),
    ) as [Tensor, Tensor, Tensor, Tensor];
    const gain = once(() => {
      const g = readFloats(gamma);
      const v = readFloats(variance);
      return Float64Array.from(g, (value, i) => value / Math.sqrt(v[i]! + options.epsilon));
    });
    const bias = lazyFloats([out], () => {
      const b = convBias === undefined ? new Float32Array(out) : readFloats(convBias);
      const m = readFloats(mean);
      const shift = readFloats(beta);
      return Float32Array.from(b, (value, i) => (value - m[i]!) * gain()[i]! + shift[i]!);
    });
    return { weight: scaledRows(weight, gain), bias };
  }

  /** Adds a folded convolution and batch normalisation. x: [1, C, H, W]. */
  convBn(
    x: Value,
    convKey: string,
    bnKey: string,
    out: number,
    kernel: number,
    options: ConvBnOptions & { bias?: boolean },
  ): Value {
    const shape = [out, x.shape[1]! / (options.groups ?? 1), kernel, kernel] as const;
    const { weight, bias } = this.foldedConv(convKey, bnKey, shape, {
      epsilon: options.epsilon,
      bias: options.bias ?? false,
    });
    return op.conv(x, this.constantLike(x, 'weight', weight), this.constantLike(x, 'bias', bias), options);
  }

  /** nn.Conv2d by key. */
  conv(x: Value, key: string, out: number, kernel: number, options: op.ConvOptions & { bias?: boolean } = {}): Value {
    const weight = this.weights.take(`${key}.weight`, [out, x.shape[1]! / (options.groups ?? 1), kernel, kernel]); // [out, in, kH, kW]
    const bias = options.bias === false ? undefined : this.weights.take(`${key}.bias`, [out]);
    return op.conv(x, this.constantLike(x, 'weight', weight), bias && this.constantLike(x, 'bias', bias), options);
  }

  /**
   * softmax(q k^T / sqrt(head size)) v for each head. q: [M, D], k and v: [N, D], heads contiguous in D; returns [M, D].
   */
  attention(q: Value, k: Value, v: Value, heads: number): Value {
    const [rows, size] = q.shape as [number, number];
    const columns = k.shape[0]!;
    const head = size / heads;
    if (this.attentionKind === 'fused') {
      const batched = [q, k, v].map((x) => op.reshape(x, [1, x.shape[0]!, size]));
      const [out] = this.graph.node(
        'MultiHeadAttention',
        batched,
        [{ dataType: q.dataType, shape: [1, rows, size] }],
        { num_heads: { int: heads }, scale: { float: 1 / Math.sqrt(head) } },
        MICROSOFT_DOMAIN,
      );
      return op.reshape(out!, [rows, size]);
    }
    const query = op.transpose(op.reshape(q, [rows, heads, head]), [1, 0, 2]); // [heads, M, head]
    const key = op.transpose(op.reshape(k, [columns, heads, head]), [1, 2, 0]); // [heads, head, N]
    const value = op.transpose(op.reshape(v, [columns, heads, head]), [1, 0, 2]); // [heads, N, head]
    const shares = op.softmax(op.matMul(op.multiply(query, 1 / Math.sqrt(head)), key), -1);
    return op.reshape(op.transpose(op.matMul(shares, value), [1, 0, 2]), [rows, size]);
  }

  /**
   * Attention of tokens to each other. x: [N, D]; weight: [3 D, D] as PyTorch stores it, rows of q, of k and of v, heads
   * contiguous in each; bias: [3 D]. Returns [N, D].
   */
  selfAttention(x: Value, weight: Tensor, bias: Tensor, heads: number): Value {
    const [rows, size] = x.shape as [number, number];
    if (this.attentionKind === 'fused' && this.precision === 'fp32') {
      // This operator computes q, k and v head by head, each where it is needed: no split, and no transposition by one thread.
      const [out] = this.graph.node(
        'Attention',
        [
          op.reshape(x, [1, rows, size]),
          this.constantLike(x, 'qkv_weight', transposed(weight)), // [in, q; k; v]
          this.constantLike(x, 'qkv_bias', bias),
        ],
        [{ dataType: x.dataType, shape: [1, rows, size] }],
        { num_heads: { int: heads }, scale: { float: 1 / Math.sqrt(size / heads) } },
        MICROSOFT_DOMAIN,
      );
      return op.reshape(out!, [rows, size]);
    }
    const [q, k, v] = op.split(this.dense(x, weight, bias), 1, [size, size, size]) as [Value, Value, Value];
    return this.attention(q, k, v, heads);
  }

  /** Generalised mean of [N, C] over N: (mean_n max(x, 1e-6)^p)^(1/p), Radenovic et al., arXiv:1711.02512. p is read from
   * the checkpoint (learned), [1]. Returns [1, C]. */
  gem(x: Value, key: string): Value {
    const p = this.weights.take(key, [1]);
    // exp(p log x) is x^p: the clamp keeps x positive, and both are vectorised where Pow is not.
    const clamped = op.logarithm(op.atLeast(x, 1e-6));
    const powered = op.exponential(op.multiply(clamped, this.constantLike(x, 'p', p)));
    const mean = op.reduceMean(powered, [0]);
    const inverse = lazyFloats([1], () => readFloats(p).map((value) => 1 / value));
    return op.exponential(op.multiply(op.logarithm(mean), this.constantLike(x, 'inverse_p', inverse)));
  }
}
