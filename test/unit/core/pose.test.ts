import { expect } from 'chai';
import { uniformNumbers } from '../../../src/core/mulberry32.js';
import { normalizeQuaternion, rotateVector, rotationQuaternion, type Quaternion } from '../../../src/core/pose.js';

/** [3, 3] row-major: its columns are the turned axes. */
function matrixOf(q: Quaternion): number[] {
  const columns = (
    [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ] as const
  ).map((axis) => rotateVector(q, axis));
  return [0, 1, 2].flatMap((row) => columns.map((column) => column[row]!));
}

describe('rotationQuaternion', () => {
  it('turns as its matrix does, half turns included', () => {
    const random = uniformNumbers(2);
    const drawn = Array.from({ length: 200 }, () =>
      normalizeQuaternion([random() - 0.5, random() - 0.5, random() - 0.5, random() - 0.5]),
    );
    const turns: Quaternion[] = [...drawn.map((q) => q!), [0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]];
    for (const q of turns) {
      const matrix = matrixOf(q);
      const found = rotationQuaternion(matrix);
      expect(found[3]).to.be.at.least(0);
      matrixOf(found).forEach((value, i) => expect(value).to.be.closeTo(matrix[i]!, 1e-9));
    }
  });
});
