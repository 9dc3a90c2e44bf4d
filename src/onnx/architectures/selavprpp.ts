import type { GraphBuilder, Value } from '../graph/GraphBuilder.js';
import * as op from '../graph/operators.js';
import { bagOfQueries } from '../layers/bagOfQueries.js';
import { embedPatches, PATCH, VIT_BASE, VIT_EPSILON, VIT_LARGE, vitBlock, type VitSize } from '../layers/dinov2.js';
import { imageInput } from '../layers/imageInput.js';
import { ADAPTER_BASE, ADAPTER_LARGE, mulConvAdapter, type AdapterSize } from '../layers/mulConvAdapter.js';
import { Network } from '../layers/Network.js';
import { salad, SALAD_8448 } from '../layers/salad.js';
import type { Weights } from '../layers/Weights.js';
import type { Architecture, BuildOptions, Preprocessing, ReportedRecall } from './Architecture.js';

type Head = 'gem' | 'boq' | 'salad';

interface Size {
  readonly vit: VitSize;
  readonly adapter: AdapterSize;
  /** Blocks before the first adapter. */
  readonly plainBlocks: number;
  readonly gemDimension: number;
}

const BASE: Size = {
  vit: VIT_BASE,
  adapter: ADAPTER_BASE,
  plainBlocks: 0,
  gemDimension: 2048,
};
const LARGE: Size = {
  vit: VIT_LARGE,
  adapter: ADAPTER_LARGE,
  plainBlocks: 8,
  gemDimension: 4096,
};

const BOQ_WIDTH = 384;
const BOQ_ROWS = 32;
const HASH_BITS = 512;

/** The official hard_resize: to 322 x 322, aspect not kept, of the normalised float tensor. */
const PREPROCESSING: Preprocessing = { height: 322, width: 322, resize: 'bilinear-aa', normalize: 'before-resize' };

interface Branches {
  /** Side-branch tokens after the shared final norm, [1 + patches, D]; absent where the checkpoint has no such branch. */
  readonly float?: Value;
  readonly hash?: Value;
  readonly rows: number;
  readonly columns: number;
}

/**
 * The frozen backbone x and its two side branches: y += A_i(y + x_i) and z += Ah_i(z + x_i) after each adapted block. The
 * backbone never gets y or z back, so it runs once for both.
 */
function runBackbone(net: Network, image: Value, size: Size, wants: { float: boolean; hash: boolean }): Branches {
  const rows = image.shape[2]! / PATCH;
  const columns = image.shape[3]! / PATCH;
  let x = embedPatches(net, image, 'backbone', size.vit);
  for (let i = 0; i < size.plainBlocks; i++) x = vitBlock(net, x, `backbone.blocks.${i}`, size.vit);
  const start = x;
  let float: Value | undefined = wants.float ? start : undefined;
  let hash: Value | undefined = wants.hash ? start : undefined;
  for (let i = size.plainBlocks; i < size.vit.depth; i++) {
    x = vitBlock(net, x, `backbone.blocks.${i}`, size.vit);
    const adapter = i - size.plainBlocks;
    const step = (state: Value, sum: Value, key: string): Value =>
      op.add(state, mulConvAdapter(net, sum, `backbone.${key}.${adapter}`, size.adapter, rows, columns));
    // Both branches start from the same tokens: the first sum is one.
    const firstSum = adapter === 0 ? op.add(start, x) : undefined;
    if (float !== undefined) float = step(float, firstSum ?? op.add(float, x), 'adapters');
    if (hash !== undefined) hash = step(hash, firstSum ?? op.add(hash, x), 'adapters_hashing');
  }
  const finish = (state: Value): Value => op.cast(net.layerNorm(state, 'backbone.norm', VIT_EPSILON), 'float32');
  return {
    rows,
    columns,
    ...(float === undefined ? {} : { float: finish(float) }),
    ...(hash === undefined ? {} : { hash: finish(hash) }),
  };
}

/** linear, L2 of each patch token, GeM over patches, linear. tokens: [1 + n, D]; returns [1, out], L2-normalised. */
function gemHead(net: Network, tokens: Value, keys: { first: string; gem: string; last: string }, out: number): Value {
  const [count, width] = tokens.shape as [number, number];
  const patches = op.slice(tokens, 0, 1, count);
  const mapped = op.l2Normalize(net.linear(patches, keys.first, width, { exact: true }), [1]);
  return op.l2Normalize(net.linear(net.gem(mapped, keys.gem), keys.last, out, { exact: true }), [1]);
}

function floatHead(net: Network, head: Head, tokens: Value, size: Size, rows: number, columns: number): Value {
  const [count, width] = tokens.shape as [number, number];
  if (head === 'gem')
    return gemHead(net, tokens, { first: 'linear1', gem: 'aggregation.1.p', last: 'linear2' }, size.gemDimension);
  const patches = op.slice(tokens, 0, 1, count);
  // Both heads normalise by themselves, and the official code once more: of a unit vector that changes nothing.
  if (head === 'salad') return salad(net, patches, op.slice(tokens, 0, 0, 1), 'aggregation', SALAD_8448);
  const map = op.reshape(op.transpose(patches, [1, 0]), [1, width, rows, columns]);
  return bagOfQueries(net, map, 'aggregation', BOQ_WIDTH, BOQ_ROWS);
}

function build(head: Head, size: Size, name: string, weights: Weights, options: BuildOptions): GraphBuilder {
  const net = new Network(name, weights, options.precision, options.attention);
  const image = imageInput(net, options, PREPROCESSING);
  const branches = runBackbone(net, image, size, { float: true, hash: weights.has('linear3.weight') });
  const { rows, columns } = branches;
  net.graph.output('descriptor', floatHead(net, head, branches.float!, size, rows, columns));
  if (branches.hash !== undefined) {
    const keys = { first: 'linear3', gem: 'aggregation_hashing.1.p', last: 'linear4' };
    net.graph.output('hash', gemHead(net, branches.hash, keys, HASH_BITS));
  }
  weights.finish();
  return net.graph;
}

/** Of the paper (arXiv:2502.16601), trained on its unified data set. */
const REPORTED: Readonly<Record<string, ReportedRecall>> = {
  'selavprpp-base-gem': {
    recallAt1: { 'Pitts30k-test': 93.3, 'MSLS-val': 94.5, 'Tokyo24/7': 97.5, Nordland: 94.6 },
    where: "the paper's Table II",
  },
  'selavprpp-large-gem': {
    recallAt1: { 'Pitts30k-test': 94.4, 'MSLS-val': 94.5, 'Tokyo24/7': 98.1, Nordland: 97.2 },
    where: "the paper's Table II",
  },
  'selavprpp-base-salad': {
    recallAt1: { 'Pitts30k-test': 93.8, 'MSLS-val': 94.6, 'Tokyo24/7': 96.5, Nordland: 96.7 },
    where: "the paper's comparison of aggregators",
  },
  'selavprpp-base-boq': {
    recallAt1: { 'Pitts30k-test': 94.1, 'MSLS-val': 94.9, 'Tokyo24/7': 96.8, Nordland: 97.6 },
    where: "the paper's comparison of aggregators",
  },
};

function architecture(backbone: 'base' | 'large', head: Head): Architecture {
  const size = backbone === 'base' ? BASE : LARGE;
  const name = `selavprpp-${backbone}-${head}`;
  const dimension = { gem: size.gemDimension, boq: BOQ_WIDTH * BOQ_ROWS, salad: 8448 }[head];
  const reported = REPORTED[name];
  return {
    name,
    summary: `SelaVPR++, DINOv2-${backbone === 'base' ? 'B' : 'L'}/14 with float and hash branches, ${head} head`,
    dimensions: [dimension],
    hash: true,
    preprocessing: PREPROCESSING,
    paper: 'Lu et al., SelaVPR++, arXiv:2502.16601',
    licence: 'MIT',
    source: 'https://github.com/Lu-Feng/SelaVPRplusplus',
    ...(reported === undefined ? {} : { reported }),
    // Both branches: what a robot runs.
    variant: { 'linear3.weight': [size.vit.width, size.vit.width] },
    ...(head === 'gem' ? {} : { remark: 'the authors publish weights for gem only' }),
    build: (weights, options) => build(head, size, name, weights, options),
  };
}

/** SelaVPR++ (Lu et al., arXiv:2502.16601) in its six forms; checked against commit 56bd921 of the official code. */
export const SELAVPRPP: readonly Architecture[] = (['base', 'large'] as const).flatMap((backbone) =>
  (['gem', 'boq', 'salad'] as const).map((head) => architecture(backbone, head)),
);
