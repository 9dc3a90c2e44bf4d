import type { Value } from '../graph/GraphBuilder.js';
import * as op from '../graph/operators.js';
import { dinov2, VIT_BASE, VIT_LARGE, type VitSize } from '../layers/dinov2.js';
import { imageInput } from '../layers/imageInput.js';
import { Network } from '../layers/Network.js';
import { pointwisePair, sceneToken } from '../layers/salad.js';
import type { Architecture, Preprocessing } from './Architecture.js';

/** eval_emvp.py with the README's --image_size 322 322: torchvision's Resize of the PIL image. */
const INPUT: Preprocessing = { height: 322, width: 322, resize: 'pil-bilinear', normalize: 'after-resize' };
const CLUSTERS = 64;
const CLUSTER_DIMENSION = 128;
const TOKEN_DIMENSION = 256;
/** Last blocks with a recalibration behind them. */
const RECALIBRATED = 4;
const EPSILON = 1e-6;

/**
 * Dynamic power normalisation: sign(x) (|x| + epsilon)^p + x, where p in (0, 1) is one number for the image, a small network's
 * answer to the means over the tokens. x: [L, D]; means: [1, C]; `hidden`: width of the small network.
 */
function powerNormalize(net: Network, x: Value, means: Value, key: string, hidden: number): Value {
  const inner = op.relu(net.linear(means, `${key}.projection.0`, hidden, { exact: true }));
  const p = op.sigmoid(net.linear(inner, `${key}.projection.3`, 1, { exact: true })); // [1, 1]
  const powered = op.exponential(op.multiply(op.logarithm(op.add(op.absolute(x), EPSILON)), p));
  return op.add(op.multiply(op.sign(x), powered), x);
}

/**
 * Centroid-free probing. Subtracting the scores' mean, one number, changes nothing in their softmax and is left out.
 * tokens: [n, C]; classToken: [1, C]; returns [1, 8448], L2-normalised.
 */
function probe(net: Network, tokens: Value, classToken: Value, key: string): Value {
  const features = pointwisePair(net, tokens, `${key}.cluster_features`, CLUSTER_DIMENSION); // [n, l]
  const centred = op.subtract(features, op.reduceMean(features, [0, 1]));
  const scores = pointwisePair(net, tokens, `${key}.score`, CLUSTERS); // [n, m]
  const shares = op.softmax(scores, 0);
  const moments = op.multiply(op.matMul(op.transpose(centred, [1, 0]), shares), 1 / tokens.shape[0]!); // [l, m]
  const normalized = powerNormalize(net, moments, op.reduceMean(moments, [0]), `${key}.gpn`, CLUSTERS / 2);
  const local = op.reshape(op.l2Normalize(normalized, [0]), [1, CLUSTER_DIMENSION * CLUSTERS]); // l-major
  net.weights.ignoreBelow(`${key}.single_branch.`);
  return op.l2Normalize(op.concat([sceneToken(net, classToken, key, TOKEN_DIMENSION), local], 1), [1]);
}

function architecture(letter: 'B' | 'L', size: VitSize, more: Pick<Architecture, 'reported'>): Architecture {
  const name = letter === 'B' ? 'emvp-base' : 'emvp-large';
  return {
    name,
    summary: `EMVP-${letter}: centroid-free probing of DINOv2-${letter}/14 with dynamic power normalisation`,
    dimensions: [TOKEN_DIMENSION + CLUSTERS * CLUSTER_DIMENSION],
    hash: false,
    preprocessing: INPUT,
    paper: 'Qiu et al., EMVP, NeurIPS 2024',
    licence: 'none stated',
    source: 'https://github.com/vincentqqb/EMVP',
    ...more,
    remark: 'the released code does not run: this is a repaired reading of it, and no weights are published',
    variant: {},
    build(weights, options) {
      const net = new Network(name, weights, options.precision, options.attention);
      const first = size.depth - RECALIBRATED;
      const image = imageInput(net, options, INPUT);
      const normed = dinov2(net, image, 'backbone.model', size, (x, i) =>
        i < first ? x : powerNormalize(net, x, op.reduceMean(x, [0]), `backbone.gpn_norms.${i - first}`, 16),
      );
      const tokens = op.cast(normed, 'float32');
      const patches = op.slice(tokens, 0, 1, tokens.shape[0]!);
      net.graph.output('descriptor', probe(net, patches, op.slice(tokens, 0, 0, 1), 'aggregator'));
      weights.finish();
      return net.graph;
    },
  };
}

/**
 * EMVP (Qiu et al., NeurIPS 2024) from its only public commit, 6a82e09, with the flags of its train.sh. That commit does not
 * run: it imports a file that is not in it; its helper looks for 'CFProbing' in a lower-case name and finds nothing; and the
 * module that was 'gpn' is asked for as 'dpn', so that its layers are never made. Repaired here as the names suggest: the
 * probing is built, and 'dpn' makes the layers under their old keys (`gpn_norms`, `gpn`). Whether the authors' own checkpoints
 * have these keys is not known.
 */
export const EMVP: readonly Architecture[] = [
  architecture('B', VIT_BASE, {
    reported: { recallAt1: { 'MSLS-val': 93.2, 'Pitts250k-test': 95.7 }, where: "the paper's Table 3" },
  }),
  architecture('L', VIT_LARGE, {
    reported: { recallAt1: { 'Pitts30k-test': 94.0, 'MSLS-val': 93.9 }, where: "the paper's Table 1" },
  }),
];
