import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { expect } from 'chai';
import { InferenceSession } from 'onnxruntime-node';
import { ModelProtoSchema } from '../../../src/onnx/graph/onnxCode.js';
import * as op from '../../../src/onnx/graph/operators.js';
import { writeModel } from '../../../src/onnx/graph/writeModel.js';
import { vitBlock } from '../../../src/onnx/layers/dinov2.js';
import { mulConvAdapter } from '../../../src/onnx/layers/mulConvAdapter.js';
import { Network, type AttentionKind, type Precision } from '../../../src/onnx/layers/Network.js';
import { RandomWeights } from '../../../src/onnx/layers/RandomWeights.js';

const BLOCKS = 2;
const SIDE = 5;

/** SelaVPR++'s backbone and side branch in small: two blocks, two adapters. */
function miniature(precision: Precision, attention: AttentionKind): Network {
  const net = new Network('miniature', new RandomWeights({}), precision, attention);
  let x = net.graph.input('image', 'float32', [1 + SIDE * SIDE, 128]);
  let y = x;
  for (let i = 0; i < BLOCKS; i++) {
    x = vitBlock(net, x, `blocks.${i}`, { width: 128, depth: BLOCKS, heads: 2 });
    const size = { inner: 64, branch1: 32, narrow: 8, wide: 16 };
    y = op.add(y, mulConvAdapter(net, op.add(y, x), `adapters.${i}`, size, SIDE, SIDE));
  }
  net.graph.output('descriptor', net.layerNorm(y, 'norm', 1e-6));
  return net;
}

/** Operators of the graph that ONNX Runtime makes of ours, counted. */
async function optimizedOperators(net: Network): Promise<ReadonlyMap<string, number>> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-optimized-'));
  try {
    writeModel(net.graph, folder);
    const optimized = path.join(folder, 'optimized.onnx');
    const session = await InferenceSession.create(path.join(folder, 'model.onnx'), {
      graphOptimizationLevel: 'all',
      optimizedModelFilePath: optimized,
      logSeverityLevel: 3,
    });
    await session.release();
    const counts = new Map<string, number>();
    for (const { opType } of fromBinary(ModelProtoSchema, readFileSync(optimized)).graph!.node)
      counts.set(opType, (counts.get(opType) ?? 0) + 1);
    return counts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('the graph that ONNX Runtime runs', () => {
  it('has one fused attention, two layer normalisations and one GELU a block, and fused products', async () => {
    const counts = await optimizedOperators(miniature('fp32', 'fused'));
    expect(counts.get('Attention')).to.equal(BLOCKS);
    expect(counts.get('Split'), 'of the adapters alone: q, k and v are not split').to.equal(2 * BLOCKS);
    expect(counts.get('LayerNormalization')).to.equal(2 * BLOCKS + 1);
    expect(counts.get('Gelu')).to.equal(BLOCKS);
    // D_fc1 and the three 1x1 convolutions of an adapter, each with its ReLU.
    expect(counts.get('FusedGemm')).to.equal(2 * BLOCKS);
    for (const name of ['Softmax', 'Erf', 'Relu', 'BatchNormalization', 'Shape', 'Resize', 'Expand', 'Pow'])
      expect(counts.get(name), name).to.equal(undefined);
  });

  it('has quantized products in int8, and fused attention', async () => {
    const counts = await optimizedOperators(miniature('int8', 'fused'));
    expect(counts.get('MultiHeadAttention')).to.equal(BLOCKS);
    // qkv, projection and two of the MLP in a block; D_fc1, D_fc2 and the joined 1x1 convolutions in an adapter.
    expect(counts.get('DynamicQuantizeMatMul')).to.equal(7 * BLOCKS);
    expect(counts.get('MatMulInteger'), 'no unfused products').to.equal(undefined);
    expect(counts.get('Gemm'), 'nothing left in f32').to.equal(undefined);
  });

  it('scales inside the products where attention is written out', async () => {
    const counts = await optimizedOperators(miniature('fp32', 'plain'));
    expect(counts.get('FusedMatMul')).to.equal(2 * BLOCKS);
    expect(counts.get('Softmax')).to.equal(BLOCKS);
    for (const name of ['Attention', 'MultiHeadAttention']) expect(counts.get(name), name).to.equal(undefined);
  });
});
