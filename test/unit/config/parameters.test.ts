import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parametersMarkdown, parametersYaml } from '../../../src/config/documentation.js';
import { camelCase, type Parameter } from '../../../src/config/Parameter.js';
import { CAMERA_PARAMETERS, PARAMETERS } from '../../../src/config/parameters.js';
import {
  changeParameters,
  findParameter,
  parseParameter,
  parseParameters,
} from '../../../src/config/parseParameters.js';
import { VprError } from '../../../src/core/VprError.js';

function errorOf(run: () => unknown): VprError {
  try {
    run();
  } catch (error) {
    if (error instanceof VprError) return error;
    throw error;
  }
  throw new Error('Expected an error, got none');
}

describe('parameters', () => {
  it('has defaults that pass their own checks', () => {
    for (const row of [...PARAMETERS, ...CAMERA_PARAMETERS] as readonly Parameter[])
      expect(parseParameter(row, row.default), row.name).to.deep.equal(row.default);
    expect(parseParameters({}).keyframeDistanceM).to.equal(0.5);
  });

  it('has one camelCase key for each name', () => {
    const keys = PARAMETERS.map((row) => camelCase(row.name));
    expect(new Set(keys).size).to.equal(PARAMETERS.length);
    expect(camelCase('keyframe.distance_m')).to.equal('keyframeDistanceM');
    for (const key of keys) expect(parseParameters({})).to.have.property(key);
  });

  it('gives each camera its own parameters, by name', () => {
    const { cameras } = parseParameters({
      cameras: ['front', 'rear'],
      'cameras.front.topic': '/front/image',
      'cameras.rear.qos_depth': 3n,
    });
    expect(cameras.map((camera) => [camera.name, camera.topic, camera.qosDepth])).to.deep.equal([
      ['front', '/front/image', 1],
      ['rear', 'rear/image_raw', 3],
    ]);
  });

  const refused: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ top_k: 0 }, "Expected an integer in 1...100 for parameter 'top_k', got 0"],
    [{ top_k: 1.5 }, "Expected an integer in 1...100 for parameter 'top_k', got 1.5"],
    [{ top_k: '3' }, 'Expected an integer in 1...100 for parameter \'top_k\', got "3"'],
    [{ exclude_recent_s: Number.NaN }, "Expected a number in 0...100000 s for parameter 'exclude_recent_s', got null"],
    [{ preset: 'bold' }, 'Expected precision | balanced | recall for parameter \'preset\', got "bold"'],
    [{ autostart: 1 }, "Expected true or false for parameter 'autostart', got 1"],
    [{ execution_providers: ['cpu', 'npu'] }, 'Expected a list of tensorrt, cuda, webgpu, cpu'],
    [{ execution_providers: [] }, "Expected at least one provider for parameter 'execution_providers', got []"],
    [{ shortlist: 5 }, "Expected at most shortlist (5) for parameter 'top_k', got 10"],
    [{ mode: 'localization' }, "Expected a map file for parameter 'map' in mode localization"],
    [{ cameras: [] }, "Expected at least one name for parameter 'cameras', got []"],
    [{ cameras: ['a', 'a'] }, 'got "a" twice'],
    [{ cameras: ['a.b'] }, 'Expected letters, digits and _'],
    [{ 'cameras.camera.topic': '' }, "Expected a topic for parameter 'cameras.camera.topic'"],
    [{ 'cameras.left.topic': 'x' }, "Expected a camera of 'cameras' (camera)"],
    [{ tempral_filter: 'none' }, "(nearest: 'temporal_filter')"],
    // What ONNX Runtime for Node cannot pass on to TensorRT is no parameter.
    [{ 'tensorrt.fp16': true }, "got 'tensorrt.fp16'"],
    [{ 'cameras.camera.topics': 'x' }, "(nearest: 'cameras.<name>.topic')"],
  ];
  for (const [values, sentence] of refused)
    it(`refuses ${JSON.stringify(values)}`, () => {
      const error = errorOf(() => parseParameters(values));
      expect(error.code).to.equal('PARAMETER_INVALID');
      expect(error.message).to.contain(sentence);
    });

  it('takes changes of dynamic parameters and refuses those of read-only ones', () => {
    expect(changeParameters({ shortlist: 50 }, { top_k: 20 })).to.include({ shortlist: 50, topK: 20 });
    expect(errorOf(() => changeParameters({}, { model: 'x' })).code).to.equal('PARAMETER_READ_ONLY');
    expect(errorOf(() => changeParameters({}, { 'cameras.camera.topic': 'x' })).code).to.equal('PARAMETER_READ_ONLY');
    // Right alone, wrong with what was set before.
    expect(errorOf(() => changeParameters({ shortlist: 5, top_k: 5 }, { top_k: 6 })).code).to.equal(
      'PARAMETER_INVALID',
    );
  });

  it('finds rows by full name', () => {
    expect(findParameter('cameras.front.topic')?.default).to.equal('front/image_raw');
    expect(findParameter('nothing')).to.equal(undefined);
  });

  it('documents every parameter', () => {
    const markdown = parametersMarkdown();
    const yaml = parametersYaml();
    for (const row of PARAMETERS) {
      expect(markdown).to.contain(`| \`${row.name}\` |`);
      expect(yaml).to.contain(`${row.name.split('.').at(-1)}: `);
    }
  });

  it('is what config/vpr_node.yaml says', () => {
    expect(
      readFileSync('config/vpr_node.yaml', 'utf8'),
      'run: npx vpr parameters --yaml > config/vpr_node.yaml',
    ).to.equal(parametersYaml());
  });
});
