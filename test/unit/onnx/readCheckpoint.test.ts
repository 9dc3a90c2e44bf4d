import { expect } from 'chai';
import { VprError, type VprErrorCode } from '../../../src/core/VprError.js';
import { ByteSource } from '../../../src/onnx/checkpoint/ByteSource.js';
import type { Checkpoint } from '../../../src/onnx/checkpoint/Checkpoint.js';
import { readCheckpoint } from '../../../src/onnx/checkpoint/openCheckpoint.js';
import { WeightReader } from '../../../src/onnx/layers/WeightReader.js';
import {
  commandPickle,
  floatBytes,
  numpyScalar,
  safetensors,
  stateDictPickle,
  torchLegacy,
  torchZip,
  zip,
  type TensorSpec,
} from './checkpointFiles.js';

const SIX = floatBytes([1, 2, 3, 4, 5, 6]);
const MATRIX: TensorSpec = { key: 'a.weight', storage: '0', elements: 6, shape: [2, 3], strides: [3, 1] };

const read = (bytes: Uint8Array): Checkpoint => readCheckpoint(ByteSource.of(bytes, 'fixture'));
const values = (checkpoint: Checkpoint, key: string): number[] => Array.from(checkpoint.tensors.get(key)!.readFloats());

function expectRefusal(make: () => unknown, code: VprErrorCode, words: RegExp): void {
  let thrown: unknown;
  try {
    make();
  } catch (error) {
    thrown = error;
  }
  expect(thrown, 'an error').to.be.instanceOf(VprError);
  expect((thrown as VprError).message).to.match(words);
  expect((thrown as VprError).code).to.equal(code);
}

describe('reading checkpoints', () => {
  it('reads a bare state dict of a torch zip file', () => {
    const checkpoint = read(torchZip(stateDictPickle([MATRIX]), { 0: SIX }));
    expect([...checkpoint.tensors.keys()]).to.deep.equal(['a.weight']);
    expect(checkpoint.tensors.get('a.weight')!.shape).to.deep.equal([2, 3]);
    expect(values(checkpoint, 'a.weight')).to.deep.equal([1, 2, 3, 4, 5, 6]);
  });

  it('reads the legacy format', () => {
    const checkpoint = read(torchLegacy(stateDictPickle([MATRIX]), { 0: SIX }));
    expect(values(checkpoint, 'a.weight')).to.deep.equal([1, 2, 3, 4, 5, 6]);
  });

  it('reads safetensors', () => {
    const header = { __metadata__: { format: 'pt' }, x: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] } };
    expect(values(read(safetensors(header, SIX)), 'x')).to.deep.equal([1, 2, 3, 4, 5, 6]);
  });

  it('takes wrappers and module prefixes off, beside NumPy scalars of a training file', () => {
    const specs = [
      { ...MATRIX, key: 'module.a.weight' },
      { ...MATRIX, key: 'pool.module.b' },
    ];
    for (const wrapper of ['model_state_dict', 'state_dict']) {
      const pickle = stateDictPickle(specs, [wrapper], [['best_r5', numpyScalar()]]);
      expect([...read(torchZip(pickle, { 0: SIX })).tensors.keys()]).to.deep.equal(['a.weight', 'pool.b']);
    }
  });

  it('reads transposed, offset and shared views of one storage', () => {
    const checkpoint = read(
      torchZip(
        stateDictPickle([
          { ...MATRIX, key: 't', shape: [3, 2], strides: [1, 3] },
          { ...MATRIX, key: 'o', offset: 2, shape: [2, 2], strides: [2, 1] },
          { ...MATRIX, key: 's', shape: [], strides: [] },
        ]),
        { 0: SIX },
      ),
    );
    expect(values(checkpoint, 't')).to.deep.equal([1, 4, 2, 5, 3, 6]);
    expect(values(checkpoint, 'o')).to.deep.equal([3, 4, 5, 6]);
    expect(values(checkpoint, 's')).to.deep.equal([1]);
  });

  it('reads half, bfloat16 and double precision', () => {
    const halves = new Uint8Array(Uint16Array.from([0x3c00, 0xc000, 0x0001, 0x7bff]).buffer);
    const brains = new Uint8Array(Uint16Array.from([0x3f80, 0xc000]).buffer);
    const doubles = new Uint8Array(Float64Array.from([1.5, -2]).buffer);
    const spec = (key: string, storage: string, type: string, n: number): TensorSpec => ({
      key,
      storage,
      type,
      elements: n,
      shape: [n],
      strides: [1],
    });
    const pickle = stateDictPickle([
      spec('h', '0', 'HalfStorage', 4),
      spec('b', '1', 'BFloat16Storage', 2),
      spec('d', '2', 'DoubleStorage', 2),
    ]);
    const checkpoint = read(torchZip(pickle, { 0: halves, 1: brains, 2: doubles }));
    expect(values(checkpoint, 'h')).to.deep.equal([1, -2, 2 ** -24, 65504]);
    expect(values(checkpoint, 'b')).to.deep.equal([1, -2]);
    expect(values(checkpoint, 'd')).to.deep.equal([1.5, -2]);
  });
});

describe('hostile checkpoints', () => {
  const claim =
    (changes: Partial<TensorSpec>): (() => Checkpoint) =>
    () =>
      read(torchZip(stateDictPickle([{ ...MATRIX, ...changes }]), { 0: SIX }));

  it('refuses a pickle that calls os.system, by name', () =>
    expectRefusal(() => read(torchZip(commandPickle(), {})), 'CHECKPOINT_UNSAFE', /posix\.system/));

  it('refuses an opcode that weights do not need', () =>
    expectRefusal(() => read(torchZip(Buffer.from([0x80, 2, 0x69, 0x2e]), {})), 'CHECKPOINT_UNSAFE', /0x69/));

  it('refuses a storage that claims more than its bytes', () =>
    expectRefusal(claim({ elements: 2n ** 50n }), 'CHECKPOINT_INVALID', /elements of float32 in data\/0/));

  it('refuses a tensor that is larger than its storage', () => {
    expectRefusal(
      claim({ shape: [2n ** 40n, 2n ** 40n], strides: [0, 0] }),
      'CHECKPOINT_INVALID',
      /at most 6 elements/,
    );
    expectRefusal(claim({ shape: [1000], strides: [0] }), 'CHECKPOINT_INVALID', /at most 6 elements/);
    expectRefusal(claim({ offset: 1 }), 'CHECKPOINT_INVALID', /indices below 6/);
    expectRefusal(claim({ strides: [4, 1] }), 'CHECKPOINT_INVALID', /indices below 6, got 6/);
  });

  it('refuses a truncated zip archive', () => {
    const whole = torchZip(stateDictPickle([MATRIX]), { 0: SIX });
    expectRefusal(() => read(whole.subarray(0, whole.length - 30)), 'CHECKPOINT_INVALID', /truncated/);
  });

  it('refuses a zip bomb without unfolding it', () =>
    expectRefusal(
      () => read(zip([{ name: 'a/data.pkl', data: new Uint8Array(20), method: 8, claimedBytes: 0xf0000000 }])),
      'CHECKPOINT_INVALID',
      /stored zip entries/,
    ));

  it('refuses a list that call after call copies, before it fills the memory', () => {
    const remembered = (index: number): Buffer => Buffer.from([0x68, index]);
    // A list of `count` pairs as memo 0, OrderedDict as memo 1; then `count` calls of the one with the other.
    const bomb = (count: number): Buffer =>
      Buffer.concat([
        Buffer.from([0x80, 2, 0x5d, 0x71, 0, 0x28]),
        ...Array.from({ length: count }, (_, i) => Buffer.from([0x4d, i & 255, i >> 8, 0x4e, 0x86])),
        Buffer.from('eccollections\nOrderedDict\n'),
        Buffer.from([0x71, 1]),
        ...Array.from({ length: count }, () =>
          Buffer.concat([remembered(1), remembered(0), Buffer.from([0x85, 0x52])]),
        ),
        Buffer.from('.'),
      ]);
    expectRefusal(() => read(torchZip(bomb(1000), {})), 'CHECKPOINT_INVALID', /at most \d+ pairs in as many bytes/);
    // One call copies what was written: that is any dictionary.
    expectRefusal(() => read(torchZip(bomb(1), {})), 'CHECKPOINT_INVALID', /Expected a state dict/);
    expectRefusal(
      claim({ shape: Array<number>(9).fill(1), strides: [1] }),
      'CHECKPOINT_INVALID',
      /at most 8 values for the size, got 9/,
    );
  });

  it('refuses zip entries that overlap', () =>
    expectRefusal(
      () =>
        read(
          zip([
            { name: 'a/data.pkl', data: new Uint8Array(40) },
            { name: 'a/data/00000', data: new Uint8Array(40), localOffset: 0 },
          ]),
        ),
      'CHECKPOINT_INVALID',
      /do not overlap/,
    ));

  it('refuses safetensors ranges that overlap, leave a hole or leave the file', () => {
    const entry = (begin: number, end: number): unknown => ({
      dtype: 'F32',
      shape: [(end - begin) / 4],
      data_offsets: [begin, end],
    });
    expectRefusal(() => read(safetensors({ a: entry(0, 16), b: entry(8, 24) }, SIX)), 'CHECKPOINT_INVALID', /overlap/);
    expectRefusal(() => read(safetensors({ a: entry(4, 24) }, SIX)), 'CHECKPOINT_INVALID', /hole/);
    expectRefusal(() => read(safetensors({ a: entry(0, 48) }, SIX)), 'CHECKPOINT_INVALID', /the file/);
    expectRefusal(
      () => read(safetensors({ a: { dtype: 'F32', shape: [2 ** 40, 2 ** 40], data_offsets: [0, 24] } }, SIX)),
      'CHECKPOINT_INVALID',
      /data_offsets that fit/,
    );
  });

  it('refuses a wrong dtype, a wrong shape, a missing key and an extra key, each by name', () => {
    const whole = (): WeightReader => new WeightReader(read(torchZip(stateDictPickle([MATRIX]), { 0: SIX })));
    const integers = stateDictPickle([{ ...MATRIX, type: 'IntStorage' }]);
    const typed = new WeightReader(read(torchZip(integers, { 0: SIX })));
    expectRefusal(() => typed.take('a.weight', [2, 3]), 'CHECKPOINT_SHAPE', /floating-point tensor for a\.weight/);
    expectRefusal(() => whole().take('a.weight', [3, 2]), 'CHECKPOINT_SHAPE', /\[3, 2\] for a\.weight, got \[2, 3\]/);
    expectRefusal(() => whole().take('b', [1]), 'CHECKPOINT_KEY_MISSING', /a tensor b/);
    expectRefusal(() => whole().finish(), 'CHECKPOINT_KEY_UNUSED', /a\.weight/);
  });

  it('refuses weights that are not finite, naming tensor and element', () => {
    const checkpoint = read(torchZip(stateDictPickle([MATRIX]), { 0: floatBytes([1, 2, NaN, 4, 5, 6]) }));
    expectRefusal(() => values(checkpoint, 'a.weight'), 'CHECKPOINT_INVALID', /NaN at element 2 .*a\.weight/);
  });

  it('refuses files of another kind', () => {
    expectRefusal(() => read(Buffer.from('hello, world')), 'CHECKPOINT_INVALID', /another kind/);
    expectRefusal(() => read(new Uint8Array(0)), 'CHECKPOINT_INVALID', /another kind/);
  });
});
