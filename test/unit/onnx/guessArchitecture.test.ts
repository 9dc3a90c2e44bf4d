import { expect } from 'chai';
import { guessArchitecture } from '../../../src/onnx/architectures/guessArchitecture.js';
import { formulaCheckpoint } from '../../conformance/onnx/formulaCheckpoint.js';

/** Official key sets (test/data/onnx/NAME.keys.json), and the networks that have exactly these keys and shapes. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'selavprpp-base-gem': ['selavprpp-base-gem'],
  'selavprpp-base-boq': ['selavprpp-base-boq'],
  'selavprpp-base-salad': ['selavprpp-base-salad'],
  'selavprpp-large-gem': ['selavprpp-large-gem'],
  'selavprpp-large-boq': ['selavprpp-large-boq'],
  'selavprpp-large-salad': ['selavprpp-large-salad'],
  'boq-dinov2': ['boq-dinov2'],
  'boq-resnet50': ['boq-resnet50'],
  salad: ['salad', 'salad-cm'],
  'salad-cm': ['salad', 'salad-cm'],
  'emvp-base': ['emvp-base'],
  'emvp-large': ['emvp-large'],
  cricavpr: ['cricavpr'],
  mixvpr: ['mixvpr'],
  convap: ['convap'],
  gem: ['gem'],
  'cosplace-resnet18': ['cosplace', 'eigenplaces'],
  'cosplace-resnet50': ['cosplace', 'eigenplaces'],
  'cosplace-resnet101': ['cosplace', 'eigenplaces'],
  'cosplace-vgg16': ['cosplace', 'eigenplaces'],
  'eigenplaces-resnet50': ['cosplace', 'eigenplaces'],
  'eigenplaces-resnet101': ['cosplace', 'eigenplaces'],
  'eigenplaces-vgg16': ['cosplace', 'eigenplaces'],
  sfrs: ['sfrs'],
  netvlad: ['netvlad'],
  anyloc: ['anyloc'],
  'netvlad-wpca128': ['netvlad'],
};

describe('guessArchitecture', () => {
  for (const [name, networks] of Object.entries(EXPECTED))
    it(`tells ${networks.join(' or ')} from the official keys of ${name}`, () => {
      const { architecture, runnersUp } = guessArchitecture(formulaCheckpoint(name));
      expect([architecture, ...runnersUp].map((found) => found.name)).to.deep.equal(networks);
    });

  it('names the nearest network and the key where one is missing or left over', () => {
    const { tensors, ...rest } = formulaCheckpoint('convap');
    const without = new Map(tensors);
    without.delete('aggregator.channel_pool.bias');
    expect(() => guessArchitecture({ ...rest, tensors: without })).to.throw(
      /the nearest is convap: .*aggregator\.channel_pool\.bias/,
    );
    const more = new Map(tensors).set('classifier.weight', tensors.get('aggregator.channel_pool.bias')!);
    expect(() => guessArchitecture({ ...rest, tensors: more })).to.throw(/the nearest is .*unused classifier\.weight/);
  });
});
