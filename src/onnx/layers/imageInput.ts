import { IMAGENET_MEAN, IMAGENET_STD } from '../architectures/imagenet.js';
import type { BuildOptions, Preprocessing } from '../architectures/Architecture.js';
import type { Value } from '../graph/GraphBuilder.js';
import * as op from '../graph/operators.js';
import { floats } from '../graph/Tensor.js';
import type { Network } from './Network.js';

/** The input `image`: normalised floats [1, 3, H, W], or bytes [1, H, W, 3] that are normalised here. Returns [1, 3, H, W]. */
export function imageInput(net: Network, options: BuildOptions, standard: Preprocessing): Value {
  const height = options.height ?? standard.height;
  const width = options.width ?? standard.width;
  const { graph } = net;
  let image: Value;
  if (options.preprocessInside === true) {
    const bytes = graph.input('image', 'uint8', [1, height, width, 3]);
    const values = op.cast(op.transpose(bytes, [0, 3, 1, 2]), 'float32');
    // (v / 255 - mean) / std = v * gain + shift
    const { mean = IMAGENET_MEAN, std = IMAGENET_STD } = standard;
    const gain = std.map((value) => 1 / (255 * value));
    const shift = mean.map((value, i) => -value / std[i]!);
    const perChannel = (name: string, list: readonly number[]): Value =>
      graph.constant(name, floats(list, [1, 3, 1, 1]));
    image = op.add(op.multiply(values, perChannel('gain', gain)), perChannel('shift', shift));
  } else image = graph.input('image', 'float32', [1, 3, height, width]);
  return net.precision === 'fp16' ? op.cast(image, 'float16') : image;
}
