import type { Value } from '../graph/GraphBuilder.js';
import * as op from '../graph/operators.js';
import type { Network } from './Network.js';

/** Channels of the 3x3 convolutions; 'pool' halves the sides. Positions count ReLUs, as in torchvision's nn.Sequential. */
const LAYERS = [64, 64, 'pool', 128, 128, 'pool', 256, 256, 256, 'pool', 512, 512, 512, 'pool', 512, 512, 512] as const;

/**
 * VGG-16's convolutions up to conv5_3, whose ReLU and pooling the place recognition networks leave off (Simonyan and
 * Zisserman, arXiv:1409.1556). image: [1, 3, H, W]; returns [1, 512, H / 16, W / 16].
 */
export function vgg16(net: Network, image: Value, key: string): Value {
  let x = image;
  let position = 0;
  for (const [i, layer] of LAYERS.entries()) {
    if (layer === 'pool') {
      x = op.maxPool(x, { kernel: 2, stride: 2 });
      position += 1;
    } else {
      x = net.conv(x, `${key}.${position}`, layer, 3, { padding: 1 });
      if (i < LAYERS.length - 1) x = op.relu(x);
      position += 2;
    }
  }
  return x;
}
