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

/** Blocks of each stage. */
export const RESNET50_BLOCKS = [3, 4, 6, 3] as const;
export const RESNET101_BLOCKS = [3, 4, 23, 3] as const;

/** 1x1, 3x3 (with the stride: torchvision's "v1.5"), 1x1; added to the input or its projection. */
function bottleneck(net: Network, x: Value, key: string, inner: number, stride: number): Value {
  const out = inner * EXPANSION;
  const convBn = (input: Value, name: string, channels: number, kernel: number, step: number): Value =>
    net.convBn(input, `${key}.conv${name}`, `${key}.bn${name}`, channels, kernel, {
      epsilon: EPSILON,
      stride: step,
      padding: (kernel - 1) / 2,
    });
  const first = op.relu(convBn(x, '1', inner, 1, 1));
  const second = op.relu(convBn(first, '2', inner, 3, stride));
  const third = convBn(second, '3', out, 1, 1);
  const shortcut = net.weights.has(`${key}.downsample.0.weight`)
    ? net.convBn(x, `${key}.downsample.0`, `${key}.downsample.1`, out, 1, { epsilon: EPSILON, stride })
    : x;
  return op.relu(op.add(third, shortcut));
}

/**
 * ResNet-50 or -101 without its classifier (He et al., arXiv:1512.03385), as many stages as keys.layers names.
 * image: [1, 3, H, W]; returns [1, 1024, H / 16, W / 16] after three stages, [1, 2048, H / 32, W / 32] after four.
 */
export function resnet(net: Network, image: Value, keys: ResnetKeys, blocks: readonly number[]): Value {
  const stem = net.convBn(image, keys.conv1, keys.bn1, 64, 7, { epsilon: EPSILON, stride: 2, padding: 3 });
  let x = op.maxPool(op.relu(stem), { kernel: 3, stride: 2, padding: 1 });
  keys.layers.forEach((layer, stage) => {
    for (let block = 0; block < blocks[stage]!; block++)
      x = bottleneck(net, x, `${layer}.${block}`, 64 * 2 ** stage, block === 0 && stage > 0 ? 2 : 1);
  });
  return x;
}

/** A ResNet's blocks by the number of its third stage's: 50 or 101. */
export function resnetBlocks(net: Network, thirdLayer: string): readonly number[] {
  return net.weights.has(`${thirdLayer}.22.conv1.weight`) ? RESNET101_BLOCKS : RESNET50_BLOCKS;
}
