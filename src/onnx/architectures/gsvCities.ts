import type { Value } from '../graph/GraphBuilder.js';
import { reshaped } from '../graph/lazyTensors.js';
import * as op from '../graph/operators.js';
import { floats } from '../graph/Tensor.js';
import { imageInput } from '../layers/imageInput.js';
import { Network } from '../layers/Network.js';
import { resnet, resnet50Variant, resnetKeys } from '../layers/resnet.js';
import type { Architecture, BuildOptions, Preprocessing } from './Architecture.js';
import type { Weights } from '../layers/Weights.js';

/** The README: resized to 320 x 320, the 4096-wide model by bicubic interpolation; of the PIL image, as its data sets do. */
const CONVAP_INPUT: Preprocessing = { height: 320, width: 320, resize: 'pil-bicubic', normalize: 'after-resize' };
/** dataloaders/val: T.Resize of the PIL image, bilinear unless it is told otherwise. */
const GEM_INPUT: Preprocessing = { ...CONVAP_INPUT, resize: 'pil-bilinear' };

const KEYS = resnetKeys('backbone.model', 4);

const ABOUT = {
  hash: false,
  licence: 'none stated',
  source: 'https://github.com/amaralibey/gsv-cities',
} as const;

/** ResNet with all stages, as positions [n, C] and the size of their grid. */
function positions(
  net: Network,
  options: BuildOptions,
  input: Preprocessing,
): { x: Value; rows: number; columns: number } {
  const map = op.cast(resnet(net, imageInput(net, options, input), KEYS), 'float32');
  const [, channels, rows, columns] = map.shape as [number, number, number, number];
  return { x: op.transpose(op.reshape(map, [channels, rows * columns]), [1, 0]), rows, columns };
}

/** Begin and end of the windows of nn.AdaptiveAvgPool2d along one axis. */
function windows(size: number, count: number): (readonly [number, number])[] {
  return Array.from({ length: count }, (_, i) => [Math.floor((i * size) / count), Math.ceil(((i + 1) * size) / count)]);
}

/** Means over a grid of windows as one matrix [parts^2, rows * columns]. */
function meansOfWindows(rows: number, columns: number, parts: number): Float32Array {
  const out = new Float32Array(parts * parts * rows * columns);
  windows(rows, parts).forEach(([top, bottom], i) => {
    windows(columns, parts).forEach(([left, right], j) => {
      for (let y = top; y < bottom; y++)
        for (let x = left; x < right; x++)
          out[(i * parts + j) * rows * columns + y * columns + x] = 1 / ((bottom - top) * (right - left));
    });
  });
  return out;
}

/** s1 = s2 = 2 in all released checkpoints, which do not say it. */
const PARTS = 2;

/**
 * Conv-AP. The code convolves (1x1), then pools; both are linear, so the graph pools first: the convolution then has four
 * positions instead of a hundred.
 */
function buildConvAp(weights: Weights, options: BuildOptions) {
  const net = new Network('convap', weights, options.precision, options.attention);
  const { x, rows, columns } = positions(net, options, CONVAP_INPUT);
  const parts = PARTS * PARTS;
  const means = net.graph.constant(
    'means_of_windows',
    floats(meansOfWindows(rows, columns, PARTS), [parts, rows * columns]),
  );
  const channels = x.shape[1]!;
  const [out] = weights.shapeOf('aggregator.channel_pool.weight') as [number];
  const kernel = weights.take('aggregator.channel_pool.weight', [out, channels, 1, 1]); // [out, in, 1, 1]
  const bias = weights.take('aggregator.channel_pool.bias', [out]);
  const pooled = net.dense(op.matMul(means, x), reshaped(kernel, [out, channels]), bias, { exact: true }); // [4, out]
  // Flattened channel by channel.
  const flat = op.reshape(op.transpose(pooled, [1, 0]), [1, out * parts]);
  net.graph.output('descriptor', op.l2Normalize(flat, [1]));
  weights.finish();
  return net.graph;
}

/** Conv-AP (Ali-bey et al., arXiv:2210.10239); checked against commit 77ffffc of the official code. */
export const CONVAP: Architecture = {
  ...ABOUT,
  name: 'convap',
  summary: 'Conv-AP: a 1x1 convolution and means over 2 x 2 windows of ResNet-50',
  dimensions: [4096, 8192, 2048, 512],
  preprocessing: CONVAP_INPUT,
  paper: 'Ali-bey et al., GSV-Cities, arXiv:2210.10239',
  reported: {
    recallAt1: { 'Pitts30k-test': 90.5, 'MSLS-val': 83.5 },
    where: "the official repository's README, 4096-d",
  },
  remark: 'windows of 2 x 2, as released: the checkpoint does not say',
  variant: { ...resnet50Variant(KEYS), 'aggregator.channel_pool.weight': [1024, 2048, 1, 1] },
  build: buildConvAp,
};

/** GeM pooling (Radenovic et al., arXiv:1711.02512) as GSV-Cities trains it; checked against commit 77ffffc of that code. */
export const GEM: Architecture = {
  ...ABOUT,
  name: 'gem',
  summary: 'generalised mean pooling of ResNet-50, trained on GSV-Cities',
  dimensions: [2048],
  preprocessing: GEM_INPUT,
  paper: 'Radenovic et al., GeM, arXiv:1711.02512',
  reported: {
    recallAt1: { 'Pitts250k-test': 82.9, 'MSLS-val': 76.5 },
    where: 'Table 1 of arXiv:2405.07364, ResNet-50',
  },
  remark: 'the authors publish training code, no weights for this network',
  variant: resnet50Variant(KEYS),
  build(weights, options) {
    const net = new Network('gem', weights, options.precision, options.attention);
    const { x } = positions(net, options, GEM_INPUT);
    net.graph.output('descriptor', op.l2Normalize(net.gem(x, 'aggregator.p'), [1]));
    weights.finish();
    return net.graph;
  },
};
