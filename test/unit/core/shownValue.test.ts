import { expect } from 'chai';
import { VprError } from '../../../src/core/VprError.js';
import { shownValue } from '../../../src/core/shownValue.js';
import { parseGroundTruth } from '../../../src/evaluation/groundTruth.js';
import { parseModelManifest } from '../../../src/inference/readModelManifest.js';
import { ByteSource } from '../../../src/onnx/checkpoint/ByteSource.js';
import { readCheckpoint } from '../../../src/onnx/checkpoint/openCheckpoint.js';
import { safetensors } from '../onnx/checkpointFiles.js';

/** A list in a list in a list: JSON reads it, and cannot write it. */
const DEEP = '['.repeat(200_000) + ']'.repeat(200_000);

describe('shownValue', () => {
  it('is short JSON', () => {
    expect([null, 'a', [1, 2], undefined].map((value) => shownValue(value))).to.deep.equal([
      'null',
      '"a"',
      '[1,2]',
      'undefined',
    ]);
    expect(shownValue('x'.repeat(1000))).to.have.length(80);
  });

  for (const [what, read] of [
    ['ground truth', () => parseGroundTruth(`{"positives": [[${DEEP}]]}`, 1, 6, 'x')],
    ['model manifest', () => parseModelManifest(`{"formatVersion": ${DEEP}}`, 'x')],
    [
      'safetensors header',
      () =>
        readCheckpoint(
          ByteSource.of(
            safetensors(`{"a": {"dtype": "F32", "shape": ${DEEP}, "data_offsets": [0, 0]}}`, new Uint8Array()),
            'x',
          ),
        ),
    ],
  ] as const)
    it(`says in a sentence what is wrong with a ${what} of lists without end`, () =>
      expect(read).to.throw(VprError, /^Expected .*, got (a list of lists without end|a value of type object) \[x\]$/));
});
