import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { expect } from 'chai';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { VprError } from '../../../src/core/VprError.js';
import { GraphBuilder, OPSET_VERSION, type Value } from '../../../src/onnx/graph/GraphBuilder.js';
import { floatToHalf, halfToFloat } from '../../../src/onnx/graph/halfPrecision.js';
import { ModelProtoSchema } from '../../../src/onnx/graph/onnxCode.js';
import * as op from '../../../src/onnx/graph/operators.js';
import { floats, lazyFloats } from '../../../src/onnx/graph/Tensor.js';
import { writeModel } from '../../../src/onnx/graph/writeModel.js';

describe('GraphBuilder', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-graph-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function affine(): GraphBuilder {
    const graph = new GraphBuilder('affine');
    const x = graph.input('image', 'float32', [2, 3]);
    const weight = graph.constant('weight', floats([1, 0, 0, 0, 2, 0], [2, 3]));
    graph.output('y', op.gemm(x, weight, graph.float([10, 20])));
    return graph;
  }

  async function run(file: string): Promise<number[]> {
    const session = await InferenceSession.create(file);
    const { y } = await session.run({ image: new Tensor('float32', Float32Array.from([1, 2, 3, 4, 5, 6]), [2, 3]) });
    await session.release();
    return Array.from(y!.data as Float32Array);
  }

  it('writes a model that ONNX Runtime runs, with the operator set stated', async () => {
    expect(writeModel(affine(), folder).files).to.deep.equal(['model.onnx']);
    const file = path.join(folder, 'model.onnx');
    const model = fromBinary(ModelProtoSchema, readFileSync(file));
    expect(model.opsetImport.map(({ domain, version }) => [domain, version])).to.deep.equal([
      ['', BigInt(OPSET_VERSION)],
    ]);
    expect(await run(file)).to.deep.equal([11, 24, 14, 30]);
  });

  it('streams large weights to a file of their own, which gives the same answers', async () => {
    const graph = new GraphBuilder('large');
    const x = graph.input('image', 'float32', [2, 3]);
    const weight = lazyFloats([400, 3], () => Float32Array.from({ length: 1200 }, (_, i) => i));
    graph.output('y', op.gemm(x, graph.constant('weight', weight)));
    expect(writeModel(graph, folder, { externalDataBytes: 100 }).files).to.deep.equal([
      'model.onnx',
      'model.onnx.data',
    ]);
    expect(statSync(path.join(folder, 'model.onnx.data')).size).to.equal(4800);
    const inside = path.join(folder, 'inside');
    writeModel(graph, inside);
    expect(await run(path.join(folder, 'model.onnx'))).to.deep.equal(await run(path.join(inside, 'model.onnx')));
  });

  it('refuses shapes and types that do not fit, at the line that builds them', () => {
    const graph = new GraphBuilder('wrong');
    const x = graph.input('x', 'float32', [2, 3]);
    const half = graph.input('h', 'float16', [2, 3]);
    const image = graph.input('i', 'float32', [1, 3, 8, 8]);
    const weight = graph.constant('w', floats(new Float32Array(4 * 2 * 9), [4, 2, 3, 3]));
    const wrong: readonly (() => Value | Value[])[] = [
      () => op.matMul(x, x),
      () => op.gemm(x, graph.constant('m', floats([1, 2], [1, 2]))),
      () => op.add(x, half),
      () => op.reshape(x, [7]),
      () => op.transpose(x, [0, 0]),
      () => op.concat([x, image], 0),
      () => op.slice(x, 0, 1, 4),
      () => op.split(x, 1, [1, 1]),
      () => op.conv(image, weight),
      () => op.layerNorm(x, graph.float([1]), graph.float([1]), 1e-5),
      () => op.averagePool(image, { kernel: 9, stride: 1 }),
    ];
    for (const build of wrong)
      expect(build, build.toString()).to.throw(VprError).with.property('code', 'GRAPH_INVALID');
  });

  it('refuses a constant whose bytes are not as many as its shape says', () => {
    const graph = new GraphBuilder('short');
    const x = graph.input('x', 'float32', [1, 4]);
    graph.output(
      'y',
      op.add(
        x,
        graph.constant(
          'c',
          lazyFloats([4], () => new Float32Array(3)),
        ),
      ),
    );
    expect(() => writeModel(graph, folder)).to.throw(VprError, /16 bytes for constant c \[4\], got 12/);
  });

  it('rounds to half precision as IEEE 754 says', () => {
    // Each half is its own nearest half.
    const halves = Array.from({ length: 0x7c00 }, (_, bits) => bits);
    expect(halves.filter((bits) => floatToHalf(halfToFloat(bits)) !== bits)).to.deep.equal([]);
    const cases: readonly (readonly [number, number])[] = [
      [1 + 2 ** -11, 0x3c00],
      [1 + 3 * 2 ** -11, 0x3c02],
      [65519, 0x7bff],
      [65520, 0x7c00],
      [2 ** -25, 0],
      [3 * 2 ** -25, 2],
      [-2, 0xc000],
    ];
    for (const [value, bits] of cases) expect(floatToHalf(value), String(value)).to.equal(bits);
    expect(Number.isNaN(halfToFloat(floatToHalf(NaN)))).to.equal(true);
  });
});
