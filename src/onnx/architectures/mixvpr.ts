import { VprError } from '../../core/VprError.js';
import { reshaped } from '../graph/lazyTensors.js';
import * as op from '../graph/operators.js';
import { imageInput } from '../layers/imageInput.js';
import { Network } from '../layers/Network.js';
import { resnet, resnet50Variant, resnetKeys } from '../layers/resnet.js';
import type { Architecture, Preprocessing } from './Architecture.js';

/** demo.py: PIL bicubic to 320 x 320, to which the mixer's weights are bound; the training code's validation is bilinear. */
const INPUT: Preprocessing = { height: 320, width: 320, resize: 'pil-bicubic', normalize: 'after-resize' };
const KEYS = resnetKeys('backbone.model', 3);
const CHANNELS = 1024;
const POSITIONS = 400;
const DEPTH = 4;
const EPSILON = 1e-5;

/** MixVPR (Ali-bey et al., arXiv:2303.02190); checked against commit 4043915 of the official code. */
export const MIXVPR: Architecture = {
  name: 'mixvpr',
  summary: 'MixVPR: feature mixing over the positions of ResNet-50',
  dimensions: [4096, 512, 128],
  hash: false,
  preprocessing: INPUT,
  paper: 'Ali-bey et al., MixVPR, arXiv:2303.02190',
  licence: 'MIT',
  source: 'https://github.com/amaralibey/MixVPR',
  reported: {
    recallAt1: { 'Pitts30k-test': 91.5, 'MSLS-val': 88.0, 'Tokyo24/7': 85.1, Nordland: 76.2 },
    where: 'Table II of arXiv:2502.16601, 4096-d',
  },
  variant: {
    ...resnet50Variant(KEYS),
    'aggregator.channel_proj.weight': [1024, CHANNELS],
    'aggregator.row_proj.weight': [4, POSITIONS],
  },
  build(weights, options) {
    const net = new Network('mixvpr', weights, options.precision, options.attention);
    const map = resnet(net, imageInput(net, options, INPUT), KEYS);
    const [, , rowsOfMap, columnsOfMap] = map.shape as [number, number, number, number];
    if (rowsOfMap * columnsOfMap !== POSITIONS)
      throw new VprError(
        'ARGUMENT_INVALID',
        `Expected an input of ${INPUT.height} x ${INPUT.width}, to which the mixer's weights are bound, got ${options.height} x ${options.width}`,
      );
    let x = op.reshape(op.cast(map, 'float32'), [CHANNELS, POSITIONS]);
    for (let i = 0; i < DEPTH; i++) {
      const key = `aggregator.mix.${i}.mix`;
      const hidden = op.relu(net.linear(net.layerNorm(x, `${key}.0`, EPSILON), `${key}.1`, POSITIONS, { exact: true }));
      x = op.add(x, net.linear(hidden, `${key}.3`, POSITIONS, { exact: true }));
    }
    const [channels] = weights.shapeOf('aggregator.channel_proj.weight') as [number];
    const [rows] = weights.shapeOf('aggregator.row_proj.weight') as [number];
    const byChannel = net.linear(op.transpose(x, [1, 0]), 'aggregator.channel_proj', channels, { exact: true });
    // The rows' weights from the left: only their short result is transposed.
    const rowWeight = net.graph.constant('row_weight', weights.take('aggregator.row_proj.weight', [rows, POSITIONS]));
    const rowBias = reshaped(weights.take('aggregator.row_proj.bias', [rows]), [rows, 1]);
    const mixed = op.add(op.matMul(rowWeight, byChannel), net.graph.constant('row_bias', rowBias)); // [rows, channels]
    const flat = op.reshape(op.transpose(mixed, [1, 0]), [1, channels * rows]); // channel-major
    net.graph.output('descriptor', op.l2Normalize(flat, [1]));
    weights.finish();
    return net.graph;
  },
};
