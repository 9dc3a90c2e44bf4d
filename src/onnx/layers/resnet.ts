import type { Value } from '../graph/GraphBuilder.js';
import * as op from '../graph/operators.js';
import type { Network } from './Network.js';

/** torchvision's BatchNorm2d. */
const EPSILON = 1e-5;
/** Channels of a bottleneck's result over its inner ones. */
const EXPANSION = 4;

/** Names of a ResNet's parts in a state dict: torchvision's own, or positions in an nn.Sequential. */
export interface ResnetKeys {
  readonly conv1: string;
  readonly bn1: string;
  readonly layers: readonly string[];
}

/** Names as in torchvision's ResNet below a prefix, the first `stages` of its four stages. */
export function resnetKeys(prefix: string, stages: 3 | 4): ResnetKeys {
  const layers = ['layer1', 'layer2', 'layer3', 'layer4'].slice(0, stages).map((name) => `${prefix}.${name}`);
  return { conv1: `${prefix}.conv1`, bn1: `${prefix}.bn1`, layers };
}

/** Names where the children of a ResNet became an nn.Sequential: 2 and 3 are the ReLU and the pooling. */
export function sequentialResnetKeys(prefix: string, stages: 3 | 4): ResnetKeys {
  const layers = [4, 5, 6, 7].slice(0, stages).map((i) => `${prefix}.${i}`);
  return { conv1: `${prefix}.0`, bn1: `${prefix}.1`, layers };
}

/** Blocks of each stage, by a block of the third stage that only this depth and deeper ones have. */
const DEPTHS = [
  { last: 35, blocks: [3, 8, 36, 3] }, // ResNet-152
  { last: 22, blocks: [3, 4, 23, 3] }, // ResNet-101
  { last: 5, blocks: [3, 4, 6, 3] }, // ResNet-34 and -50
  { last: 1, blocks: [2, 2, 2, 2] }, // ResNet-18
] as const;

/** Two 3x3 convolutions (ResNet-18, -34), or 1x1, 3x3, 1x1; the stride is the first 3x3's: torchvision's "v1.5". */
function block(
  net: Network,
  x: Value,
  key: string,
  inner: number,
  stride: number,
  kind: 'basic' | 'bottleneck',
): Value {
  const out = kind === 'basic' ? inner : inner * EXPANSION;
  const convBn = (input: Value, name: string, channels: number, kernel: number, step: number): Value =>
    net.convBn(input, `${key}.conv${name}`, `${key}.bn${name}`, channels, kernel, {
      epsilon: EPSILON,
      stride: step,
      padding: (kernel - 1) / 2,
    });
  const shortcut =
    stride === 1 && x.shape[1] === out
      ? x
      : net.convBn(x, `${key}.downsample.0`, `${key}.downsample.1`, out, 1, { epsilon: EPSILON, stride });
  if (kind === 'basic') {
    const first = op.relu(convBn(x, '1', inner, 3, stride));
    return op.relu(op.add(convBn(first, '2', out, 3, 1), shortcut));
  }
  const first = op.relu(convBn(x, '1', inner, 1, 1));
  const second = op.relu(convBn(first, '2', inner, 3, stride));
  return op.relu(op.add(convBn(second, '3', out, 1, 1), shortcut));
}

/**
 * A ResNet without its classifier (He et al., arXiv:1512.03385), as many stages as keys.layers names; 18, 34, 50, 101 or 152
 * layers, told from the weights. image: [1, 3, H, W]; returns [1, 1024, H / 16, W / 16] after three stages and
 * [1, 2048, H / 32, W / 32] after four, a quarter of the channels for 18 and 34.
 */
export function resnet(net: Network, image: Value, keys: ResnetKeys): Value {
  const third = keys.layers[2]!;
  const depth = DEPTHS.find(({ last }) => net.weights.has(`${third}.${last}.conv1.weight`)) ?? DEPTHS.at(-1)!;
  const kind = net.weights.has(`${third}.0.conv3.weight`) ? 'bottleneck' : 'basic';
  const stem = net.convBn(image, keys.conv1, keys.bn1, 64, 7, { epsilon: EPSILON, stride: 2, padding: 3 });
  let x = op.maxPool(op.relu(stem), { kernel: 3, stride: 2, padding: 1 });
  keys.layers.forEach((layer, stage) => {
    for (let i = 0; i < depth.blocks[stage]!; i++)
      x = block(net, x, `${layer}.${i}`, 64 * 2 ** stage, i === 0 && stage > 0 ? 2 : 1, kind);
  });
  return x;
}

/** The tensors by which `resnet` tells ResNet-50 (architectures' `variant`). */
export function resnet50Variant(keys: ResnetKeys): Readonly<Record<string, readonly number[]>> {
  const third = keys.layers[2]!;
  return { [`${third}.5.conv1.weight`]: [256, 1024, 1, 1], [`${third}.0.conv3.weight`]: [1024, 256, 1, 1] };
}
