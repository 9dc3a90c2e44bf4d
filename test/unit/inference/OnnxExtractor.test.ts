import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { VprError } from '../../../src/core/VprError.js';
import type { ModelManifest } from '../../../src/inference/ModelManifest.js';
import { OnnxExtractor } from '../../../src/inference/OnnxExtractor.js';
import { GraphBuilder, type Value } from '../../../src/onnx/graph/GraphBuilder.js';
import * as op from '../../../src/onnx/graph/operators.js';
import { writeModel } from '../../../src/onnx/graph/writeModel.js';
import { VALID_MANIFEST } from './validManifest.js';

const [HEIGHT, WIDTH, DIMENSION, BITS] = [16, 32, 64, 512];

/** A graph whose answers are values of the image: the descriptor its last ones, the hash its first. */
interface Form {
  readonly input?: string;
  readonly hash?: ((values: Value) => Value) | undefined;
  readonly descriptor?: (values: Value) => Value;
}

describe('OnnxExtractor', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-extractor-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const manifest = {
    ...VALID_MANIFEST,
    input: { ...VALID_MANIFEST.input, height: HEIGHT, width: WIDTH },
    descriptorDimension: DIMENSION,
    binarizer: { kind: 'hash' },
  } as unknown as ModelManifest;

  function write(form: Form): void {
    const graph = new GraphBuilder('small');
    const pixels = 3 * HEIGHT * WIDTH;
    const values = op.reshape(graph.input(form.input ?? 'image', 'float32', [1, 3, HEIGHT, WIDTH]), [1, pixels]);
    const last = op.slice(values, 1, pixels - DIMENSION, pixels);
    graph.output('descriptor', (form.descriptor ?? ((x) => op.l2Normalize(x, [1])))(last));
    const hash = 'hash' in form ? form.hash : op.relu;
    if (hash !== undefined) graph.output('hash', hash(op.slice(values, 1, 0, BITS)));
    writeModel(graph, folder);
  }

  /** The code of the first image and its descriptor, or what was thrown. */
  async function answerOf(
    form: Form,
    image = Float32Array.from({ length: 3 * HEIGHT * WIDTH }, (_, i) => 1 + (i % 7)),
  ) {
    write(form);
    let extractor: OnnxExtractor | undefined;
    try {
      extractor = await OnnxExtractor.open(folder, manifest, { provider: 'cpu', deviceId: 0, threads: 1 });
      return await extractor.extract(image);
    } catch (error) {
      return error as Error;
    } finally {
      await extractor?.close();
    }
  }

  it("gives the descriptor and the signs of the network's hash", async () => {
    const image = Float32Array.from({ length: 3 * HEIGHT * WIDTH }, (_, i) => (i % 3 === 0 ? -1 : 2));
    const answer = await answerOf({ hash: (x) => op.multiply(x, 3) }, image);
    if (answer instanceof Error) throw answer;
    expect(answer.descriptor).to.have.length(DIMENSION);
    expect(Math.hypot(...answer.descriptor)).to.be.closeTo(1, 1e-6);
    // Bits 0, 3, 6 ... are of negative values: 01101101 10110110 11011011.
    expect([...answer.code.subarray(0, 3)]).to.deep.equal([0b01101101, 0b10110110, 0b11011011]);
  });

  for (const [what, form, code, sentence] of [
    [
      'a descriptor that is not a number',
      { descriptor: (x) => op.logarithm(op.negate(x)) },
      'MODEL_OUTPUT_INVALID',
      /^Expected a descriptor of norm 1 from test, got NaN$/,
    ],
    [
      'a descriptor that is infinite',
      { descriptor: (x) => op.exponential(op.multiply(x, 1000)) },
      'MODEL_OUTPUT_INVALID',
      /^Expected a descriptor of norm 1 from test, got Infinity$/,
    ],
    [
      'a descriptor that is not normalised',
      { descriptor: (x) => op.multiply(op.l2Normalize(x, [1]), 2) },
      'MODEL_OUTPUT_INVALID',
      /^Expected a descriptor of norm 1 from test, got (2|2\.0\d*|1\.99\d*)$/,
    ],
    [
      'a descriptor of another length',
      { descriptor: (x) => op.l2Normalize(op.slice(x, 1, 0, 32), [1]) },
      'MODEL_OUTPUT_INVALID',
      /^Expected 64 f32 values for the output 'descriptor' of test, got 32$/,
    ],
    [
      'a hash that is not a number',
      { hash: (x) => op.logarithm(op.negate(x)) },
      'MODEL_OUTPUT_INVALID',
      /^Expected a number for hash value 0, got NaN$/,
    ],
    ['no hash', { hash: undefined }, 'MODEL_INVALID', /^Expected an output 'hash', got descriptor \[.*model\.onnx\]$/],
    [
      'an input of another name',
      { input: 'pixels' },
      'MODEL_INVALID',
      /^Expected the one input 'image', got pixels \[.*model\.onnx\]$/,
    ],
  ] as readonly (readonly [string, Form, string, RegExp])[])
    it(`refuses a network with ${what}`, async () => {
      const error = await answerOf(form);
      expect(error).to.be.instanceOf(VprError);
      expect([(error as VprError).code, (error as VprError).message]).to.satisfy(
        ([seen, words]: [string, string]) => seen === code && sentence.test(words),
        String((error as VprError).message),
      );
    });

  it('refuses a file that is no graph, and an image of another size', async () => {
    const options = { provider: 'cpu', deviceId: 0, threads: 1 };
    writeFileSync(path.join(folder, 'model.onnx'), 'no graph');
    const error = await OnnxExtractor.open(folder, manifest, options).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(VprError).with.property('code', 'MODEL_INVALID');
    expect((error as VprError).message).to.match(
      /^Expected a graph that ONNX Runtime can open with provider cpu, got: /,
    );
    expect(await answerOf({}, new Float32Array(10)))
      .to.be.instanceOf(RangeError)
      .with.property('message', 'Expected 1536 values of nchw-f32, got 10 of f32');
  });
});
