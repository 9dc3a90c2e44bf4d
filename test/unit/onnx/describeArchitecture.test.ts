import { expect } from 'chai';
import { ARCHITECTURES, architectureNamed } from '../../../src/onnx/architectures/architectures.js';
import { describeArchitecture } from '../../../src/onnx/architectures/describeArchitecture.js';
import { GraphBuilder } from '../../../src/onnx/graph/GraphBuilder.js';
import { multiplyAdds } from '../../../src/onnx/graph/multiplyAdds.js';
import * as op from '../../../src/onnx/graph/operators.js';
import { floats } from '../../../src/onnx/graph/Tensor.js';
import { Network } from '../../../src/onnx/layers/Network.js';
import { RandomWeights } from '../../../src/onnx/layers/RandomWeights.js';
import { vgg16 } from '../../../src/onnx/layers/vgg16.js';
import { formulaCheckpoint } from '../../conformance/onnx/formulaCheckpoint.js';

describe('describeArchitecture', () => {
  it('counts multiply-adds of each kind of operator', () => {
    const graph = new GraphBuilder('count');
    const x = graph.input('x', 'float32', [1, 4, 6, 6]);
    const kernel = graph.constant('kernel', floats(new Float32Array(8 * 2 * 9), [8, 2, 3, 3]));
    op.conv(x, kernel, undefined, { padding: 1, groups: 2 });
    expect(multiplyAdds(graph)).to.equal(8 * 6 * 6 * 2 * 9);
    const tokens = op.reshape(x, [9, 16]);
    op.matMul(tokens, op.transpose(tokens, [1, 0]));
    expect(multiplyAdds(graph)).to.equal(8 * 6 * 6 * 2 * 9 + 9 * 9 * 16);
  });

  it('counts what is published for VGG-16 at 224 x 224: 15.35 G in its convolutions', () => {
    const net = new Network('vgg', new RandomWeights({}), 'fp32', 'fused');
    vgg16(net, net.graph.input('image', 'float32', [1, 3, 224, 224]), 'encoder');
    expect(multiplyAdds(net.graph)).to.equal(15_346_630_656);
  });

  it('counts attention the same, fused or written out', () => {
    const count = (kind: 'fused' | 'plain'): number => {
      const net = new Network('attention', new RandomWeights({}), 'fp32', kind);
      const [q, k, v] = ['q', 'k', 'v'].map((name) => net.graph.input(name, 'float32', [10, 64]));
      net.attention(q!, k!, v!, 4);
      return multiplyAdds(net.graph);
    };
    expect(count('fused')).to.equal(2 * 10 * 10 * 64);
    expect(count('plain')).to.equal(2 * 10 * 10 * 64);
  });

  it('counts attention of tokens to each other the same, in one operator or written out', () => {
    const count = (kind: 'fused' | 'plain'): number => {
      const net = new Network('attention', new RandomWeights({}), 'fp32', kind);
      const zeros = (...shape: number[]) => floats(new Float32Array(shape.reduce((a, b) => a * b)), shape);
      net.selfAttention(net.graph.input('x', 'float32', [10, 64]), zeros(192, 64), zeros(192), 4);
      return multiplyAdds(net.graph);
    };
    expect(count('fused')).to.equal(3 * 10 * 64 * 64 + 2 * 10 * 10 * 64);
    expect(count('plain')).to.equal(count('fused'));
  });

  for (const { name, checkpoint } of [
    { name: 'mixvpr', checkpoint: 'mixvpr' },
    { name: 'selavprpp-base-gem', checkpoint: 'selavprpp-base-gem' },
    { name: 'sfrs', checkpoint: 'sfrs' },
  ])
    it(`counts the parameters of ${name} as its official state dict has them, but for unused ones`, () => {
      const unused = /mask_token|num_batches_tracked/;
      let official = 0;
      for (const [key, { shape }] of formulaCheckpoint(checkpoint).tensors)
        if (!unused.test(key)) official += shape.reduce((product, size) => product * size, 1);
      expect(describeArchitecture(architectureNamed(name)!).parameters).to.equal(official);
    });

  it('describes every network in the form whose descriptor comes first', () => {
    for (const architecture of ARCHITECTURES) {
      const { dimension, multiplyAdds: count } = describeArchitecture(architecture);
      expect(dimension, architecture.name).to.equal(architecture.dimensions[0]);
      expect(count, architecture.name).to.be.above(1e9);
    }
  });

  it('leaves nothing to the running graph that is known when it is built', () => {
    const count = (name: string): ReadonlyMap<string, number> => {
      const { variant, build } = architectureNamed(name)!;
      const counts = new Map<string, number>();
      for (const { opType } of build(new RandomWeights(variant), { precision: 'fp32', attention: 'fused' }).nodes)
        counts.set(opType, (counts.get(opType) ?? 0) + 1);
      return counts;
    };
    for (const { name } of ARCHITECTURES)
      for (const operator of [
        'Shape',
        'Resize',
        'Expand',
        'BatchNormalization',
        'Constant',
        'ConstantOfShape',
        'Gather',
      ])
        expect(count(name).get(operator), `${operator} of ${name}`).to.equal(undefined);
    // The float and the hash branch share one backbone of 12 or 24 blocks.
    expect(count('selavprpp-base-gem').get('Attention')).to.equal(12);
    expect(count('selavprpp-large-gem').get('Attention')).to.equal(24);
    // BoQ's queries are refined at build time: what is left are two encoders and two looks at the image.
    expect([count('boq-resnet50').get('Attention'), count('boq-resnet50').get('MultiHeadAttention')]).to.deep.equal([
      2, 2,
    ]);
  });
});
