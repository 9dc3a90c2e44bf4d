import { VprError } from '../../core/VprError.js';
import type { Value } from '../graph/GraphBuilder.js';
import { rowsOf } from '../graph/lazyTensors.js';
import * as op from '../graph/operators.js';
import { lazyFloats, readFloats, type Tensor } from '../graph/Tensor.js';
import type { Network } from './Network.js';

/** Sizes of a DINOv2 vision transformer (Oquab et al., arXiv:2304.07193). */
export interface VitSize {
  /** Channels of a token. */
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  /** Width of the gated feed-forward layer (SwiGLU) that stands in place of the MLP. */
  readonly gatedWidth?: number;
}

export const VIT_BASE: VitSize = { width: 768, depth: 12, heads: 12 };
export const VIT_LARGE: VitSize = { width: 1024, depth: 24, heads: 16 };
export const VIT_GIANT: VitSize = { width: 1536, depth: 40, heads: 24, gatedWidth: 4096 };

export const PATCH = 14;
/** The released position embedding is a grid of 37 x 37 (518 pixels). */
const POSITION_GRID = 37;
export const VIT_EPSILON = 1e-6;

/** Weights of the four taps of bicubic convolution (a = -0.75, as PyTorch) around a position with fraction t. */
function cubicTaps(t: number): number[] {
  const a = -0.75;
  const near = (x: number): number => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number): number => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [far(t + 1), near(t), near(1 - t), far(2 - t)];
}

/**
 * The position embedding of another grid. embedding: [1, 1 + 37 * 37, D]; returns [rows * columns, D].
 * Bicubic without antialias; source = (target + 0.5) * 37 / (size + 0.1) - 0.5: DINOv2 adds 0.1 to the size that it asks
 * for and PyTorch then samples with that scale.
 */
export function resamplePositions(embedding: Float32Array, width: number, rows: number, columns: number): Float32Array {
  const grid = POSITION_GRID;
  if (rows === grid && columns === grid) return embedding.slice(width);
  const samples = (size: number): { indices: number[]; taps: number[] }[] =>
    Array.from({ length: size }, (_, i) => {
      const source = (i + 0.5) * (grid / (size + 0.1)) - 0.5;
      const floor = Math.floor(source);
      const indices = [-1, 0, 1, 2].map((d) => Math.min(grid - 1, Math.max(0, floor + d)));
      return { indices, taps: cubicTaps(source - floor) };
    });
  const out = new Float32Array(rows * columns * width);
  const across = samples(columns);
  samples(rows).forEach((vertical, y) => {
    across.forEach((horizontal, x) => {
      for (let d = 0; d < width; d++) {
        let sum = 0;
        for (let j = 0; j < 4; j++)
          for (let i = 0; i < 4; i++)
            sum +=
              vertical.taps[j]! *
              horizontal.taps[i]! *
              embedding[(1 + vertical.indices[j]! * grid + horizontal.indices[i]!) * width + d]!;
        out[(y * columns + x) * width + d] = sum;
      }
    });
  });
  return out;
}

/**
 * Class token and patch tokens with their positions. image: [1, 3, H, W], H and W multiples of 14; returns [1 + H W / 196, D].
 * What does not depend on the image (class token + its position; bias + position of patches) is added at build time.
 */
export function embedPatches(net: Network, image: Value, key: string, { width }: VitSize): Value {
  const [, , height, imageWidth] = image.shape as [number, number, number, number];
  if (height % PATCH !== 0 || imageWidth % PATCH !== 0)
    throw new VprError(
      'ARGUMENT_INVALID',
      `Expected an input size that is a multiple of ${PATCH}, got ${height} x ${imageWidth}`,
    );
  const rows = height / PATCH;
  const columns = imageWidth / PATCH;
  const positions = net.weights.take(`${key}.pos_embed`, [1, 1 + POSITION_GRID ** 2, width]);
  const classToken = net.weights.take(`${key}.cls_token`, [1, 1, width]);
  const bias = net.weights.take(`${key}.patch_embed.proj.bias`, [width]);
  const weight = net.weights.take(`${key}.patch_embed.proj.weight`, [width, 3, PATCH, PATCH]); // [out, in, kH, kW]
  net.weights.ignore(`${key}.mask_token`);
  const patches = op.conv(image, net.constantLike(image, 'patch_weight', weight), undefined, { stride: PATCH });
  const offsets = lazyFloats([rows * columns, width], () => {
    const out = resamplePositions(readFloats(positions), width, rows, columns);
    const shift = readFloats(bias);
    return out.map((value, i) => value + shift[i % width]!);
  });
  const first = lazyFloats([1, width], () => {
    const position = readFloats(positions);
    return readFloats(classToken).map((value, i) => value + position[i]!);
  });
  const tokens = op.transpose(op.reshape(patches, [width, rows * columns]), [1, 0]);
  return op.concat(
    [net.constantLike(image, 'class_token', first), op.add(tokens, net.constantLike(image, 'positions', offsets))],
    0,
  );
}

/**
 * What stands beside the MLP of a block: tokens after norm2 [N, D] and the block's second LayerScale [D] in, the same shape
 * out, LayerScale applied.
 */
export type MlpBranch = (normed: Value, scale: Tensor) => Value;

/** w3(silu(a) * b) with [a; b] = w12 x (Shazeer, arXiv:2002.05202). */
function gatedFeedForward(net: Network, x: Value, key: string, inner: number, scale: Tensor): Value {
  const [gate, value] = op.split(net.linear(x, `${key}.w12`, 2 * inner), 1, [inner, inner]) as [Value, Value];
  const hidden = op.multiply(op.multiply(gate, op.sigmoid(gate)), value);
  return net.linear(hidden, `${key}.w3`, x.shape[1]!, { scale });
}

/**
 * One transformer block: x += ls1 proj(attention(norm1 x)); x += ls2 fc2(gelu(fc1(norm2 x))), plus a branch where an
 * adapted network has one. x: [N, D].
 */
export function vitBlock(net: Network, x: Value, key: string, size: VitSize, branch?: MlpBranch): Value {
  const { width, heads, gatedWidth } = size;
  const scale = (name: string): Tensor => net.weights.take(`${key}.${name}.gamma`, [width]);
  return net.graph.scoped(key, () => {
    const weight = net.weights.take(`${key}.attn.qkv.weight`, [3 * width, width]); // [q; k; v, in]
    const bias = net.weights.take(`${key}.attn.qkv.bias`, [3 * width]);
    const among = net.selfAttention(net.layerNorm(x, `${key}.norm1`, VIT_EPSILON), weight, bias, heads);
    const attended = net.linear(among, `${key}.attn.proj`, width, { scale: scale('ls1') });
    const middle = op.add(x, attended);
    const normed = net.layerNorm(middle, `${key}.norm2`, VIT_EPSILON);
    const second = scale('ls2');
    const feedForward = (): Value => {
      const hidden = op.gelu(net.linear(normed, `${key}.mlp.fc1`, 4 * width));
      return net.linear(hidden, `${key}.mlp.fc2`, width, { scale: second });
    };
    const forward =
      gatedWidth === undefined ? feedForward() : gatedFeedForward(net, normed, `${key}.mlp`, gatedWidth, second);
    const out = op.add(middle, forward);
    return branch === undefined ? out : op.add(out, branch(normed, second));
  });
}

/**
 * A whole DINOv2: all blocks and the final norm. `after` may change the tokens behind each block.
 * image: [1, 3, H, W]; returns [1 + H W / 196, D], class token first.
 */
export function dinov2(
  net: Network,
  image: Value,
  key: string,
  size: VitSize,
  after: (x: Value, block: number) => Value = (x) => x,
): Value {
  let x = embedPatches(net, image, key, size);
  for (let i = 0; i < size.depth; i++) x = after(vitBlock(net, x, `${key}.blocks.${i}`, size), i);
  return net.layerNorm(x, `${key}.norm`, VIT_EPSILON);
}

/**
 * The values that block `layer` computes for its attention, [1 + H W / 196, D]; queries, keys and all that comes later are in
 * the file and not computed.
 */
export function dinov2Value(net: Network, image: Value, key: string, size: VitSize, layer: number): Value {
  const { width, depth } = size;
  let x = embedPatches(net, image, key, size);
  for (let i = 0; i < layer; i++) x = vitBlock(net, x, `${key}.blocks.${i}`, size);
  const last = `${key}.blocks.${layer}`;
  const weight = net.weights.take(`${last}.attn.qkv.weight`, [3 * width, width]); // [q; k; v, in]
  const bias = net.weights.take(`${last}.attn.qkv.bias`, [3 * width]);
  const normed = net.layerNorm(x, `${last}.norm1`, VIT_EPSILON);
  for (let i = layer; i < depth; i++) net.weights.ignoreBelow(`${key}.blocks.${i}.`);
  net.weights.ignoreBelow(`${key}.norm.`);
  return net.dense(normed, rowsOf(weight, 2 * width, 3 * width), rowsOf(bias, 2 * width, 3 * width));
}
