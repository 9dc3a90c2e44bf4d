import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { VprError } from '../../../src/core/VprError.js';
import type { Checkpoint, ElementType } from '../../../src/onnx/checkpoint/Checkpoint.js';
import { openCheckpoint } from '../../../src/onnx/checkpoint/openCheckpoint.js';
import { withVocabulary } from '../../../src/onnx/checkpoint/withVocabulary.js';
import { bytesRead } from '../bytesRead.js';
import { floatBytes, safetensors } from './checkpointFiles.js';

const FOLDER = 'test/data/onnx/checkpoints';
/** Type, shape and values (as f32) of each tensor, by PyTorch. */
type Expected = Readonly<Record<string, readonly [ElementType, readonly number[], readonly number[]]>>;

describe('checkpoints that PyTorch and safetensors wrote (make_checkpoints.py)', () => {
  const expected = JSON.parse(readFileSync(`${FOLDER}/expected.json`, 'utf8')) as Expected;

  for (const [file, what] of [
    ['training.pth', 'with optimizer, schedule, NumPy arrays and an argparse.Namespace beside the weights'],
    ['training-legacy.pth', 'the same as PyTorch before 1.6 wrote it'],
    ['lightning.ckpt', 'in the layout of PyTorch Lightning'],
    ['bare.pth', 'the state dict alone'],
    ['weights.safetensors', 'by the safetensors library'],
  ] as const)
    it(`reads every tensor of ${file}: ${what}`, () => {
      const checkpoint = openCheckpoint(`${FOLDER}/${file}`);
      try {
        expect([...checkpoint.tensors.keys()]).to.have.members(Object.keys(expected));
        for (const [key, [type, shape, values]] of Object.entries(expected)) {
          const tensor = checkpoint.tensors.get(key)!;
          expect([tensor.elementType, tensor.shape], key).to.deep.equal([type, shape]);
          if (type.includes('float'))
            expect(Array.from(tensor.readFloats()), key).to.deep.equal(values.map((value) => Math.fround(value)));
        }
      } finally {
        checkpoint.close();
      }
    });
});

describe('a vocabulary in a file of its own', () => {
  const join = (words: string): Checkpoint =>
    withVocabulary(openCheckpoint(`${FOLDER}/bare.pth`), openCheckpoint(`${FOLDER}/${words}`));

  it('stands beside the keys of the backbone', () => {
    const checkpoint = join('words.pt');
    const { tensors } = checkpoint;
    expect([...tensors.keys()]).to.include.members(['vocabulary', 'backbone.conv.weight', 'backbone.pool.bias']);
    expect([...tensors.keys()].filter((key) => !/^(backbone\..+|vocabulary)$/.test(key))).to.deep.equal([]);
    expect(tensors.get('vocabulary')!.shape).to.deep.equal([3, 4]);
    expect([...tensors.get('vocabulary')!.readFloats()]).to.deep.equal(Array.from({ length: 12 }, (_, i) => i));
    checkpoint.close();
  });

  it('must be one matrix', () => {
    expect(() => join('bare.pth')).to.throw(
      VprError,
      /^Expected one matrix of words \(torch\.save of a tensor\), got 15 tensors \[.*bare\.pth\]$/,
    );
  });
});

describe('a checkpoint that is larger than memory should be', () => {
  it('is read tensor by tensor: a small one beside 4 GB costs kilobytes', function () {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-checkpoint-'));
    try {
      const large = 4 * 2 ** 30;
      const header = {
        large: { dtype: 'F32', shape: [2 ** 15, 2 ** 15], data_offsets: [0, large] },
        small: { dtype: 'F32', shape: [3], data_offsets: [large, large + 12] },
      };
      const file = path.join(folder, 'weights.safetensors');
      const start = safetensors(header, new Uint8Array(0));
      writeFileSync(file, start);
      // Zeros that take no space on the disk.
      truncateSync(file, start.length + large);
      appendFileSync(file, floatBytes([1, 2, 3]));
      const before = bytesRead();
      const checkpoint = openCheckpoint(file);
      expect(Array.from(checkpoint.tensors.get('small')!.readFloats())).to.deep.equal([1, 2, 3]);
      expect(checkpoint.tensors.get('large')!.shape).to.deep.equal([2 ** 15, 2 ** 15]);
      checkpoint.close();
      expect(bytesRead() - before).to.be.below(100_000);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
