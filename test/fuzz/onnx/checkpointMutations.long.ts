import { expect } from 'chai';
import { mulberry32 } from '../../../src/core/mulberry32.js';
import { VprError } from '../../../src/core/VprError.js';
import { ByteSource } from '../../../src/onnx/checkpoint/ByteSource.js';
import { readCheckpoint } from '../../../src/onnx/checkpoint/openCheckpoint.js';
import {
  floatBytes,
  numpyScalar,
  safetensors,
  stateDictPickle,
  torchLegacy,
  torchZip,
} from '../../unit/onnx/checkpointFiles.js';

const MUTATIONS = 20_000;
/** Of one reading, far above what any of these small files needs. */
const MAX_MS = 1000;

const SPECS = [
  { key: 'module.a', storage: '0', elements: 6, shape: [2, 3], strides: [3, 1] },
  { key: 'module.b', storage: '1', elements: 4, shape: [2, 2], strides: [1, 2] },
];
const STORAGES = { 0: floatBytes([1, 2, 3, 4, 5, 6]), 1: floatBytes([7, 8, 9, 10]) };
const PICKLE = stateDictPickle(SPECS, ['model_state_dict'], [['best', numpyScalar()]]);
const SEEDS = [
  torchZip(PICKLE, STORAGES),
  torchLegacy(PICKLE, STORAGES),
  safetensors(
    {
      a: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
      b: { dtype: 'F16', shape: [4], data_offsets: [24, 32] },
    },
    new Uint8Array(32),
  ),
];

/** Flips, overwrites, cuts, repeats and inserts at random places. */
function mutate(bytes: Uint8Array, next: () => number): Uint8Array {
  let out = Uint8Array.from(bytes);
  const changes = 1 + (next() % 4);
  for (let i = 0; i < changes; i++) {
    const at = next() % Math.max(1, out.length);
    switch (next() % 6) {
      case 0:
        out[at]! ^= 1 << (next() % 8);
        break;
      case 1:
        out[at] = next() & 0xff;
        break;
      case 2:
        out.fill(0xff, at, at + 4);
        break;
      case 3:
        out = out.slice(0, at);
        break;
      case 4:
        out = Uint8Array.from([...out.subarray(0, at), ...out.subarray(Math.max(0, at - (next() % 32)))]);
        break;
      default:
        out = Uint8Array.from([...out.subarray(0, at), next() & 0xff, ...out.subarray(at)]);
    }
  }
  return out;
}

describe('mutated checkpoints', () => {
  it(`either read or fail as a VprError, quickly and in bounded memory, ${MUTATIONS} times`, function () {
    this.timeout(600_000);
    const next = mulberry32(7);
    const read = SEEDS.map(() => 0);
    const refused = SEEDS.map(() => 0);
    const codes = new Set<string>();
    let slowestMs = 0;
    for (let i = 0; i < MUTATIONS; i++) {
      const seed = i % SEEDS.length;
      const bytes = mutate(SEEDS[seed]!, next);
      const startedMs = performance.now();
      try {
        const checkpoint = readCheckpoint(ByteSource.of(bytes, `mutation ${i}`));
        for (const tensor of checkpoint.tensors.values())
          if (tensor.elementType.includes('float')) expect(tensor.readFloats().length).to.be.at.most(bytes.length);
        read[seed]!++;
      } catch (error) {
        if (!(error instanceof VprError)) throw error;
        refused[seed]!++;
        codes.add(error.code);
      }
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
    }
    // Both kinds must occur, or the mutations prove nothing.
    // Of each format some must still read and most must not, for more than one reason, or the mutations prove nothing.
    const each = MUTATIONS / SEEDS.length;
    for (const [seed] of SEEDS.entries()) {
      expect(read[seed], `read of format ${seed}`).to.be.above(each / 100);
      expect(refused[seed], `refused of format ${seed}`).to.be.above(each / 2);
    }
    expect([...codes]).to.include.members(['CHECKPOINT_INVALID', 'CHECKPOINT_UNSAFE']);
    expect(slowestMs).to.be.below(MAX_MS);
    expect(process.memoryUsage().rss).to.be.below(2 ** 30);
  });
});
